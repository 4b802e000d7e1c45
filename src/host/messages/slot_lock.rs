//! The lock that a process holds while it changes slots of the region that are not its
//! own, in a program whose master does not use the region.
//!
//! Elsewhere only the master changes them. The lock is in shared memory. A process takes it
//! over if its owner is dead, and gives up after a while if the owner is stopped, or if a
//! process has overwritten the lock: no process can make the master wait for ever.

use std::mem;
use std::ptr::NonNull;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use crate::host::lock_owner;
use crate::log::Level;
use crate::message::mapped::Mapped;
use crate::message::memory::Memory;
use crate::sys::time;
use crate::zone::shmtx::ngx_shmtx_sh_t;

/// The address of the lock's words; 0 until the master has made them.
static WORDS: AtomicUsize = AtomicUsize::new(0);

/// In the master, before its first fork: makes the lock, unless it is there. Fails like
/// [`Mapped::new`].
pub fn make() -> Result<(), Errno> {
    if WORDS.load(Relaxed) != 0 {
        return Ok(());
    }

    let size = size_of::<ngx_shmtx_sh_t>();
    let memory = Mapped::new(size, 0)?;
    let words = (&memory).address(0, size).ok_or(Errno::ENOMEM)?;

    WORDS.store(words.addr().get(), Relaxed);
    // The words are never unmapped.
    mem::forget(memory);

    Ok(())
}

/// How often a process looks whether the lock is free, and the milliseconds in between.
const ATTEMPTS: u32 = 1000;
const PAUSE: usize = 1;

/// Calls `change` while no other process changes slots that are not its own. `None` if
/// there is no lock, or, with an alert in the log, if another process holds it for more
/// than a second.
pub fn with<T>(change: impl FnOnce() -> T) -> Option<T> {
    if WORDS.load(Relaxed) == 0 {
        return None;
    }

    let result = try_often(ATTEMPTS, change);

    if result.is_none() {
        lock_owner::log().error(
            Level::Alert,
            None,
            format_args!("another process holds the lock of the slots of messages"),
        );
    }

    result
}

/// Like [`with`], but does not wait for another process and logs nothing: the caller tries
/// again later.
pub fn try_with<T>(change: impl FnOnce() -> T) -> Option<T> {
    try_often(1, change)
}

fn try_often<T>(attempts: u32, change: impl FnOnce() -> T) -> Option<T> {
    let words = NonNull::new(WORDS.load(Relaxed) as *mut ngx_shmtx_sh_t)?;
    // SAFETY: `make` has mapped zeros there, which are a lock that is free, and nothing
    // unmaps them.
    let lock = lock_owner::lock_of(unsafe { words.as_ref() });

    let has_lock = (0..attempts).any(|attempt| {
        if attempt > 0 {
            time::pause(PAUSE);
        }

        lock.try_lock(lock_owner::own(), lock_owner::log)
    });

    if !has_lock {
        return None;
    }

    let result = change();

    lock.unlock(lock_owner::unchecked(), lock_owner::log);
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::process;
    use crate::zone::owner;
    use std::sync::atomic::AtomicU64;

    /// Another process that runs, and one that does not, hold the lock.
    #[test]
    fn nobody_waits_for_ever() {
        assert_eq!(make(), Ok(()));

        let words = NonNull::new(WORDS.load(Relaxed) as *mut AtomicU64).unwrap();
        // SAFETY: `make` has mapped the words, the first of which is the owner.
        let word = unsafe { words.as_ref() };
        let dead = i32::MAX;

        assert_eq!(with(|| 1), Some(1));

        word.store(owner::number(process::getppid(), 0), Relaxed);
        assert_eq!(try_with(|| 2), None);
        assert_eq!(with(|| 2), None);

        word.store(owner::number(dead, 0), Relaxed);
        assert_eq!(with(|| 3), Some(3));
        assert_eq!(try_with(|| 4), Some(4));
        assert_eq!(word.load(Relaxed), 0);
    }
}
