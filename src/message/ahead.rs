//! Moves the cache lines to this processor that the next records will have.
//!
//! The receiver has read these lines when they had other records. A write to such
//! a line waits until the other processor has given it up, and each commit waits
//! for all writes before it. So a sender asks for the lines some records before.

use super::layout::{Bitmap, CHUNK, Lane};
use super::member::Member;
use super::memory::Memory;

/// The size of a cache line in bytes.
const LINE: u32 = 64;
/// How far before the next record lines are moved, in bytes.
const AHEAD: u32 = 512;

/// Prepares the lines behind a record of `size` bytes, which ends at `end` in the
/// chunk at the offset `chunk` of the region. Returns whether all of them lie in this
/// chunk.
#[inline]
pub fn prepare_record<M: Memory>(m: &Member<M>, chunk: usize, end: u32, size: u32) -> bool {
    let start = end + AHEAD;
    let end = start + size;

    prepare(m, chunk, start, end.min(CHUNK));
    end <= CHUNK
}

/// Prepares lines of the chunk of a pool that the sender will claim next, when it has
/// written a record at the end of another chunk, see [`prepare_record`].
#[cold]
pub fn prepare_spare<M: Memory>(m: &Member<M>, pool: u32, spare: u32, end: u32, size: u32) {
    let end = (end + AHEAD + size).saturating_sub(CHUNK);

    m.memory.prefetch(m.layout.owner(pool, spare));
    prepare(
        m,
        m.layout.chunk(pool, spare),
        end.saturating_sub(size),
        end.min(CHUNK),
    );
}

/// Prepares the lines of a chunk that begin at `start` or later, and before `end`.
#[inline]
fn prepare<M: Memory>(m: &Member<M>, chunk: usize, start: u32, end: u32) {
    let mut line = start.next_multiple_of(LINE);

    while line < end {
        m.memory.prefetch(chunk + line as usize);
        line += LINE;
    }
}

/// Prepares the next record of a lane, which is at the offset `start` of the region,
/// and the words of the receiver that are read for it.
#[inline]
pub fn prepare_next<M: Memory>(m: &Member<M>, lane: Lane, start: usize) {
    m.memory.prefetch(start);
    m.memory.prefetch(start + LINE as usize);
    m.memory.expect(m.layout.slot(lane.receiver));
    m.memory
        .expect(m.layout.bitmap(lane.receiver, Bitmap::Ready(lane.class)));
}

/// Begins to move the lines that the receiver reads some records after the one at the
/// offset `start` of the region.
#[inline]
pub fn expect_record<M: Memory>(m: &Member<M>, start: usize) {
    m.memory.expect(start + AHEAD as usize);
    m.memory.expect(start + (AHEAD + LINE) as usize);
}

/// Begins to move the first lines of a chunk, at the offset `chunk` of the region, to
/// the receiver.
pub fn expect_chunk<M: Memory>(m: &Member<M>, chunk: usize) {
    for line in (0..AHEAD as usize).step_by(LINE as usize) {
        m.memory.expect(chunk + line);
    }
}

/// Prepares the first lines of a chunk.
pub fn prepare_chunk<M: Memory>(m: &Member<M>, receiver: u32, chunk: u32) {
    let start = m.layout.chunk(receiver, chunk);

    for line in (0..AHEAD as usize).step_by(LINE as usize) {
        m.memory.prefetch(start + line);
    }
}
