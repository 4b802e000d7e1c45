//! The garbage that a process has written before it died.
//!
//! It is in the words that the process itself has written when it ran, or that others
//! have written for it: its slot, its lanes and their records, its pool, and what it
//! has claimed in the pools of others.

use std::mem::offset_of;

use ngx_ipc::message::layout::{Class, Lane, LaneHead, Slot};
use ngx_ipc::message::words::Owner;

use super::hostile::Random;
use super::replaced_world::{HOSTILE, SIZES, Shared};

/// The offsets of the words that the garbage is written to, with their names.
pub fn words(shared: &Shared) -> Vec<(usize, String)> {
    let layout = &shared.layout;
    let slot = layout.slot(HOSTILE);
    let bitmaps = offset_of!(Slot, control);
    let mut words: Vec<_> = (0..bitmaps)
        .step_by(8)
        .chain((bitmaps..size_of::<Slot>()).step_by((size_of::<Slot>() - bitmaps) / 6))
        .map(|field| (slot + field, format!("byte {field} of the slot")))
        .collect();

    for other in 0..SIZES.slots {
        for class in Class::ALL {
            for (receiver, sender) in [(HOSTILE, other), (other, HOSTILE)] {
                let lane = Lane {
                    class,
                    receiver,
                    sender,
                };

                words.extend((0..size_of::<LaneHead>()).step_by(8).map(|field| {
                    (
                        layout.lane(lane) + field,
                        format!("byte {field} of {lane:?}"),
                    )
                }));
            }
        }
    }

    for pool in 0..SIZES.slots {
        for chunk in 0..SIZES.chunks {
            let at = layout.owner(pool, chunk);
            let is_of_hostile = |owner: Owner| owner.slot == HOSTILE;

            if pool == HOSTILE || Owner::unpack(shared.load(at)).is_some_and(is_of_hostile) {
                words.push((at, format!("owner of chunk {chunk} of pool {pool}")));
            }

            if shared.load(at) != 0 {
                words.extend((0..12).map(|word| {
                    let at = layout.chunk(pool, chunk) + word * 8;

                    (at, format!("word {word} of chunk {chunk} of pool {pool}"))
                }));
            }
        }
    }

    words
}

/// Garbage for a word: small, large, random, or similar to what is there.
pub fn garbage(shared: &Shared, at: usize, choice: usize, random: &mut Random) -> u64 {
    let old = shared.load(at);

    match choice {
        0 => 0,
        1 => u64::MAX,
        2 => random.next(),
        3 => random.next() & 0xffff,
        4 => old ^ (1 << random.below(64)),
        5 => old.wrapping_add(1),
        6 => old.wrapping_sub(1),
        7 => old ^ (1 << 63),
        8 => old.wrapping_add(1 << 32),
        _ => shared.load(random.below(shared.layout.chunk(0, 0) / 8) * 8),
    }
}
pub const CHOICES: usize = 10;
