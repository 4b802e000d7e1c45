//! Gives the memory of a pool back to the kernel when the pool was not used for
//! a while.

use super::layout::{CHUNK, Class};
use super::member::Member;
use super::memory::Memory;
use super::pool;
use super::words::{Owner, Use};

/// The number of parts of a pool. [`give_back`] claims the free chunks of one part at a
/// time, so that senders find free chunks in the others.
const PARTS: u32 = 16;

/// Counts the rounds in which the pool of a process was not used.
#[derive(Clone, Debug, Default)]
pub struct Idle {
    activity: u64,
    rounds: u32,
    is_done: bool,
}

impl Idle {
    /// Begins another round. `activity` is a number that changes when the pool is
    /// used. After `rounds` rounds without a change, the free chunks are given
    /// back, once.
    pub fn round<M: Memory>(&mut self, m: &Member<M>, activity: u64, rounds: u32) {
        if self.activity != activity {
            *self = Self {
                activity,
                ..Self::default()
            };
        }

        self.rounds = self.rounds.saturating_add(1);

        if self.rounds >= rounds && !self.is_done {
            self.is_done = true;
            give_back(m);
        }
    }
}

/// Gives the pages of all free chunks back. This process claims each chunk
/// meanwhile, so no sender claims it. If this process is killed, its
/// successor frees the chunk like a shared block that no receiver uses.
fn give_back<M: Memory>(m: &Member<M>) {
    let owner = Owner {
        usage: Use::Shared,
        control: false,
        slot: m.slot,
        incarnation: m.incarnation,
        number: 0,
    };
    let most = (m.layout.sizes.chunks / PARTS).max(1) as usize;
    let mut run = 0..0;

    for chunk in pool::range(&m.layout, Class::Control) {
        let is_free = pool::claim_at(&m.memory, &m.layout, m.slot, chunk, owner);

        if is_free && run.is_empty() {
            run = chunk..chunk + 1;
        } else if is_free {
            run.end = chunk + 1;
        }

        if !is_free || run.len() >= most || chunk + 1 == m.layout.sizes.chunks {
            if !run.is_empty() {
                let at = m.layout.chunk(m.slot, run.start);

                m.memory.give_back(at, run.len() * CHUNK as usize);
                pool::release(&m.memory, &m.layout, m.slot, run, owner);
            }

            run = 0..0;
        }
    }

    m.tell_waiters();
}
