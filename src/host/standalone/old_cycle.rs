//! Discards a cycle: closes the files and sockets that only this cycle has, and
//! frees its memory.

use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::cycle::Cycle;
use super::event_loop::open_connections;
use super::log_conf;
use super::variables::ngx_process;
use super::zones;
use crate::log::{Level, Log};
use crate::status::Result;
use crate::sys::lock::Lock;
use crate::table::role;

/// In a single process: the old cycles to which open connections still refer.
static RETIRED: Lock<Vec<Retired>> = Lock::new(Vec::new());

struct Retired(Cycle);

// SAFETY: only one thread of the program uses cycles (the invariant of
// `Cycle`). `Send` is needed because the list is a static.
unsafe impl Send for Retired {}

/// Makes room for one more cycle in the list of old cycles, so that [`retire`]
/// cannot fail.
///
/// Returns an error, with an emergency in the log, if there is no memory.
pub fn reserve(log: Log) -> Result {
    let reserved = RETIRED.lock().try_reserve(1);

    reserved.map_err(|_| log.fail(Level::Emerg, Errno::ENOMEM, format_args!("malloc() failed")))
}

/// Discards the cycle `old`, which `new` replaces. The caller has called
/// [`reserve`].
///
/// In a master nothing refers to `old`, so the function destroys `old` at once.
/// In a single process open connections can refer to `old`. Then `old` is
/// destroyed at the first reload after these connections have been closed.
///
/// # Safety
///
/// No code uses `old` or its log afterwards, except the open connections of a
/// single process. `ngx_cycle` is another cycle.
pub unsafe fn retire(old: Cycle, new: Cycle) {
    if ngx_process.load(Relaxed) != role::NGX_PROCESS_SINGLE {
        // SAFETY: the caller does not use `old` or its log afterwards, and
        // `ngx_cycle` is another cycle. A master has no connections that refer
        // to `old`.
        unsafe { destroy(old, Some(new)) };
        return;
    }

    retire_listening(old, Some(new));

    // `destroy` calls functions of the program, which must not find the list
    // locked.
    let mut retired = std::mem::take(&mut *RETIRED.lock());

    retired.push(Retired(old));

    let used = || retired.iter().map(|old| old.0).filter(|&old| is_used(old));

    for old in retired.iter().filter(|old| !is_used(old.0)) {
        zones::leave(old.0, used());
    }

    retired.retain(|old| {
        let used = is_used(old.0);

        if !used {
            // SAFETY: no open connection refers to the cycle, and the caller of
            // `retire` does not use the cycle in any other way.
            unsafe { destroy(old.0, Some(new)) };
        }

        used
    });

    *RETIRED.lock() = retired;
}

/// Whether an open connection refers to `cycle`: the connection has the log of
/// the cycle, or was accepted from a listening socket of the cycle. The second
/// condition is needed because an accepted connection can have a log of its own
/// that uses the file of the cycle's log.
fn is_used(cycle: Cycle) -> bool {
    open_connections().any(|c| {
        c.error_log() == cycle.error_log() || cycle.listening().any(|ls| c.listening() == Some(ls))
    })
}

/// Closes the listening sockets of `cycle`. Removes the file of a Unix socket,
/// unless `other` has a socket with the same address.
pub fn retire_listening(cycle: Cycle, other: Option<Cycle>) {
    let log = cycle.log();

    for ls in cycle.listening() {
        let address = ls.address();

        let is_shared = other.is_some_and(|other| {
            other
                .listening()
                .any(|other| other.fd() != -1 && other.address() == address)
        });

        let was_open = ls.fd() != -1;

        ls.stop_accepting(log);

        if was_open && !is_shared {
            ls.remove_file(log);
        }
    }
}

/// Closes the listening sockets of `cycle`, and removes them from it.
pub fn close_listening(cycle: Cycle) {
    retire_listening(cycle, None);
    cycle.clear_listening();
}

/// Closes the sockets of `cycle` and the file of its log, and frees its memory and that of
/// its zones.
/// The file of a Unix socket is not removed if `other` has a socket with the
/// same address.
///
/// Does nothing to a cycle without a configuration, because the program, not
/// the library, has made that cycle.
///
/// # Safety
///
/// No code uses `cycle`, its log or its pool afterwards. `ngx_cycle` is another
/// cycle, because signal handlers write to the log of `ngx_cycle`.
pub unsafe fn destroy(cycle: Cycle, other: Option<Cycle>) {
    if !cycle.is_configured() {
        return;
    }

    retire_listening(cycle, other);

    zones::free_all(cycle);

    // The pool's cleanup handlers can log, so the file of the log is closed
    // after they have run.
    // They are copied, because the log itself is in the pool.
    let closing = cycle.error_log().map(log_conf::Open::of);

    if let Some(pool) = cycle.pool() {
        // SAFETY: `init_cycle` has made the pool for this cycle alone, and the
        // caller does not use the cycle, its log or its pool afterwards.
        unsafe { pool.destroy() };
    }

    if let Some(open) = closing {
        open.close();
    }
}

/// Undoes the set-up of the first cycle, when the program cannot be set up:
/// calls the modules' `exit_master` and closes the listening sockets. The log
/// of the cycle can still be used.
pub fn abandon(cycle: Cycle) {
    cycle.modules().exit_master();
    retire_listening(cycle, None);
}
