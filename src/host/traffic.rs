//! The counters of messages of one process.

/// The counters of one process since the program has started. They belong to the
/// slot: a process that is started again continues them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traffic {
    /// Messages that the process has sent.
    pub sent: usize,
    /// Messages that it could not send, because a receiver was full.
    pub refused: usize,
    /// Messages that it has received.
    pub received: usize,
    /// Messages that wait for it.
    pub waiting: usize,
    /// The largest number of messages of one sender that waited for it.
    pub deepest: usize,
    /// Messages to it that were lost.
    pub lost: usize,
    /// Messages that it has received and dropped, because it had no handler.
    pub unknown: usize,
}
