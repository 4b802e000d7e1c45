//! nginx's `ngx_shmtx_t`: a lock that one process holds at a time.
//!
//! The word `lock` is 0, or the number of the process that holds the lock, see
//! [`owner`]. Only these changes happen to the word:
//!
//! - A process changes 0 to its own number with a compare-and-set: it takes the lock.
//! - The process that holds the lock stores 0, or the number of a process that waits.
//! - A process changes the number of a dead process to its own number, or
//!   `ngx_shmtx_force_unlock()` to 0, with a compare-and-set. So exactly one process takes
//!   the lock over.
//!
//! Nothing changes the number of a running process but this process itself. So it need not
//! release the lock with a compare-and-set: a plain store, after a look at the word, is
//! enough. The store has the order `Release`, and each change that takes the lock has the
//! order `Acquire`. So a process that takes the lock sees what the last owner has written.
//!
//! [`wait`] explains how processes sleep, and why no wake-up is lost.

#![allow(non_camel_case_types)]

use std::mem::offset_of;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicU64, fence};

use super::owner::{self, pid_of};
use super::wait::{self, Waiter};
use crate::config::{ngx_pid_t, ngx_uint_t};
use crate::log::{Debug, Log};
#[cfg(ngx_have_posix_sem)]
use crate::sys::futex::Semaphore;

/// The value of `spin` of a lock without sleep.
const NO_SLEEP: ngx_uint_t = ngx_uint_t::MAX;
/// The value of `spin` of any other lock. It is nginx's.
const SPIN: ngx_uint_t = 2048;

/// Where the addresses of its words are in a lock.
pub const WORDS_AT: &[usize] = &[
    offset_of!(ngx_shmtx_t, lock),
    #[cfg(ngx_have_posix_sem)]
    offset_of!(ngx_shmtx_t, wait),
];

/// How [`ngx_shmtx_t::lock`] has taken the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The last owner has released the lock.
    Released,
    /// The owner with this pid has exited and has not released the lock. So the data that
    /// the lock protects can be half changed.
    FromDead(ngx_pid_t),
    /// This process has held the lock already. It must release the lock only once.
    Already,
}

/// Returns the log for alerts and debug lines. A process that finds a lock free does not
/// need the log, and each look at it would take as long as half of the operation.
pub type GetLog = fn() -> Log;

/// The part of a lock that is in shared memory.
#[repr(C)]
pub struct ngx_shmtx_sh_t {
    lock: AtomicU64,
    #[cfg(ngx_have_posix_sem)]
    wait: AtomicU64,
}

impl ngx_shmtx_sh_t {
    /// Takes the lock if it is free. Returns whether this process has the lock now.
    #[inline(always)]
    pub fn take(&self, own: u64) -> bool {
        self.lock.compare_exchange(0, own, Acquire, Relaxed).is_ok()
    }

    /// Releases the lock, which this process holds.
    #[inline(always)]
    pub fn release(&self, own: u64, log: GetLog) {
        release(&self.lock, self.wait(), own, log);
    }

    /// The number of the process that holds the lock; 0 if none does.
    pub fn owner(&self) -> u64 {
        self.lock.load(Relaxed)
    }

    fn wait(&self) -> Option<&AtomicU64> {
        #[cfg(ngx_have_posix_sem)]
        return Some(&self.wait);

        #[cfg(not(ngx_have_posix_sem))]
        return None;
    }
}

/// A lock.
#[repr(C)]
pub struct ngx_shmtx_t {
    /// The word with the owner. `None` if the lock was not created.
    lock: Option<&'static AtomicU64>,
    /// The word for processes that sleep. `None` if the lock has none.
    #[cfg(ngx_have_posix_sem)]
    wait: Option<&'static AtomicU64>,
    #[cfg(ngx_have_posix_sem)]
    semaphore: ngx_uint_t,
    /// Room for nginx's semaphore, which is not used.
    #[cfg(ngx_have_posix_sem)]
    sem: Semaphore,
    /// Before it sleeps, a process pauses between attempts to take the lock: 1 step, then 2,
    /// 4 and so on, below this number.
    spin: ngx_uint_t,
}

impl ngx_shmtx_t {
    /// Makes a lock of `words`, see `ngx_shmtx_create()`.
    pub fn create(&mut self, words: &'static ngx_shmtx_sh_t) {
        let sleeps = self.spin != NO_SLEEP;

        self.lock = Some(&words.lock);

        #[cfg(ngx_have_posix_sem)]
        {
            self.wait = sleeps.then_some(&words.wait);
            self.semaphore = sleeps.into();
        }

        if sleeps {
            self.spin = SPIN;
        }
    }

    /// Takes the lock if it is free. Also takes it if its owner has exited; the function
    /// looks for the owner of one lock some ten times in a second at most. Returns whether
    /// this process has the lock now.
    ///
    /// `own` is the number of this process, or `None` if it is not known yet, see [`owner`].
    #[inline]
    pub fn try_lock(&self, own: Option<u64>, log: GetLog) -> bool {
        if let (Some(lock), Some(own)) = (self.lock, own)
            && take(lock, own)
        {
            return true;
        }

        self.try_dead(own, log)
    }

    /// Takes the lock, and waits as long as another running process holds it. `own` is as in
    /// [`Self::try_lock`].
    #[inline]
    pub fn lock(&self, own: Option<u64>, log: GetLog) -> Taken {
        if let (Some(lock), Some(own)) = (self.lock, own)
            && lock.compare_exchange(0, own, Acquire, Relaxed).is_ok()
        {
            return Taken::Released;
        }

        self.wait_for_lock(own, log)
    }

    /// Releases the lock. Logs an alert, and changes nothing, if this process does not hold
    /// the lock. `own` is the number of this process, or that of no process, if it is not
    /// known yet.
    #[inline]
    pub fn unlock(&self, own: u64, log: GetLog) {
        match self.lock {
            Some(lock) if lock.load(Relaxed) == own => release(lock, self.wait(), own, log),
            _ => self.unlock_or_refuse(own, log),
        }
    }

    /// Releases the lock if the process `pid` has held it and has exited, or if it is this
    /// process. Returns whether it has released the lock. `own` is as in
    /// [`Self::try_lock`].
    pub fn force_unlock(&self, pid: ngx_pid_t, own: Option<u64>, log: GetLog) -> bool {
        log().debug(Debug::Core, format_args!("shmtx forced unlock"));

        let Some(lock) = self.lock else { return false };
        let owner = lock.load(Relaxed);

        if owner == 0 || pid_of(owner) != pid {
            return false;
        }

        let own = own.unwrap_or_else(owner::find_out);

        if owner != own && !owner::has_exited(owner) {
            return false;
        }

        let is_released = lock.compare_exchange(owner, 0, SeqCst, Relaxed).is_ok();

        match self.wait() {
            Some(wait) if is_released && wait.load(SeqCst) != 0 => wake(lock, wait, own, log),
            _ => {}
        }

        is_released
    }

    /// Whether the process `pid` has held the lock and has exited.
    pub fn is_left_by(&self, pid: ngx_pid_t) -> bool {
        let owner = self.lock.map_or(0, |lock| lock.load(Relaxed));

        owner != 0 && pid_of(owner) == pid && owner::has_exited(owner)
    }

    /// The word for processes that sleep.
    #[inline]
    fn wait(&self) -> Option<&AtomicU64> {
        #[cfg(ngx_have_posix_sem)]
        return self.wait;

        #[cfg(not(ngx_have_posix_sem))]
        return None;
    }

    /// Waits for the lock, and takes it.
    #[cold]
    #[inline(never)]
    fn wait_for_lock(&self, own: Option<u64>, log: GetLog) -> Taken {
        let log = log();

        log.debug(Debug::Core, format_args!("shmtx lock"));

        let Some(lock) = self.lock else {
            return Taken::Released;
        };
        let own = own.unwrap_or_else(owner::find_out);

        if lock.load(Relaxed) == own {
            log.refuse(format_args!(
                "shmtx lock: process {} holds the lock already",
                pid_of(own)
            ));
            return Taken::Already;
        }

        if self.spins(lock, own) {
            return Taken::Released;
        }

        let mut waiter = Waiter::new(self.wait(), own);
        let taken = self.sleep(lock, &mut waiter, log);

        waiter.end();
        taken
    }

    /// Sleeps until this process has the lock.
    fn sleep(&self, lock: &AtomicU64, waiter: &mut Waiter<'_>, log: Log) -> Taken {
        let own = waiter.own;

        loop {
            let registered = waiter.register();

            if has(lock, own) {
                return Taken::Released;
            }

            let owner = lock.load(Relaxed);

            log.debug(Debug::Core, format_args!("shmtx wait {registered}"));
            let is_over = waiter.sleep(registered);
            log.debug(Debug::Core, format_args!("shmtx awoke"));

            if is_over && lock.load(Relaxed) == owner && take_over(lock, owner, own, log) {
                return Taken::FromDead(pid_of(owner));
            }

            if self.spins(lock, own) {
                return Taken::Released;
            }
        }
    }

    /// Tries to take the lock several times, with pauses.
    fn spins(&self, lock: &AtomicU64, own: u64) -> bool {
        let steps = if self.spin == NO_SLEEP { 0 } else { self.spin };

        wait::spin(steps, || has(lock, own))
    }

    /// Takes the lock if its owner has exited.
    #[cold]
    #[inline(never)]
    fn try_dead(&self, own: Option<u64>, log: GetLog) -> bool {
        let Some(lock) = self.lock else { return false };
        let own = own.unwrap_or_else(owner::find_out);
        let owner = lock.load(Relaxed);

        if owner == 0 {
            return take(lock, own);
        }

        owner != own && owner::is_time_to_look(lock) && take_over(lock, owner, own, log())
    }

    /// Releases the lock of a process whose number was unknown, or logs that this process
    /// does not hold the lock.
    #[cold]
    #[inline(never)]
    fn unlock_or_refuse(&self, own: u64, log: GetLog) {
        let own = owner::checked(own);

        match self.lock {
            Some(lock) if lock.load(Relaxed) == own => release(lock, self.wait(), own, log),
            lock => refuse(lock.map_or(0, |lock| lock.load(Relaxed)), log()),
        }
    }
}

/// Releases a lock that this process holds.
#[inline(always)]
fn release(lock: &AtomicU64, wait: Option<&AtomicU64>, own: u64, log: GetLog) {
    lock.store(0, Release);

    if let Some(wait) = wait
        && wait.load(Relaxed) != 0
    {
        wake(lock, wait, own, log);
    }
}

/// Wakes up a process after a release.
///
/// If the lock must be handed to a process that has waited for long, takes the lock
/// again first: as long as this process holds the lock, that process cannot take the
/// lock in another way, and release it, so that it would not know that it has the
/// lock.
#[cold]
#[inline(never)]
fn wake(lock: &AtomicU64, wait: &AtomicU64, own: u64, log: GetLog) {
    let value = wait.load(Relaxed);

    log().debug(Debug::Core, format_args!("shmtx wake {value}"));

    if !wait::is_number(value) {
        wait::wake(wait);
        return;
    }

    // If another process has just taken the lock, that process sees the number when it
    // releases the lock.
    if !take(lock, own) {
        return;
    }

    let is_accepted = wait::accept(wait, value) && !owner::has_exited(value);
    let next = if is_accepted { value } else { 0 };

    lock.store(next, Release);
    wait::wake_all(wait);
}

/// Logs that another process holds the lock, or none.
fn refuse(owner: u64, log: Log) {
    match owner {
        0 => log.refuse(format_args!("shmtx unlock: the lock is free")),
        owner => log.refuse(format_args!(
            "shmtx unlock: process {} holds the lock",
            pid_of(owner)
        )),
    };
}

/// Takes a lock if it is free.
#[inline]
fn take(lock: &AtomicU64, own: u64) -> bool {
    lock.load(Relaxed) == 0 && lock.compare_exchange(0, own, Acquire, Relaxed).is_ok()
}

/// Whether a process that waits has the lock: it takes the lock now, or the last owner has
/// handed it over.
fn has(lock: &AtomicU64, own: u64) -> bool {
    if lock.load(Relaxed) == own {
        fence(Acquire);
        return true;
    }

    take(lock, own)
}

/// Takes the lock of `owner`, if it has exited. Of several processes that try this, one has
/// success.
fn take_over(lock: &AtomicU64, owner: u64, own: u64, log: Log) -> bool {
    if owner == 0
        || !owner::has_exited(owner)
        || lock.compare_exchange(owner, own, Acquire, Relaxed).is_err()
    {
        return false;
    }

    log.refuse(format_args!(
        "shmtx lock: process {} has exited and held the lock",
        pid_of(owner)
    ));

    true
}
