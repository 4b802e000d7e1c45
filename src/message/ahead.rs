//! Moves the cache lines to this processor that the next records will have.
//!
//! The receiver has read these lines when they had other records. A write to such
//! a line waits until the other processor has given it up, and each commit waits
//! for all writes before it. So a sender asks for the lines some records before.

use super::layout::CHUNK;
use super::member::Member;
use super::memory::Memory;
use super::words::Position;

/// The size of a cache line in bytes.
const LINE: u32 = 64;
/// How far before the next record lines are moved, in bytes.
const AHEAD: u32 = 512;
/// The number of bytes that are moved for one record at most.
const MOST: u32 = 256;

/// Prepares the lines behind a record of `size` bytes, which ends at `at`.
#[inline]
pub fn prepare_record<M: Memory>(m: &Member<M>, receiver: u32, at: Position, size: u32) {
    let start = at.offset + AHEAD;
    let end = (start + size.min(MOST)).min(CHUNK);
    let chunk = m.layout.chunk(receiver, at.chunk);

    for line in (start.next_multiple_of(LINE)..end).step_by(LINE as usize) {
        m.memory.prefetch(chunk + line as usize);
    }
}

/// Prepares the first lines of a chunk.
pub fn prepare_chunk<M: Memory>(m: &Member<M>, receiver: u32, chunk: u32) {
    let start = m.layout.chunk(receiver, chunk);

    for line in (0..AHEAD as usize).step_by(LINE as usize) {
        m.memory.prefetch(start + line);
    }
}
