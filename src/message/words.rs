//! The words of the region: how their numbers are packed into 64 bits, so that
//! one atomic access reads or writes all numbers that belong together.

use super::class::Class;

/// The bits `from..from + bits` of a word.
#[inline]
const fn part(word: u64, from: u32, bits: u32) -> u32 {
    ((word >> from) & ((1 << bits) - 1)) as u32
}

/// What a record in a lane is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A message; its payload follows the header.
    Small = 1,
    /// A message; its payload lies in a block of the receiver's pool.
    Large = 2,
    /// A message; its payload lies in a block that several receivers share.
    Shared = 3,
    /// The process that sends in this lane from here on.
    Mark = 4,
    /// The lane continues in another chunk.
    Link = 5,
    /// The lane has no further record until it is opened again.
    Close = 6,
    /// The time at which the message that follows was sent.
    Time = 7,
}

impl Kind {
    #[inline]
    fn from_bits(bits: u32) -> Option<Self> {
        Some(match bits {
            1 => Self::Small,
            2 => Self::Large,
            3 => Self::Shared,
            4 => Self::Mark,
            5 => Self::Link,
            6 => Self::Close,
            7 => Self::Time,
            _ => return None,
        })
    }
}

/// The first word of a record. It is 0 until the record is committed.
///
/// | bits | contents |
/// | --- | --- |
/// | 0 to 3 | [`Kind`], never 0 |
/// | 4 | the message is for one incarnation of the receiver only |
/// | 8 to 31 | the length of the payload in bytes; the next chunk of a `Link` |
/// | 32 to 47 | the type of the message |
/// | 48 to 63 | the low bits of the record's number |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the record is.
    pub kind: Kind,
    /// Only the incarnation in the second word may take the message.
    pub exact: bool,
    /// The length of the payload in bytes, or the next chunk of a `Link`.
    pub len: u32,
    /// The type of the message.
    pub message_type: u16,
    /// The low 16 bits of the record's number.
    pub number: u16,
}

impl Header {
    /// Packs the header.
    #[inline]
    pub fn pack(self) -> u64 {
        self.kind as u64
            | (u64::from(self.exact) << 4)
            | (u64::from(self.len & 0xff_ffff) << 8)
            | (u64::from(self.message_type) << 32)
            | (u64::from(self.number) << 48)
    }

    /// The length and the type of a small message.
    #[inline]
    pub fn small(word: u64) -> (u32, u16) {
        (part(word, 8, 24), (word >> 32) as u16)
    }

    /// Unpacks a header; `None` if the kind is unknown.
    #[inline]
    pub fn unpack(word: u64) -> Option<Self> {
        Some(Self {
            kind: Kind::from_bits(part(word, 0, 4))?,
            exact: part(word, 4, 1) != 0,
            len: part(word, 8, 24),
            message_type: (word >> 32) as u16,
            number: (word >> 48) as u16,
        })
    }
}

/// A word that consists of two numbers.
#[inline]
pub fn pair(low: u32, high: u32) -> u64 {
    u64::from(low) | (u64::from(high) << 32)
}

/// The two numbers of a word.
#[inline]
pub fn unpair(word: u64) -> (u32, u32) {
    (word as u32, (word >> 32) as u32)
}

/// What a chunk is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Use {
    /// It contains records of a lane.
    Lane = 1,
    /// It is part of a block with the payload of one record.
    Block = 2,
    /// It is part of a block that the owner of the pool shares with several
    /// receivers.
    Shared = 3,
}

/// The owner word of a chunk; 0 if the chunk is free.
///
/// | bits | contents |
/// | --- | --- |
/// | 0 to 1 | [`Use`], never 0 |
/// | 2 | the lane is a control lane |
/// | 3 to 12 | the slot of the sender |
/// | 13 to 31 | the low bits of the sender's incarnation |
/// | 32 to 63 | the number of the first record in the chunk, or of the record whose payload the block is |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// What the chunk is used for.
    pub usage: Use,
    /// Whether the lane is a control lane.
    pub control: bool,
    /// The slot of the sender.
    pub slot: u32,
    /// The incarnation of the sender, modulo 2^19.
    pub incarnation: u32,
    /// The number of the record.
    pub number: u32,
}

impl Owner {
    /// The number of bits of the sender's incarnation that the word has.
    pub const INCARNATION_BITS: u32 = 19;

    /// Packs the owner.
    #[inline]
    pub fn pack(self) -> u64 {
        self.usage as u64
            | (u64::from(self.control) << 2)
            | (u64::from(self.slot & 0x3ff) << 3)
            | (u64::from(self.incarnation & 0x7_ffff) << 13)
            | (u64::from(self.number) << 32)
    }

    /// Unpacks an owner; `None` if the chunk is free.
    #[inline]
    pub fn unpack(word: u64) -> Option<Self> {
        Some(Self {
            usage: match part(word, 0, 2) {
                1 => Use::Lane,
                2 => Use::Block,
                3 => Use::Shared,
                _ => return None,
            },
            control: part(word, 2, 1) != 0,
            slot: part(word, 3, 10),
            incarnation: part(word, 13, 19),
            number: (word >> 32) as u32,
        })
    }

    /// The class of the lane.
    pub fn class(self) -> Class {
        if self.control {
            Class::Control
        } else {
            Class::Data
        }
    }

    /// Whether the sender in the slot `slot` has claimed the chunk for this use, in its
    /// control lane or in its data lane.
    #[inline]
    pub fn is_of(self, usage: Use, control: bool, slot: u32) -> bool {
        self.usage == usage && self.control == control && self.slot == slot
    }
}

/// A place in a lane: the record that is read or written next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The chunk, an index in the receiver's pool.
    pub chunk: u32,
    /// The offset of the record in the chunk, in bytes.
    pub offset: u32,
    /// The number of the record.
    pub number: u32,
}

impl Position {
    /// The position in a lane that is not open. Its chunk does not exist.
    pub fn nowhere(number: u32) -> Self {
        Self {
            chunk: u32::MAX,
            offset: 0,
            number,
        }
    }
}

/// How far the receiver of a lane has come. The receiver writes this word; it
/// is 0 in a lane that was never used, and never becomes 0 again.
///
/// | bits | contents |
/// | --- | --- |
/// | 0 to 31 | the number of the next record |
/// | 32 to 47 | the chunk |
/// | 48 to 55 | the offset in the chunk, in units of 16 bytes |
/// | 61 | the lane is closed |
/// | 62 | the receiver has found damage, and waits until the lane is opened again |
/// | 63 | the lane is open: the chunk and the offset are valid |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The next record is at this position.
    Open(Position),
    /// The lane is closed; the next record will have this number.
    Closed(u32),
    /// The lane was damaged at the record with this number.
    Damaged(u32),
}

impl Place {
    /// Packs the place.
    #[inline]
    pub fn pack(self) -> u64 {
        match self {
            Self::Open(at) => {
                u64::from(at.number)
                    | (u64::from(at.chunk & 0xffff) << 32)
                    | (u64::from((at.offset / 16) & 0xff) << 48)
                    | (1 << 63)
            }
            Self::Closed(number) => u64::from(number) | (1 << 61),
            Self::Damaged(number) => u64::from(number) | (1 << 62),
        }
    }

    /// Unpacks a place. The chunk can lie outside the pool.
    #[inline]
    pub fn unpack(word: u64) -> Self {
        let number = word as u32;

        if word >> 63 != 0 {
            Self::Open(Position {
                chunk: part(word, 32, 16),
                offset: part(word, 48, 8) * 16,
                number,
            })
        } else if part(word, 62, 1) != 0 {
            Self::Damaged(number)
        } else {
            Self::Closed(number)
        }
    }

    /// The number of the next record.
    #[inline]
    pub fn number(self) -> u32 {
        match self {
            Self::Open(at) => at.number,
            Self::Closed(number) | Self::Damaged(number) => number,
        }
    }
}

/// Where a lane was opened last: its first chunk, and the number of the first
/// record. The sender writes this word; it is 0 in a lane that was never used.
///
/// Bits 0 to 31 are the number, bits 32 to 47 the chunk; bit 63 is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct First {
    /// The chunk.
    pub chunk: u32,
    /// The number of the first record.
    pub number: u32,
}

impl First {
    /// Packs the word.
    #[inline]
    pub fn pack(self) -> u64 {
        u64::from(self.number) | (u64::from(self.chunk & 0xffff) << 32) | (1 << 63)
    }

    /// Unpacks the word; `None` if the lane was never opened.
    #[inline]
    pub fn unpack(word: u64) -> Option<Self> {
        (word >> 63 != 0).then(|| Self {
            chunk: part(word, 32, 16),
            number: word as u32,
        })
    }

    /// The position of the first record.
    #[inline]
    pub fn position(self) -> Position {
        Position {
            chunk: self.chunk,
            offset: 0,
            number: self.number,
        }
    }
}

/// Whether the record number `a` comes before `b`. Numbers wrap; two numbers in
/// use never differ by 2^31 or more.
#[inline]
pub fn is_before(a: u32, b: u32) -> bool {
    a.wrapping_sub(b) > u32::MAX / 2
}

/// The number of records from number `from` to the one before `to`; 0 if `to` comes
/// before `from`.
#[inline]
pub fn count_between(from: u32, to: u32) -> u32 {
    if is_before(to, from) {
        0
    } else {
        to.wrapping_sub(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive() {
        let header = Header {
            kind: Kind::Shared,
            exact: true,
            len: 0xab_cdef,
            message_type: 0x1234,
            number: 0xfedc,
        };
        assert_eq!(Header::unpack(header.pack()), Some(header));
        assert_eq!(Header::unpack(0), None);

        let owner = Owner {
            usage: Use::Block,
            control: true,
            slot: 1023,
            incarnation: 0x7_ffff,
            number: u32::MAX,
        };
        assert_eq!(Owner::unpack(owner.pack()), Some(owner));
        assert_eq!(Owner::unpack(0), None);

        let at = Position {
            chunk: 0xffff,
            offset: 4080,
            number: 7,
        };
        for place in [Place::Open(at), Place::Closed(9), Place::Damaged(u32::MAX)] {
            assert_eq!(Place::unpack(place.pack()), place);
        }

        let first = First {
            chunk: 3,
            number: u32::MAX,
        };
        assert_eq!(First::unpack(first.pack()), Some(first));
    }

    #[test]
    fn numbers_wrap() {
        assert!(is_before(1, 2));
        assert!(is_before(u32::MAX, 0));
        assert!(!is_before(2, 2));
        assert!(!is_before(0, u32::MAX));
        assert_eq!(count_between(u32::MAX, 2), 3);
        assert_eq!(count_between(2, u32::MAX), 0);
    }
}
