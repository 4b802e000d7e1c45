//! `ngx_shmtx_t`: a process is killed after each instruction, and no other one hangs.

#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;

use ngx_ipc::log::Log;
use ngx_ipc::sys::log::RawLog;
use ngx_ipc::zone::owner::pid_of;
use ngx_ipc::zone::shmtx::ngx_shmtx_t;

use super::steps::{STEPS, Scene, Shared, dead, number};
use super::tracee::Tracee;

fn log() -> Log {
    Log::new(RawLog::none())
}

/// A lock of the words in the shared memory.
fn lock_of(shared: &'static Shared) -> ngx_shmtx_t {
    // SAFETY: zeros are valid for the lock, whose pointers can be NULL. The words have the
    // layout of `ngx_shmtx_sh_t`, and are never unmapped.
    unsafe {
        let mut lock = MaybeUninit::<ngx_shmtx_t>::zeroed().assume_init();

        lock.create(&*shared.words.as_ptr().cast());
        lock
    }
}

/// What happens around an operation, see [`Scene`].
struct Around<'a> {
    /// The first values of the words of the lock.
    words: [u64; 2],
    prepare: &'a dyn Fn(&ngx_shmtx_t),
    before: &'a dyn Fn(&ngx_shmtx_t, u64),
    finally: &'a dyn Fn(&ngx_shmtx_t),
    /// The number of processes that wait, and the first value of the word for which they
    /// all do.
    waiting: (usize, u64),
    every: usize,
}

/// Nothing happens, and no process waits.
const NOTHING: Around<'_> = Around {
    words: [0; 2],
    prepare: &|_| (),
    before: &|_, _| (),
    finally: &|_| (),
    waiting: (0, 0),
    every: 1,
};

/// One process has the lock, and is not killed.
const TAKEN: Around<'_> = Around {
    prepare: &|lock| take(lock, number()),
    finally: &|lock| release(lock, number()),
    ..NOTHING
};

fn check(name: &str, around: &Around<'_>, operation: fn(&ngx_shmtx_t, u64)) {
    let shared = Shared::map();
    let lock = lock_of(shared);
    let (processes, value) = around.waiting;
    let uses = |own| {
        take(&lock, own);
        shared.is_alone();
        release(&lock, own);
    };

    Scene {
        shared,
        prepare: &|| {
            shared.set(around.words);
            (around.prepare)(&lock);
        },
        before: &|own| (around.before)(&lock, own),
        operation: &|own| operation(&lock, own),
        waiting: &vec![&uses as &dyn Fn(u64); processes],
        later: &[&uses],
        is_waiting: &|| shared.words[1].load(SeqCst) >= value,
        finally: &|| (around.finally)(&lock),
        after: 1500,
        every: around.every,
    }
    .check(name);
}

fn take(lock: &ngx_shmtx_t, own: u64) {
    lock.lock(Some(own), log);
}

fn release(lock: &ngx_shmtx_t, own: u64) {
    lock.unlock(own, log);
}

fn try_take(lock: &ngx_shmtx_t, own: u64) {
    assert!(lock.try_lock(Some(own), log));
}

#[test]
fn lock() {
    check("lock", &NOTHING, take);
}

#[test]
fn try_lock() {
    check("try_lock", &NOTHING, try_take);
}

#[test]
fn unlock() {
    let around = Around {
        before: &take,
        ..NOTHING
    };

    check("unlock", &around, release);
}

#[test]
fn unlock_wakes_one_of_two() {
    let around = Around {
        before: &take,
        waiting: (2, 1),
        ..NOTHING
    };

    check("unlock and wake", &around, release);
}

/// The lock is handed to the process that has waited for long.
#[test]
fn unlock_hands_over() {
    let around = Around {
        before: &take,
        waiting: (1, 2),
        ..NOTHING
    };

    check("unlock and hand over", &around, release);
}

#[test]
fn lock_waits() {
    let around = Around { every: 7, ..TAKEN };

    check("lock and wait", &around, take);
}

/// Another process waits too.
#[test]
fn lock_waits_with_another_process() {
    let around = Around {
        waiting: (1, 1),
        every: 7,
        ..TAKEN
    };

    check("lock and wait with another", &around, take);
}

#[test]
fn lock_is_taken_over() {
    let dead = dead();
    let around = Around {
        prepare: &|lock| take(lock, dead),
        every: 7,
        ..NOTHING
    };

    check("lock of a dead process", &around, take);
}

#[test]
fn try_lock_takes_over() {
    let dead = dead();
    let around = Around {
        prepare: &|lock| take(lock, dead),
        every: 7,
        ..NOTHING
    };

    check("try_lock of a dead process", &around, try_take);
}

#[test]
fn force_unlock() {
    static DEAD: AtomicU64 = AtomicU64::new(0);

    DEAD.store(dead(), SeqCst);

    let around = Around {
        prepare: &|lock| take(lock, DEAD.load(SeqCst)),
        every: 3,
        ..NOTHING
    };

    check("force_unlock", &around, |lock, own| {
        assert!(lock.force_unlock(pid_of(DEAD.load(SeqCst)), Some(own), log));
    });
}

/// Runs an operation on a lock with these words, one instruction at a time. Adds the words that the
/// process leaves if it dies there, each pair once.
fn find_words(found: &mut Vec<[u64; 2]>, words: [u64; 2], operation: fn(&ngx_shmtx_t, u64)) {
    let shared = Shared::map();
    let lock = lock_of(shared);

    shared.set(words);

    let mut tracee = Tracee::start(|| operation(&lock, number()));

    for _ in 0..STEPS {
        let now = shared.words.each_ref().map(|word| word.load(SeqCst));

        if !found.contains(&now) {
            found.push(now);
        }

        if !tracee.step() {
            break;
        }
    }
}

/// A process dies while it takes the lock after another one, which has died after any instruction of
/// an operation.
#[test]
fn each_state_is_taken_over() {
    let mut found = Vec::new();
    let (owner, sleeper) = (dead(), dead());

    for wait in [0, 1, sleeper, number()] {
        find_words(&mut found, [0, wait], |lock, own| {
            take(lock, own);
            release(lock, own);
        });
        find_words(&mut found, [owner, wait], take);
    }

    for wait in [0, 1] {
        find_words(&mut found, [number(), wait], take);
    }

    assert!(found.len() > 12, "{found:?}");

    for words in found {
        let is_own = words[0] == number();
        let around = Around {
            words,
            // This process is not killed, and releases the lock.
            finally: &|lock| {
                if is_own {
                    release(lock, number());
                }
            },
            every: 997,
            ..NOTHING
        };

        check("lock in any state", &around, take);
    }
}
