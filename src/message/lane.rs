//! Reads the records of a lane. Receivers call [`look`]. Successors, recovery and the
//! verifier call `walk`, which calls it for each record.
//!
//! A chunk contains records one after the other. A record has two words, its
//! header and its addressee, and then its payload. Records begin at multiples of
//! [`ALIGN`] bytes. The last [`ALIGN`] bytes of a chunk are left for a `Link` or
//! a `Close`, so a sender can end a chunk at any time.

use std::mem::offset_of;
use std::sync::atomic::Ordering::{Acquire, Relaxed};

use super::layout::{CHUNK, Lane, LaneHead, Layout, MAX_SLOTS};
use super::memory::Memory;
use super::words::{First, Header, Kind, Owner, Place, Position, Use, unpair};

/// The alignment of records in bytes.
pub const ALIGN: u32 = 16;
/// The size of a record without its payload.
pub const HEAD: u32 = 16;
/// The offset of the last record that a chunk can have, a `Link` or a `Close`.
pub const LAST: u32 = CHUNK - ALIGN;
/// The largest payload of a small record.
pub const MAX_SMALL: u32 = LAST - HEAD;

/// A block with the payload of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// The slot whose pool has the block.
    pub pool: u32,
    /// The first chunk.
    pub chunk: u32,
    /// The number of chunks.
    pub count: u32,
}

/// A message in a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// The first word.
    pub header: Header,
    /// The incarnation of the receiver to which the message was sent.
    pub incarnation: u32,
    /// The number that the sender has given, for the layer above.
    pub user: u32,
    /// The offset in the region of what follows the two words.
    pub payload: usize,
    /// The block with the payload, as the record names it; `None` if the payload
    /// follows the header. [`payload`] checks it.
    pub block: Option<Block>,
}

impl Record {
    /// The block that no other record names: it is freed with the record.
    #[inline]
    pub fn own_block(&self) -> Option<Block> {
        self.block.filter(|_| self.header.kind == Kind::Large)
    }
}

/// What is at a position in a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// No record has been committed there yet.
    Empty,
    /// A message. The next record is at the position.
    Message(Record, Position),
    /// The incarnation of the sender that writes the records after this one.
    Mark(u32, Position),
    /// The time at which the message that follows was sent, in nanoseconds.
    Time(u64, Position),
    /// The lane continues in another chunk.
    Link(Position),
    /// The lane is closed; the next record has this number.
    Close(u32),
    /// The bytes are no record.
    Damaged,
}

/// The size of a record in bytes.
#[inline]
pub fn size(payload: u32) -> u32 {
    (HEAD + payload).next_multiple_of(ALIGN)
}

/// The number of chunks of a block with `len` bytes of payload.
#[inline]
pub fn chunks(len: u32) -> u32 {
    len.div_ceil(CHUNK).max(1)
}

/// Whether records can begin at this position.
#[inline]
pub fn is_valid(layout: &Layout, at: Position) -> bool {
    at.chunk < layout.sizes.chunks && at.offset <= LAST && at.offset.is_multiple_of(ALIGN)
}

/// The offset in the region of a position in a lane.
#[inline]
pub fn offset(layout: &Layout, lane: Lane, at: Position) -> usize {
    layout.chunk(lane.receiver, at.chunk) + at.offset as usize
}

/// Whether a chunk of the receiver's pool belongs to the lane, and its first
/// record has the number `number`.
#[inline]
pub fn owns<M: Memory>(memory: &M, layout: &Layout, lane: Lane, at: Position) -> bool {
    if at.chunk >= layout.sizes.chunks {
        return false;
    }

    lane_owner(memory, layout, lane, at.chunk).is_some_and(|owner| owner.number == at.number)
}

/// The owner of a chunk of the receiver's pool, if it belongs to the lane.
#[inline]
pub fn lane_owner<M: Memory>(memory: &M, layout: &Layout, lane: Lane, chunk: u32) -> Option<Owner> {
    let word = memory.load(layout.owner(lane.receiver, chunk), Acquire);

    Owner::unpack(word).filter(|owner| owner.is_of(Use::Lane, lane.class.is_control(), lane.sender))
}

/// Looks at a valid position in a lane.
///
/// Other processes can write these bytes at any time. So each number is read once,
/// and is checked before it is used.
#[inline]
pub fn look<M: Memory>(memory: &M, layout: &Layout, lane: Lane, at: Position) -> Found {
    let start = offset(layout, lane, at);
    let word = memory.load(start, Acquire);

    if word == 0 {
        return Found::Empty;
    }

    match Header::unpack(word) {
        Some(header) if header.number == at.number as u16 => {
            parse(memory, layout, lane, at, start, header)
        }
        _ => Found::Damaged,
    }
}

#[inline]
fn parse<M: Memory>(
    memory: &M,
    layout: &Layout,
    lane: Lane,
    at: Position,
    start: usize,
    header: Header,
) -> Found {
    let number = at.number.wrapping_add(1);
    let body = match header.kind {
        Kind::Small => header.len,
        Kind::Large | Kind::Shared => 8,
        Kind::Mark | Kind::Time => 0,
        Kind::Link => return link(memory, layout, lane, header.len, number),
        Kind::Close => return Found::Close(number),
    };
    let next = Position {
        chunk: at.chunk,
        offset: at.offset + size(body),
        number,
    };

    if next.offset > LAST {
        return Found::Damaged;
    }

    let second = memory.load(start + 8, Relaxed);
    let (incarnation, user) = unpair(second);

    match header.kind {
        Kind::Mark if user == lane.sender => return Found::Mark(incarnation, next),
        Kind::Mark => return Found::Damaged,
        Kind::Time => return Found::Time(second, next),
        _ => {}
    }

    let mut record = Record {
        header,
        incarnation: addressee(incarnation, lane.sender),
        user,
        payload: start + HEAD as usize,
        block: None,
    };

    if header.kind != Kind::Small {
        let (chunk, pool) = unpair(memory.load(record.payload, Relaxed));

        record.block = Some(Block {
            pool,
            chunk,
            count: chunks(header.len),
        });
    }

    Found::Message(record, next)
}

/// The position to which a `Link` leads.
fn link<M: Memory>(memory: &M, layout: &Layout, lane: Lane, chunk: u32, number: u32) -> Found {
    let next = Position {
        chunk,
        offset: 0,
        number,
    };

    if owns(memory, layout, lane, next) {
        Found::Link(next)
    } else {
        Found::Damaged
    }
}

/// The incarnation of the receiver, as the second word of a record has it, and back
/// again. `sender` is the slot that writes the record, or whose lane is read.
///
/// If another process has overwritten the owner word of a chunk, two senders can write
/// to the same chunk, and their numbers can agree. In the lane of the wrong sender the
/// result is an incarnation that the receiver does not have.
#[inline]
pub const fn addressee(incarnation: u32, sender: u32) -> u32 {
    incarnation ^ (sender << 22)
}

const _: () = assert!(MAX_SLOTS <= 1 << 10);

/// The offset of the payload of the record number `number`; `None` if the record
/// names a block that the sender of the lane has not claimed for this record.
#[inline]
pub fn payload<M: Memory>(
    memory: &M,
    layout: &Layout,
    lane: Lane,
    record: &Record,
    number: u32,
) -> Option<usize> {
    match record.block {
        None => Some(record.payload),
        Some(block) if record.header.kind == Kind::Shared => {
            shared_payload(memory, layout, lane, block)
        }
        Some(block) => block_payload(memory, layout, lane, block, number),
    }
}

fn block_payload<M: Memory>(
    memory: &M,
    layout: &Layout,
    lane: Lane,
    block: Block,
    number: u32,
) -> Option<usize> {
    let is_mine = |owner: Owner| {
        owner.is_of(Use::Block, lane.class.is_control(), lane.sender) && owner.number == number
    };

    if block.pool != lane.receiver {
        return None;
    }

    all_chunks(memory, layout, block, is_mine).then(|| layout.chunk(block.pool, block.chunk))
}

fn shared_payload<M: Memory>(
    memory: &M,
    layout: &Layout,
    lane: Lane,
    block: Block,
) -> Option<usize> {
    let table = table_chunks(layout);
    let is_mine = |owner: Owner| owner.is_of(Use::Shared, lane.class.is_control(), lane.sender);
    let whole = Block {
        count: block.count + table,
        ..block
    };

    if block.pool != lane.sender {
        return None;
    }

    all_chunks(memory, layout, whole, is_mine)
        .then(|| layout.chunk(block.pool, block.chunk + table))
}

/// Whether all chunks of a block lie in the pool, and have an owner that
/// `is_mine` accepts.
fn all_chunks<M: Memory>(
    memory: &M,
    layout: &Layout,
    block: Block,
    is_mine: impl Fn(Owner) -> bool,
) -> bool {
    let end = block.chunk.checked_add(block.count);
    let Some(end) = end.filter(|&end| end <= layout.sizes.chunks) else {
        return false;
    };

    (block.chunk..end).all(|chunk| {
        let word = memory.load(layout.owner(block.pool, chunk), Acquire);

        Owner::unpack(word).is_some_and(&is_mine)
    })
}

/// The number of chunks before the payload of a shared block. They contain a
/// word for each receiver, which says where its record is.
#[inline]
pub fn table_chunks(layout: &Layout) -> u32 {
    (layout.sizes.slots * 8).div_ceil(CHUNK)
}

/// How far the receiver of a lane has come.
pub fn place<M: Memory>(memory: &M, layout: &Layout, lane: Lane) -> Place {
    match memory.load(layout.lane(lane) + offset_of!(LaneHead, place), Acquire) {
        0 => Place::Closed(initial_number(lane)),
        word => Place::unpack(word),
    }
}

/// The number of the first record of a lane. It is even and less than 65536.
///
/// Lanes to one receiver begin with different numbers. So if two senders use the
/// same chunk, because another process has overwritten its owner word, the
/// receiver mostly finds numbers that do not fit; see also [`addressee`].
pub fn initial_number(lane: Lane) -> u32 {
    let index = lane.sender * 2 + u32::from(lane.class.is_control());

    index.wrapping_mul(40_503) & 0xfffe
}

/// Where the sender has opened a lane last; `None` if the lane was never
/// opened, or if the word does not lead to a chunk of the lane.
pub fn first<M: Memory>(memory: &M, layout: &Layout, lane: Lane) -> Option<First> {
    let word = memory.load(layout.lane(lane) + offset_of!(LaneHead, first), Acquire);

    First::unpack(word).filter(|first| first.chunk < layout.sizes.chunks)
}
