//! A check of the whole region: every chunk is either free, or it is used in
//! exactly one place.
//!
//! The result is exact while no process changes the region.

use nix::errno::Errno;

use super::known::known_lanes_to;
use super::lane::{self, Found};
use super::layout::{Class, Lane, Layout};
use super::memory::Memory;
use super::pool;
use super::walk::{End, walk};
use super::words::{Owner, Use, is_before};
use crate::sys::heap;

/// What the chunks of the region are used for. Each chunk is counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// They are free.
    pub free: u32,
    /// A lane leads to them.
    pub linked: u32,
    /// A record that waits names them as its block.
    pub blocks: u32,
    /// They belong to a block that several receivers share.
    pub shared: u32,
    /// A sender has claimed them, and no record leads to them yet.
    pub claimed: u32,
    /// The receiver has finished with them, and they are not free.
    pub passed: u32,
    /// Two places lead to them, or their owner word does not fit the place that
    /// leads to them. In an undamaged region this is 0.
    pub wrong: u32,
    /// The number of lanes that contain something that is no record.
    pub damaged_lanes: u32,
    /// The number of messages that wait.
    pub messages: u32,
}

/// Where a chunk is used.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Seen {
    #[default]
    Nowhere,
    InLane(Class, u32),
    InBlock(Class, u32, u32),
    Twice,
}

/// Checks all pools. Fails with `ENOMEM`.
pub fn verify<M: Memory>(memory: &M, layout: &Layout) -> Result<Report, Errno> {
    let mut report = Report::default();

    for receiver in 0..layout.sizes.slots {
        check_pool(memory, layout, receiver, &mut report)?;
    }

    Ok(report)
}

fn check_pool<M: Memory>(
    memory: &M,
    layout: &Layout,
    receiver: u32,
    report: &mut Report,
) -> Result<(), Errno> {
    let mut seen: Vec<Seen> = heap::zeros(layout.sizes.chunks as usize)?;

    for lane in known_lanes_to(memory, layout, receiver) {
        walk_lane(memory, layout, lane, &mut seen, report);
    }

    for (chunk, &seen) in (0..).zip(&seen) {
        let owner = pool::owner(memory, layout, receiver, chunk);

        match (owner, seen) {
            (None, Seen::Nowhere) => report.free += 1,
            (Some(owner), Seen::Nowhere) => {
                count_unseen(memory, layout, receiver, owner, report);
            }
            (Some(owner), Seen::InLane(class, sender))
                if owner.is_of(Use::Lane, class.is_control(), sender) =>
            {
                report.linked += 1;
            }
            (Some(owner), Seen::InBlock(class, sender, number))
                if owner.is_of(Use::Block, class.is_control(), sender)
                    && owner.number == number =>
            {
                report.blocks += 1;
            }
            _ => report.wrong += 1,
        }
    }

    Ok(())
}

fn walk_lane<M: Memory>(
    memory: &M,
    layout: &Layout,
    lane: Lane,
    seen: &mut [Seen],
    report: &mut Report,
) {
    let mut current = None;
    let mut see = |chunk: u32, what| {
        if let Some(slot) = seen.get_mut(chunk as usize) {
            *slot = if *slot == Seen::Nowhere {
                what
            } else {
                Seen::Twice
            };
        }
    };
    let end = walk(memory, layout, lane, |at, found| {
        if current != Some(at.chunk) {
            current = Some(at.chunk);
            see(at.chunk, Seen::InLane(lane.class, lane.sender));
        }

        if let Found::Message(record, _) = found {
            report.messages += 1;

            if let Some(block) = record.own_block() {
                for chunk in block.chunk..block.chunk.saturating_add(block.count) {
                    see(chunk, Seen::InBlock(lane.class, lane.sender, at.number));
                }
            }
        }
    });

    report.damaged_lanes += u32::from(matches!(end, End::Damaged(_)));
}

fn count_unseen<M: Memory>(
    memory: &M,
    layout: &Layout,
    receiver: u32,
    owner: Owner,
    report: &mut Report,
) {
    let lane = Lane {
        class: owner.class(),
        receiver,
        sender: owner.slot,
    };

    if owner.usage == Use::Shared {
        report.shared += 1;
    } else if owner.slot < layout.sizes.slots
        && is_before(owner.number, lane::place(memory, layout, lane).number())
    {
        report.passed += 1;
    } else {
        report.claimed += 1;
    }
}
