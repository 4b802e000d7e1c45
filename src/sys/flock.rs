//! Locks of directories between processes, `flock(2)`.

use std::os::fd::OwnedFd;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::time;

/// The number of times that the library tries to take a lock.
const TRIES: usize = 20;
/// Milliseconds between two tries.
const RETRY: usize = 50;

/// Takes the lock of a file that is open. The lock is released when the result is dropped, or
/// when the process exits.
///
/// Fails with EWOULDBLOCK if another process has the lock for a second: another user may have
/// taken it to stop this program.
pub fn lock_soon(mut file: OwnedFd) -> Result<Flock<OwnedFd>, Errno> {
    for _ in 0..TRIES {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err((unlocked, Errno::EWOULDBLOCK)) => file = unlocked,
            Err((_, err)) => return Err(err),
        }

        time::pause(RETRY);
    }

    Err(Errno::EWOULDBLOCK)
}
