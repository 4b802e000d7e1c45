//! `ngx_rwlock`: a process is killed after each instruction, and no other one hangs.

use std::sync::atomic::Ordering::SeqCst;

use ngx_ipc::log::Log;
use ngx_ipc::sys::log::RawLog;
use ngx_ipc::zone::rwlock::Rwlock;

use super::steps::{STEPS, Scene, Shared, dead, number};
use super::tracee::Tracee;

/// The bit of the word that says that processes may sleep.
const SLEEPERS: u64 = 1 << 11;

type Operation = fn(Rwlock<'static>);

/// What happens around an operation.
struct Around {
    /// The first value of the word of the lock.
    word: u64,
    /// The number of a process that has the lock already, and what it has done.
    holder: Option<(u64, Operation)>,
    /// What the process does before the operation.
    before: Operation,
    /// Whether a process waits that wants to write, and one that wants to read.
    waiting: bool,
}

/// Nothing happens, and no process waits.
const NOTHING: Around = Around {
    word: 0,
    holder: None,
    before: |_| (),
    waiting: false,
};

/// The process has the lock, and others wait.
fn has(before: Operation) -> Around {
    Around {
        before,
        waiting: true,
        ..NOTHING
    }
}

/// Another process, with this number, has the lock.
fn held(holder: u64, by: Operation) -> Around {
    Around {
        holder: Some((holder, by)),
        ..NOTHING
    }
}

fn check(name: &str, around: &Around, operation: Operation) {
    let shared = Shared::map();
    let lock = |own| Rwlock {
        word: &shared.words[0],
        log: Log::new(RawLog::none()),
        own,
    };
    let writes = |own| {
        lock(own).wlock();
        shared.is_alone();
        lock(own).unlock();
    };
    let reads = |own| {
        lock(own).rlock();
        lock(own).unlock();
    };
    let both: &[&dyn Fn(u64)] = &[&writes, &reads];
    let is_alive = around.holder.is_some_and(|(holder, _)| holder == number());

    Scene {
        shared,
        prepare: &|| {
            shared.words[0].store(around.word, SeqCst);

            if let Some((holder, takes)) = around.holder {
                takes(lock(holder));
            }
        },
        before: &|own| (around.before)(lock(own)),
        operation: &|own| operation(lock(own)),
        waiting: if around.waiting { both } else { &[] },
        later: both,
        is_waiting: &|| !around.waiting || shared.words[0].load(SeqCst) & SLEEPERS != 0,
        finally: &|| {
            if is_alive {
                lock(number()).unlock();
            }
        },
        after: 400,
        every: match around {
            Around { word: 1.., .. } => 997,
            Around {
                holder: Some(_), ..
            } => 7,
            _ => 1,
        },
    }
    .check(name);
}

#[test]
fn locks() {
    check("wlock", &NOTHING, Rwlock::wlock);
    check("rlock", &NOTHING, Rwlock::rlock);
}

#[test]
fn unlock_of_writer() {
    check("unlock of a writer", &has(Rwlock::wlock), Rwlock::unlock);
}

#[test]
fn unlock_of_reader() {
    check("unlock of a reader", &has(Rwlock::rlock), Rwlock::unlock);
}

#[test]
fn downgrade() {
    check("downgrade", &has(Rwlock::wlock), Rwlock::downgrade);
}

/// A running process reads too.
#[test]
fn one_of_two_reads() {
    let reader = held(number(), Rwlock::rlock);
    let two = Around {
        before: Rwlock::rlock,
        waiting: true,
        ..held(number(), Rwlock::rlock)
    };

    check("rlock of the second", &reader, Rwlock::rlock);
    check("unlock of the second", &two, Rwlock::unlock);
}

#[test]
fn waits() {
    let writer = held(number(), Rwlock::wlock);
    let reader = Around {
        waiting: true,
        ..held(number(), Rwlock::rlock)
    };

    check("rlock waits", &writer, Rwlock::rlock);
    check("wlock waits", &writer, Rwlock::wlock);
    check("wlock waits for a reader", &reader, Rwlock::wlock);
}

#[test]
fn releases_dead() {
    let writer = held(dead(), Rwlock::wlock);
    let reader = held(dead(), Rwlock::rlock);

    check("wlock after a dead writer", &writer, Rwlock::wlock);
    check("rlock after a dead writer", &writer, Rwlock::rlock);
    check("wlock after a dead reader", &reader, Rwlock::wlock);
}

/// Runs an operation one instruction at a time, when the process `holder` has done something. Adds the
/// words that the process leaves if it dies there, each once.
fn find_words(found: &mut Vec<u64>, holder: Option<(u64, Operation)>, operation: Operation) {
    let shared = Shared::map();
    let lock = |own| Rwlock {
        word: &shared.words[0],
        log: Log::new(RawLog::none()),
        own,
    };

    if let Some((holder, takes)) = holder {
        takes(lock(holder));
    }

    let mut tracee = Tracee::start(|| operation(lock(number())));

    for _ in 0..STEPS {
        let word = shared.words[0].load(SeqCst);

        if word != 0 && !found.contains(&word) {
            found.push(word);
        }

        if !tracee.step() {
            break;
        }
    }
}

/// A process dies while it takes the lock to write after another one, which has died after any
/// instruction of an operation.
#[test]
fn each_state_is_taken_over() {
    let mut found = Vec::new();
    let dead = dead();
    let writes: Operation = |lock| {
        lock.wlock();
        lock.unlock();
    };
    let reads: Operation = |lock| {
        lock.rlock();
        lock.unlock();
    };
    let both: Operation = |lock| {
        lock.wlock();
        lock.downgrade();
        lock.unlock();
    };

    for holder in [None, Some((dead, Rwlock::wlock as Operation))] {
        for operation in [writes, reads, both] {
            find_words(&mut found, holder, operation);
        }
    }

    // Two processes that die while they read are a limit of the lock.
    find_words(&mut found, Some((dead, Rwlock::rlock)), writes);

    assert!(found.len() > 6, "{found:x?}");

    for word in found {
        let around = Around { word, ..NOTHING };

        check("lock in any state", &around, Rwlock::wlock);
    }
}
