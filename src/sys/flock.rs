//! Locks of directories between processes, `flock(2)`.

use std::ffi::c_int;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;

use super::time;

/// The number of times that the library tries to take a lock.
const TRIES: usize = 20;
/// Milliseconds between two tries.
const RETRY: usize = 50;

/// A lock, which is released when this value is dropped, or when the process exits.
pub struct FileLock(OwnedFd);

impl Drop for FileLock {
    fn drop(&mut self) {
        let _ = flock(&self.0, libc::LOCK_UN);
    }
}

/// Takes the lock of a file that is open.
///
/// Fails with EWOULDBLOCK if another process has the lock for a second: another user may have
/// taken it to stop this program.
pub fn lock_soon(file: OwnedFd) -> Result<FileLock, Errno> {
    for _ in 0..TRIES {
        match flock(&file, libc::LOCK_EX | libc::LOCK_NB) {
            Ok(()) => return Ok(FileLock(file)),
            Err(Errno::EWOULDBLOCK | Errno::EINTR) => time::pause(RETRY),
            Err(err) => return Err(err),
        }
    }

    Err(Errno::EWOULDBLOCK)
}

fn flock(file: &OwnedFd, operation: c_int) -> Result<(), Errno> {
    // SAFETY: flock() accesses no memory.
    Errno::result(unsafe { libc::flock(file.as_raw_fd(), operation) }).map(drop)
}
