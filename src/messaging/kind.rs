//! What a message is, apart from its payload.

/// The type of a record that is a reply.
pub const REPLY: u16 = u16::MAX;
/// The number of nanoseconds in a millisecond.
pub const MILLISECOND: u64 = 1_000_000;

/// What a message is, apart from its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The number of the type.
    pub number: u16,
    /// Whether the message overtakes other messages.
    pub control: bool,
    /// Whether only the process that runs now may get the message, and not its
    /// replacement.
    pub exact: bool,
    /// Whether a message with a key is dropped while another one with this key
    /// waits.
    pub once: bool,
    /// Whether the last broadcast is kept for processes that come later.
    pub retained: bool,
    /// Whether descriptors can come with a message.
    pub descriptors: bool,
    /// Whether the time to the handler is measured for each message, and not only
    /// for some.
    pub timed: bool,
}

/// The bit in the number of a record that says that the number is that of the
/// entry of a key, and not that of a request.
pub const KEYED: u32 = 1 << 31;
/// The bit that says that the number is the version of a message that is kept.
pub const KEPT: u32 = 1 << 30;
/// The bit that says that the number is that of a datagram with descriptors.
pub const WITH_DESCRIPTORS: u32 = 1 << 29;
