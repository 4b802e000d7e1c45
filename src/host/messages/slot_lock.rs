//! The lock that a process holds while it changes slots of the region that are not its
//! own, in a program whose master does not use the region.
//!
//! Elsewhere only the master changes them. The lock is in shared memory. A process takes it
//! over if its owner is dead.

use std::mem;
use std::ptr::NonNull;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use crate::host::lock_owner;
use crate::message::mapped::Mapped;
use crate::message::memory::Memory;
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

/// Calls `change` while no other process changes slots that are not its own. `None` if
/// there is no lock.
pub fn with<T>(change: impl FnOnce() -> T) -> Option<T> {
    let words = NonNull::new(WORDS.load(Relaxed) as *mut ngx_shmtx_sh_t)?;
    // SAFETY: `make` has mapped zeros there, which are a lock that is free, and nothing
    // unmaps them.
    let lock = lock_owner::lock_of(unsafe { words.as_ref() });

    lock.lock(lock_owner::own(), lock_owner::log);

    let result = change();

    lock.unlock(lock_owner::unchecked(), lock_owner::log);
    Some(result)
}
