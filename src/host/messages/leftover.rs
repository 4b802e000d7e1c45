//! In a master: tells the program of the messages that wait in slots without a process,
//! see [`leftover`](crate::message::leftover).

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::watchers::peer;
use super::{local, lost};
use crate::log::Log;

/// The number of records of a slot at which the master looks before its event loop goes
/// on.
const MOST: u32 = 256;

/// The slot that this master has claimed to look at it, plus 1; 0: none.
static CLAIMED: AtomicU32 = AtomicU32::new(0);

/// Whether this master has claimed a slot to look at it.
pub fn has_claimed(slot: u32) -> bool {
    CLAIMED.load(Relaxed) == slot + 1
}

/// Tells the program of what waits in the slots that have become vacant. At the time
/// `end`, in nanoseconds, the rest is left for the next turn.
pub fn report(log: Log, end: u64) {
    let Some(slots) = local::with(local::Own::take_vacant) else {
        return;
    };

    for slot in slots.iter() {
        let is_done = local::now() < end && report_slot(log, slot) == Ok(true);

        if !is_done {
            local::with(|own| own.add_vacant(slot));
        }
    }
}

/// Returns whether the master need not look at the slot again. Fails with `ENOMEM`.
fn report_slot(log: Log, slot: u32) -> Result<bool, Errno> {
    let claimed = local::with(|own| own.claim_leftover(slot, MOST)).transpose()?;
    let Some(mut leftover) = claimed.flatten() else {
        return Ok(true);
    };

    CLAIMED.store(slot + 1, Relaxed);

    let dead = peer(leftover.dead());
    let mut untold = 0;

    while let Some(gap) = leftover.take() {
        if let Some(sender) = local::with(|own| own.count_leftover(slot, &gap))
            && !lost::tell_leftover(&gap, &peer(&sender), &dead)
        {
            untold += gap.count;
        }
    }

    if untold > 0 {
        lost::log_leftover(log, untold, &dead);
    }

    CLAIMED.store(0, Relaxed);

    Ok(leftover.release())
}
