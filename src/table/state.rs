//! The state of a slot. The headers get the numbers from here.

use std::ffi::c_int;

/// The slot has no process.
pub const NGX_IPC_EMPTY: c_int = 0;
/// The process runs.
pub const NGX_IPC_RUNNING: c_int = 1;
/// The process has been told to exit.
pub const NGX_IPC_EXITING: c_int = 2;
/// The process has exited and will be started again.
pub const NGX_IPC_WAITING: c_int = 3;

/// The state of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum State {
    /// The slot has no process.
    Empty = NGX_IPC_EMPTY,
    /// The process runs.
    Running = NGX_IPC_RUNNING,
    /// The process has been told to exit.
    Exiting = NGX_IPC_EXITING,
    /// The process has exited, or could not be started, and will be started
    /// again: the slot is reserved for it.
    Waiting = NGX_IPC_WAITING,
}
