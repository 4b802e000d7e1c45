//! The process that holds the lock of a zone.

use std::fmt;

use nix::errno::Errno;

use super::find::Zone;
use crate::config::ngx_pid_t;
use crate::sys::other_process::OtherProcess;
use crate::sys::{heap, time};
use crate::zone::owner::{self, pid_of};

/// How often, and after how many milliseconds each, a lock that is held is looked at again.
const LOOKS: usize = 10;
const PAUSE: usize = 10;

/// What is known of the process that holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// The process runs.
    Runs,
    /// The process has exited. A process that waits for the lock takes it over, if the locks are
    /// those of this library.
    HasExited,
    /// The pid is one of another PID namespace.
    Unknown,
}

/// The word of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock(pub u64);

impl Lock {
    /// Reads the lock of the zone at `start`.
    pub fn read(process: &OtherProcess, start: usize) -> Result<Self, Errno> {
        let mut word = [0; size_of::<u64>()];

        // The word of the lock is the first field of a pool.
        process.read(start, &mut word)?;
        Ok(Self(u64::from_ne_bytes(word)))
    }

    /// Whether no process holds the lock.
    pub fn is_free(self) -> bool {
        self.0 == 0
    }

    /// The pid of the process that holds the lock.
    pub fn pid(self) -> ngx_pid_t {
        pid_of(self.0)
    }

    /// What is known of the process that holds the lock.
    pub fn holder(self, process: &OtherProcess) -> Holder {
        if !process.has_our_pids() {
            Holder::Unknown
        } else if owner::has_exited(self.0) {
            Holder::HasExited
        } else {
            Holder::Runs
        }
    }

    /// Whether a running process can be in the middle of an operation.
    pub fn is_in_use(self, process: &OtherProcess) -> bool {
        !self.is_free() && self.holder(process) != Holder::HasExited
    }
}

/// What was seen of a lock.
#[derive(Clone, Copy)]
pub struct Seen {
    lock: Lock,
    holder: Holder,
    /// How often the lock was looked at after the first look, and how often it was the same.
    looks: usize,
    same: usize,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lock.is_free() {
            return f.write_str("free");
        }

        let holder = match self.holder {
            Holder::Runs => "runs",
            Holder::HasExited => "has exited",
            Holder::Unknown => "another PID namespace",
        };

        write!(
            f,
            "held by {} ({holder}) at {} of {} looks in {} ms",
            self.lock.pid(),
            self.same + 1,
            self.looks + 1,
            self.looks * PAUSE
        )
    }
}

/// Looks at the locks of zones, in their order. If one is held, looks again some times, to tell a
/// lock that is held for long from one that is held now and then.
pub fn observe(process: &OtherProcess, zones: &[Zone<'_>]) -> Result<Vec<Seen>, Errno> {
    let mut seen = Vec::new();

    for zone in zones {
        let lock = Lock::read(process, zone.start)?;

        heap::push(
            &mut seen,
            Seen {
                lock,
                holder: Holder::Unknown,
                looks: 0,
                same: 0,
            },
        )?;
    }

    for _ in 0..LOOKS {
        if seen.iter().all(|seen| seen.lock.is_free()) {
            break;
        }

        time::pause(PAUSE);

        for (seen, zone) in seen.iter_mut().zip(zones) {
            let lock = Lock::read(process, zone.start)?;

            seen.looks += 1;
            seen.same += usize::from(lock == seen.lock);
        }
    }

    for seen in seen.iter_mut().filter(|seen| !seen.lock.is_free()) {
        seen.holder = seen.lock.holder(process);
    }

    Ok(seen)
}
