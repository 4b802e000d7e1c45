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
}
