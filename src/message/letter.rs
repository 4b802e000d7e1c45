//! The arguments and the results of the functions that send.

use super::lane::Block;
use super::layout::Class;

/// The receiver of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The slot.
    pub slot: u32,
    /// The incarnation; `None` if a successor may take the message as well.
    pub incarnation: Option<u32>,
}

impl Target {
    /// Whether a message to this target is for the process with this incarnation.
    #[inline]
    pub fn is_for(&self, incarnation: u32) -> bool {
        self.incarnation.is_none_or(|meant| meant == incarnation)
    }
}

/// What a message is, besides its payload and its receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The class of the lane.
    pub class: Class,
    /// The type, a number that this directory does not interpret.
    pub message_type: u16,
    /// A number for the layer above, for example of a request.
    pub user: u32,
    /// Whether the receiver is told when the message was sent. That costs 16 bytes
    /// in the lane, and each side reads its clock.
    pub timed: bool,
}

/// Room for a message whose payload the caller builds in place.
#[must_use = "the receiver gets no other message until this one is committed or cancelled"]
#[derive(Clone, Copy, Debug)]
pub struct Reservation {
    /// The slot of the receiver.
    pub receiver: u32,
    /// What the message is.
    pub letter: Letter,
    /// What the record says of the message.
    pub envelope: Envelope,
    /// The room.
    pub spot: Spot,
}

impl Reservation {
    /// The offset of the payload in the region.
    pub fn payload(&self) -> usize {
        self.spot.payload
    }

    /// The length that was reserved, in bytes.
    pub fn len(&self) -> u32 {
        self.spot.len
    }

    /// Whether the payload has no bytes.
    pub fn is_empty(&self) -> bool {
        self.spot.len == 0
    }
}

/// What became of a broadcast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Broadcast {
    /// The number of processes to which the message was sent.
    pub sent: u32,
    /// The number of processes that it has missed.
    pub missed: u32,
}

/// How much of the memory of a receiver is in use, in chunks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// The records of this process that the receiver has not taken. Few of them
    /// carry no message.
    pub records: u32,
    /// The chunks that the data lane of this process uses.
    pub own: u32,
    /// The most chunks that it can use.
    pub limit: u32,
    /// The chunks in use for data of all senders, and for large broadcasts of the
    /// receiver.
    pub used: u32,
    /// The chunks for data.
    pub all: u32,
}

/// Why a message was not sent. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no room now. An event says when there is room again.
    Again,
    /// The payload is larger than the configured maximum.
    TooLarge,
    /// The receiver does not exist, or is not the one that was meant.
    Gone,
    /// Another message to this receiver is reserved and not committed yet.
    Reserved,
    /// This process has no memory to keep its side of the lane in.
    NoMemory,
}

/// What a record says of a message besides its payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// The type of the message, a number that this directory does not interpret.
    pub message_type: u16,
    /// A number for the layer above, for example of a request.
    pub user: u32,
    /// The incarnation of the receiver.
    pub incarnation: u32,
    /// Whether only this incarnation may take the message, and no successor.
    pub exact: bool,
}

impl Envelope {
    /// The envelope of a message to a target, whose process has this incarnation now.
    #[inline]
    pub fn new(target: Target, letter: Letter, incarnation: u32) -> Self {
        Self {
            message_type: letter.message_type,
            user: letter.user,
            incarnation,
            exact: target.incarnation.is_some(),
        }
    }
}

/// Room for one record.
#[derive(Clone, Copy, Debug)]
pub struct Spot {
    /// The offset of the payload in the region.
    pub payload: usize,
    /// The length of the payload in bytes.
    pub len: u32,
    /// The block with the payload, if it is not in the record.
    pub block: Option<Block>,
    /// Whether the block belongs to the sender, and others receive it as well.
    pub is_shared: bool,
    /// Whether the record before this one has the time.
    pub is_timed: bool,
}
