//! Why there is no answer, and the exit codes.

use std::fmt;

use nix::errno::Errno;

use crate::sys::other_process::OtherProcess;

/// The exit code if all is well.
pub const GOOD: u8 = 0;
/// The exit code if a zone is damaged.
pub const DAMAGED: u8 = 1;
/// The exit code if the arguments are wrong, or if the answer cannot be found out.
pub const UNAVAILABLE: u8 = 2;

/// Why there is no answer.
pub enum Failure {
    /// The reason is written to stderr already.
    Told,
    /// The process with this pid cannot be read.
    Read(i32, Errno),
    /// The answer cannot be written.
    Write(Errno),
    /// There is no memory for the answer.
    Memory,
}

/// A result of the program.
pub type Result<T = ()> = std::result::Result<T, Failure>;

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut with = |text: fmt::Arguments<'_>, err: Errno| {
            write!(f, "{text} ({}: {})", err as i32, err.desc())
        };

        match *self {
            Self::Told => Ok(()),
            Self::Read(pid, Errno::ENOENT | Errno::ESRCH) => {
                write!(f, "there is no process {pid}, or it has exited")
            }
            Self::Read(pid, Errno::EACCES | Errno::EPERM) => {
                write!(f, "no permission to read the memory of process {pid}")
            }
            Self::Read(pid, err) => with(
                format_args!("the memory of process {pid} cannot be read"),
                err,
            ),
            Self::Write(err) => with(format_args!("the output cannot be written"), err),
            Self::Memory => f.write_str("there is no memory"),
        }
    }
}

/// The process that is looked at.
pub struct Process {
    pid: i32,
    /// Its memory.
    pub memory: OtherProcess,
}

impl Process {
    /// Opens the memory of the process `pid`.
    pub fn open(pid: i32) -> Result<Self> {
        OtherProcess::open(pid)
            .map(|memory| Self { pid, memory })
            .map_err(|err| Failure::Read(pid, err))
    }

    /// Makes a failure of the error of a read.
    pub fn failed(&self) -> impl Fn(Errno) -> Failure + use<> {
        let pid = self.pid;

        move |err| Failure::Read(pid, err)
    }
}
