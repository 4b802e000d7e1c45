//! The states of a slot. The C headers get the NGX_IPC_ constants from this
//! file.

use std::ffi::c_int;

/// The slot has no process.
pub const NGX_IPC_EMPTY: c_int = 0;
/// The slot's process runs.
pub const NGX_IPC_RUNNING: c_int = 1;
/// The slot's process has been told to exit and has not exited yet.
pub const NGX_IPC_EXITING: c_int = 2;
/// The slot's process has exited, or could not be started. The master starts
/// the process later.
pub const NGX_IPC_WAITING: c_int = 3;

/// The state of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum State {
    /// The slot has no process.
    Empty = NGX_IPC_EMPTY,
    /// The slot's process runs.
    Running = NGX_IPC_RUNNING,
    /// The slot's process has been told to exit and has not exited yet.
    Exiting = NGX_IPC_EXITING,
    /// The slot's process has exited, or could not be started. The slot is
    /// reserved, and the master starts the process later.
    Waiting = NGX_IPC_WAITING,
}
