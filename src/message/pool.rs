//! The pool of a receiver: senders claim chunks, and the receiver frees them.
//!
//! A claim is one compare-and-swap of the owner word, from free to the sender
//! and the number of the record for which the chunk is claimed. So it is known
//! at any time which process has claimed a chunk. Whether the chunk is in use follows from
//! the number, see `recover`.
//!
//! Senders search for single chunks from the start of the pool, and for blocks
//! from its end, so that small messages do not split the room for large ones.

use std::mem::offset_of;
use std::ops::Range;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};

use super::layout::{Bitmap, CHUNK, Class, Lane, Layout, Slot};
use super::member::Member;
use super::memory::Memory;
use super::words::{Owner, Position, Use};

/// The chunks that lanes of a class may use.
pub fn range(layout: &Layout, class: Class) -> Range<u32> {
    match class {
        Class::Control => 0..layout.sizes.chunks,
        Class::Data => layout.sizes.control_chunks..layout.sizes.chunks,
    }
}

/// Claims a chunk if it is free. Returns whether it was claimed.
pub fn claim_at<M: Memory>(
    memory: &M,
    layout: &Layout,
    pool: u32,
    chunk: u32,
    owner: Owner,
) -> bool {
    let at = layout.owner(pool, chunk);

    memory.load(at, Relaxed) == 0 && memory.replace(at, 0, owner.pack())
}

/// Claims one chunk of a pool: the first of `hints` that is free, else the first free
/// one of the pool. Returns `None` if no chunk is free.
pub fn claim<M: Memory>(
    memory: &M,
    layout: &Layout,
    pool: u32,
    class: Class,
    hints: impl Iterator<Item = u32>,
    owner: Owner,
) -> Option<u32> {
    let range = range(layout, class);

    hints
        .filter(|hint| range.contains(hint))
        .chain(range.clone())
        .find(|&chunk| claim_at(memory, layout, pool, chunk, owner))
}

/// Claims `count` chunks of a pool that follow each other: from `hint` on if
/// they are free, else the last ones. Returns the first chunk; `None` if there
/// is no such run of free chunks.
pub fn claim_run<M: Memory>(
    memory: &M,
    layout: &Layout,
    pool: u32,
    class: Class,
    (hint, count): (u32, u32),
    owner: Owner,
) -> Option<u32> {
    let range = range(layout, class);
    let hinted = hint.checked_add(count);

    if range.contains(&hint)
        && hinted.is_some_and(|end| end <= range.end)
        && claim_all(memory, layout, pool, hint, count, owner).is_ok()
    {
        return Some(hint);
    }

    // `end` is the end of the candidate. A chunk in use ends all runs that
    // contain it, so the next candidate ends there.
    let mut end = range.end;

    while let Some(first) = end.checked_sub(count).filter(|&first| first >= range.start) {
        match claim_all(memory, layout, pool, first, count, owner) {
            Ok(()) => return Some(first),
            Err(used) => end = used,
        }
    }

    None
}

/// Claims all chunks of a run, or none. Fails with the last chunk that is in
/// use.
fn claim_all<M: Memory>(
    memory: &M,
    layout: &Layout,
    pool: u32,
    first: u32,
    count: u32,
    owner: Owner,
) -> Result<(), u32> {
    for chunk in (first..first + count).rev() {
        if !claim_at(memory, layout, pool, chunk, owner) {
            release(memory, layout, pool, chunk + 1..first + count, owner);
            return Err(chunk);
        }
    }

    Ok(())
}

/// Frees chunks that still have this owner. Returns how many they were.
pub fn release<M: Memory>(
    memory: &M,
    layout: &Layout,
    pool: u32,
    chunks: Range<u32>,
    owner: Owner,
) -> u32 {
    let mut freed = 0;

    for chunk in chunks {
        freed += u32::from(memory.replace(layout.owner(pool, chunk), owner.pack(), 0));
    }

    freed
}

/// Frees the chunks of a pool that are not in use: `is_unused` gets the number and the
/// owner of each chunk that is not free.
pub fn release_unused<M: Memory>(
    memory: &M,
    layout: &Layout,
    pool: u32,
    is_unused: impl Fn(u32, Owner) -> bool,
) {
    for chunk in 0..layout.sizes.chunks {
        let found = owner(memory, layout, pool, chunk);

        if let Some(owner) = found.filter(|&owner| is_unused(chunk, owner)) {
            release(memory, layout, pool, chunk..chunk + 1, owner);
        }
    }
}

/// Reads the owner of a chunk; `None` if the chunk is free.
pub fn owner<M: Memory>(memory: &M, layout: &Layout, pool: u32, chunk: u32) -> Option<Owner> {
    Owner::unpack(memory.load(layout.owner(pool, chunk), Acquire))
}

/// How many chunks of a pool are not free.
pub fn used<M: Memory>(memory: &M, layout: &Layout, pool: u32) -> u32 {
    let is_used = |&chunk: &u32| memory.load(layout.owner(pool, chunk), Relaxed) != 0;

    (0..layout.sizes.chunks).filter(is_used).count() as u32
}

impl<M: Memory> Member<M> {
    /// Frees chunks of this process's own pool that it has received, and tells
    /// the senders that wait for room.
    ///
    /// The last access is sequentially consistent: a sender sets its bit as a
    /// waiter and then searches for a free chunk again. Either it finds the
    /// chunk, or this function finds the bit.
    pub fn free(&self, chunks: Range<u32>) {
        let Some(last) = chunks.end.checked_sub(1) else {
            return;
        };

        for chunk in chunks.start..last {
            let at = self.layout.owner(self.slot, chunk);

            self.memory.store(at, 0, Release);
        }

        self.memory.swap(self.layout.owner(self.slot, last), 0);
        self.tell_waiters();
    }

    /// How many chunks of this process's own pool are not free.
    pub fn used_chunks(&self) -> u32 {
        used(&self.memory, &self.layout, self.slot)
    }

    /// Tells the senders that wait for room in this process's pool.
    pub fn tell_waiters(&self) {
        let flag = self.layout.slot(self.slot) + offset_of!(Slot, waited_for);

        if self.memory.load(flag, SeqCst) == 0 {
            return;
        }

        self.memory.swap(flag, 0);

        for word in 0..self.layout.words() {
            let at = self.layout.bitmap(self.slot, Bitmap::Waiters) + word * 8;
            let mut bits = self.memory.swap(at, 0);

            while bits != 0 {
                let slot = word as u32 * 64 + bits.trailing_zeros();

                bits &= bits - 1;

                if self.has_slot(slot) {
                    self.mark(slot, Bitmap::Room, self.slot);
                }
            }
        }
    }

    /// Makes the process of the slot `pool` tell this process when its pool has
    /// room. The caller must search for room once more afterwards.
    pub fn await_room(&self, pool: u32) {
        let (at, bit) = self.layout.bit(pool, Bitmap::Waiters, self.slot);

        self.memory.set_bits(at, bit);
        self.memory
            .swap(self.layout.slot(pool) + offset_of!(Slot, waited_for), 1);
    }

    /// Frees all chunks of a lane that the receiver has passed. `at` is the position
    /// of the next record.
    ///
    /// A chunk that the sender has claimed and not linked yet has a larger number
    /// than this record, so it is not freed. See `recover`.
    pub fn free_passed(&self, lane: Lane, at: Position) {
        release_unused(&self.memory, &self.layout, self.slot, |chunk, owner| {
            is_passed(&self.layout, lane, at, chunk, owner)
        });
        self.tell_waiters();
    }
}

/// Whether the receiver of a lane, whose next record is at `at`, has finished
/// with a chunk: the chunk is not that of the next record, and its number is not that
/// of a record that can wait.
pub fn is_passed(layout: &Layout, lane: Lane, at: Position, chunk: u32, owner: Owner) -> bool {
    let is_of = |usage| owner.is_of(usage, lane.class.is_control(), lane.sender);

    let is_waiting = owner.number.wrapping_sub(at.number) <= most_records(layout);

    (is_of(Use::Lane) && chunk != at.chunk || is_of(Use::Block)) && !is_waiting
}

/// The largest number of records that can wait in a lane.
fn most_records(layout: &Layout) -> u32 {
    layout.sizes.chunks * (CHUNK / 16)
}
