//! How a process ends: the exit code of a closure, and the status that the parent gets.

use std::any::Any;
use std::ffi::c_int;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};

use crate::host::standalone::cycle::Cycle;
use crate::log::Level;
use crate::process::reap;
use crate::sys::{process, stdout};

/// The exit code of a process whose closure has panicked. It is the code of a Rust
/// program whose main() has panicked.
pub const PANICKED: u8 = 101;

/// The exit code of a process whose closure has returned an error.
pub const FAILED: u8 = 1;

/// The exit code of a process that could not be set up. A process that exits with
/// this code is not started again, as in nginx.
pub const NOT_SET_UP: u8 = 2;

/// The result of a closure that a process runs.
///
/// `()` is the exit code 0, and a `u8` is the exit code itself. An `Err` is logged, and
/// the exit code is 1. A process that exits with the code 2 is not started again, as in
/// nginx.
pub trait IntoExitCode {
    /// Returns the exit code of the process.
    fn into_exit_code(self) -> u8;
}

impl IntoExitCode for () {
    fn into_exit_code(self) -> u8 {
        0
    }
}

impl IntoExitCode for u8 {
    fn into_exit_code(self) -> u8 {
        self
    }
}

impl<T: IntoExitCode, E: fmt::Display> IntoExitCode for Result<T, E> {
    fn into_exit_code(self) -> u8 {
        match self {
            Ok(value) => value.into_exit_code(),
            Err(err) => {
                log(Level::Err, format_args!("process failed: {err}"));
                FAILED
            }
        }
    }
}

/// How a process has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// The process has exited with this code.
    Code(u8),
    /// This signal has ended the process.
    Signal(i32),
    /// Other code of this program has reaped the process, so the program does not know
    /// how it has ended.
    Unknown,
}

impl Exit {
    /// Makes the value of `status`, as `wait(2)` returns it, or [`reap::UNKNOWN`].
    pub(super) fn of_status(status: c_int) -> Self {
        if status == reap::UNKNOWN {
            Self::Unknown
        } else if libc::WIFSIGNALED(status) {
            Self::Signal(libc::WTERMSIG(status))
        } else {
            // The kernel keeps 8 bits of the exit code.
            Self::Code(libc::WEXITSTATUS(status) as u8)
        }
    }

    /// Returns true if the process has exited with the code 0.
    #[must_use]
    pub fn is_success(self) -> bool {
        self == Self::Code(0)
    }
}

/// Calls `f`. If `f` panics, logs an alert and ends the process with [`PANICKED`]: a
/// panic must not unwind into C code, and the data of `f` can be half changed.
pub fn guard<T>(f: impl FnOnce() -> T) -> T {
    match panic::catch_unwind(AssertUnwindSafe(f)) {
        Ok(value) => value,
        Err(payload) => {
            log(Level::Alert, format_args!("panic: {}", text(&*payload)));
            exit(PANICKED)
        }
    }
}

/// Ends the process with an exit code. The exit is that of C, which does not know
/// Rust's buffer of stdout.
pub fn exit(code: u8) -> ! {
    stdout::flush();
    process::exit(code.into())
}

/// Writes a line to the log of the program.
pub fn log(level: Level, text: fmt::Arguments<'_>) {
    Cycle::log_of(Cycle::current()).error(level, None, text);
}

/// The message of a panic.
fn text(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "no message"
    }
}
