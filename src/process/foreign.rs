//! Children of a worker that the library has not started (`D7`).
//!
//! A module forks. Some modules wait for the child, with `pclose(3)` or
//! `waitpid(2)`: its status must not be taken from them. Others rely on nginx,
//! which reaps all children. So such a child is reaped when it has been a zombie
//! for a while.
//!
//! The handler of SIGCHLD notes the children. It may interrupt the other
//! functions at any time.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use crate::config::{AtomicPid, ngx_msec_t, ngx_pid_t};
use crate::sys::process;
use crate::table::globals::Globals;
use crate::table::restart::now;

/// How long a child stays a zombie, in milliseconds.
const WHILE: ngx_msec_t = 2000;

/// A child that has exited; pid 0: none.
struct Note {
    pid: AtomicPid,
    /// When SIGCHLD told of it.
    since: AtomicUsize,
}

/// The children that are noted. What has no room here is found later, as the
/// first zombie that is not noted.
static NOTES: [Note; 128] = [const {
    Note {
        pid: AtomicPid::new(0),
        since: AtomicUsize::new(0),
    }
}; 128];

/// Whether any child is noted.
static ANY: AtomicBool = AtomicBool::new(false);

/// The time of the last SIGCHLD: all zombies have exited by then.
static LAST: AtomicUsize = AtomicUsize::new(0);

/// In a new child: the notes are its parent's.
pub fn forget() {
    // A store makes the kernel copy the page for the child, so there is none
    // without need.
    if ANY.load(Relaxed) {
        ANY.store(false, Relaxed);

        for note in &NOTES {
            note.pid.store(0, Relaxed);
        }
    }
}

/// SIGCHLD was received, perhaps for `child`. The children that the library has
/// started have been reaped.
pub fn note_exit(g: &Globals, child: Option<ngx_pid_t>) {
    let now = now();

    LAST.store(now, Relaxed);

    if let Some(pid) = child.and_then(process::zombie) {
        note(g, pid, now);
    }

    // Of several signals at once the kernel keeps one.
    if let Some(pid) = process::zombie(process::ANY) {
        note(g, pid, now);
    }
}

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

fn is_noted(pid: ngx_pid_t) -> bool {
    NOTES.iter().any(|note| note.pid.load(Relaxed) == pid)
}

/// Milliseconds until a noted child is to be reaped; `None` if none is noted.
pub fn due_in() -> Option<ngx_msec_t> {
    if !ANY.load(Relaxed) {
        return None;
    }

    let now = now();

    NOTES
        .iter()
        .filter(|note| note.pid.load(Relaxed) != 0)
        .map(|note| due(note.since.load(Relaxed)).saturating_sub(now))
        .min()
}

fn due(since: ngx_msec_t) -> ngx_msec_t {
    since.saturating_add(WHILE)
}

/// The next child that is to be reaped now, if it is still a zombie.
pub fn take_due(g: &Globals) -> Option<ngx_pid_t> {
    if !ANY.load(Relaxed) {
        return None;
    }

    let now = now();

    take_noted(now).or_else(|| {
        ANY.store(false, Relaxed);

        let found = take_not_noted(g, now);

        if NOTES.iter().any(|note| note.pid.load(Relaxed) != 0) {
            ANY.store(true, Relaxed);
        }

        found
    })
}

fn take_noted(now: ngx_msec_t) -> Option<ngx_pid_t> {
    NOTES
        .iter()
        .filter(|note| note.pid.load(Relaxed) != 0 && due(note.since.load(Relaxed)) <= now)
        .find_map(|note| process::zombie(note.pid.swap(0, Relaxed)))
}

/// The first zombie, if it is not noted. It is due if no child has exited for a
/// while, else it is noted.
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
