//! Children of a worker that a module has forked without the library (`D7`).
//!
//! Some modules wait for their child, with `pclose(3)` or `waitpid(2)`. If the
//! worker reaped the child first, the module would not get the status of the
//! child. Other modules rely on nginx, which reaps all children. So the worker
//! gives the module two seconds to wait for a child that has exited. Then the
//! worker reaps the child.
//!
//! The handler of SIGCHLD records each such child, and the time. The handler may
//! interrupt the other functions of this file at any time.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use crate::config::{AtomicPid, ngx_msec_t, ngx_pid_t};
use crate::sys::process;
use crate::table::globals::Globals;
use crate::table::restart::now;

/// The time in milliseconds for which a child stays a zombie, before the worker
/// reaps it.
const WHILE: ngx_msec_t = 2000;

/// The record of a child that has exited.
struct Note {
    /// The pid of the child; 0 if the record is not in use.
    pid: AtomicPid,
    /// The time at which the worker learned that the child has exited.
    since: AtomicUsize,
}

/// The records. If all records are in use, a child is not recorded. In this case
/// [`take_not_noted`] finds the child later, because the child is a zombie.
static NOTES: [Note; 128] = [const {
    Note {
        pid: AtomicPid::new(0),
        since: AtomicUsize::new(0),
    }
}; 128];

/// Whether there can be a child to reap. If not, the functions do not search the
/// records.
static ANY: AtomicBool = AtomicBool::new(false);

/// The time of the last SIGCHLD. Every child that is a zombie now has exited
/// before this time, because each exit causes a SIGCHLD.
static LAST: AtomicUsize = AtomicUsize::new(0);

/// In a new child: clears the records, which are about children of the parent.
pub fn forget() {
    // A store makes the kernel copy the page for the child. So the function
    // stores nothing if there is no record.
    if ANY.load(Relaxed) {
        ANY.store(false, Relaxed);

        for note in &NOTES {
            note.pid.store(0, Relaxed);
        }
    }
}

/// Records the children that have exited. The handler of SIGCHLD calls this
/// function after it has reaped the children that the library has started.
/// `child` is the child that the signal reports, if the signal names one.
pub fn note_exit(g: &Globals, child: Option<ngx_pid_t>) {
    let now = now();

    LAST.store(now, Relaxed);

    if let Some(pid) = child.and_then(process::zombie) {
        note(g, pid, now);
    }

    // While a SIGCHLD is pending, the kernel drops further ones, `signal(7)`. So
    // another child can have exited.
    if let Some(pid) = process::zombie(process::ANY) {
        note(g, pid, now);
    }
}

/// Records the child `pid`, unless it is in the process table or has a record.
fn note(g: &Globals, pid: ngx_pid_t, since: ngx_msec_t) {
    if g.table.find(pid).is_some() || is_noted(pid) {
        return;
    }

    if let Some(note) = NOTES.iter().find(|note| note.pid.load(Relaxed) == 0) {
        note.since.store(since, Relaxed);
        note.pid.store(pid, Relaxed);
        ANY.store(true, Relaxed);
    }
}

/// Whether the child `pid` has a record.
fn is_noted(pid: ngx_pid_t) -> bool {
    NOTES.iter().any(|note| note.pid.load(Relaxed) == pid)
}

/// Milliseconds until the worker has to reap the next child that has a record;
/// `None` if no child has a record.
#[inline]
pub fn due_in() -> Option<ngx_msec_t> {
    if may_be_due() { next_due() } else { None }
}

/// Whether there may be a process that is not in the table and has exited.
#[inline]
pub fn may_be_due() -> bool {
    ANY.load(Relaxed)
}

#[cold]
fn next_due() -> Option<ngx_msec_t> {
    let now = now();

    NOTES
        .iter()
        .filter(|note| note.pid.load(Relaxed) != 0)
        .map(|note| due(note.since.load(Relaxed)).saturating_sub(now))
        .min()
}

/// The time at which the worker reaps a child that has exited at the time
/// `since`.
fn due(since: ngx_msec_t) -> ngx_msec_t {
    since.saturating_add(WHILE)
}

/// Returns a zombie that the worker has to reap now; `None` if there is none. The
/// caller reaps the zombie, and calls this function again.
pub fn take_due(g: &Globals) -> Option<ngx_pid_t> {
    if !ANY.load(Relaxed) {
        return None;
    }

    let now = now();

    take_noted(now).or_else(|| {
        // If the handler of SIGCHLD records a child after this store, it sets
        // `ANY` again.
        ANY.store(false, Relaxed);

        let found = take_not_noted(g, now);

        if NOTES.iter().any(|note| note.pid.load(Relaxed) != 0) {
            ANY.store(true, Relaxed);
        }

        found
    })
}

/// Clears the records that are due, up to the first one whose child is still a
/// zombie. Returns this child.
fn take_noted(now: ngx_msec_t) -> Option<ngx_pid_t> {
    NOTES
        .iter()
        .filter(|note| note.pid.load(Relaxed) != 0 && due(note.since.load(Relaxed)) <= now)
        .find_map(|note| process::zombie(note.pid.swap(0, Relaxed)))
}

/// Looks at one zombie of this process, which the kernel chooses. If the zombie
/// has no record, and if the last SIGCHLD was two seconds ago, returns the zombie,
/// because the worker has to reap it now. If the last SIGCHLD was later, records
/// the zombie.
fn take_not_noted(g: &Globals, now: ngx_msec_t) -> Option<ngx_pid_t> {
    let pid = process::zombie(process::ANY)?;

    if g.table.find(pid).is_some() || is_noted(pid) {
        return None;
    }

    if due(LAST.load(Relaxed)) <= now {
        ANY.store(true, Relaxed);
        return Some(pid);
    }

    note(g, pid, now);
    None
}
