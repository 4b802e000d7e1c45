//! Known lanes: those that were ever opened. Each receiver has a bitmap of them.
//!
//! The head of a lane that was never opened is not read, because the kernel would
//! allocate a page for it.

use std::sync::atomic::Ordering::Acquire;

use super::layout::{Bitmap, Class, Lane, Layout};
use super::memory::Memory;

/// Whether the sender of a lane, or a process that had its slot before, has ever
/// opened the lane.
pub fn is_known<M: Memory>(memory: &M, layout: &Layout, lane: Lane) -> bool {
    let (at, bit) = layout.bit(lane.receiver, Bitmap::Known(lane.class), lane.sender);

    memory.load(at, Acquire) & bit != 0
}

/// Records that a lane is opened. The sender calls this before it claims the first
/// chunk, because the recovery looks for claimed chunks only in known lanes.
pub fn make_known<M: Memory>(memory: &M, layout: &Layout, lane: Lane) {
    let (at, bit) = layout.bit(lane.receiver, Bitmap::Known(lane.class), lane.sender);

    if memory.load(at, Acquire) & bit == 0 {
        memory.set_bits(at, bit);
    }
}

/// The known lanes in which the processes of a slot send.
pub fn known_lanes_from<M: Memory>(
    memory: &M,
    layout: &Layout,
    sender: u32,
) -> impl Iterator<Item = Lane> {
    known_lanes(memory, layout, move |class, receiver| Lane {
        class,
        receiver,
        sender,
    })
}

/// The known lanes in which the processes of a slot receive.
pub fn known_lanes_to<M: Memory>(
    memory: &M,
    layout: &Layout,
    receiver: u32,
) -> impl Iterator<Item = Lane> {
    known_lanes(memory, layout, move |class, sender| Lane {
        class,
        receiver,
        sender,
    })
}

/// The known lanes among those of each class and each other slot.
fn known_lanes<M: Memory>(
    memory: &M,
    layout: &Layout,
    lane: impl Fn(Class, u32) -> Lane + Copy,
) -> impl Iterator<Item = Lane> {
    Class::ALL
        .into_iter()
        .flat_map(move |class| (0..layout.sizes.slots).map(move |other| lane(class, other)))
        .filter(|&lane| is_known(memory, layout, lane))
}
