//! Discarding a cycle: what only it has is closed, and its memory is freed.

use std::sync::atomic::Ordering::Relaxed;

use super::cycle::Cycle;
use super::event_loop::open_connections;
use super::log::ErrorLog;
use super::reopen::close_log;
use super::variables::ngx_process;
use crate::sys::lock::Lock;
use crate::table::role;

/// Old cycles whose connections are still open, in a single process.
static RETIRED: Lock<Vec<Retired>> = Lock::new(Vec::new());

struct Retired(Cycle);

// SAFETY: one thread of the program uses cycles.
unsafe impl Send for Retired {}

/// Discards `old`, which `new` replaces.
///
/// In a master nothing refers to `old`, so it is destroyed at once. In a
/// single process open connections do: it is destroyed at the first reload
/// after they are closed.
///
/// # Safety
///
/// Nothing uses `old` or its log afterwards, except open connections of a
/// single process. `ngx_cycle` is another cycle.
pub unsafe fn retire(old: Cycle, new: Cycle) {
    if ngx_process.load(Relaxed) != role::NGX_PROCESS_SINGLE {
        // SAFETY: as this function demands.
        unsafe { destroy(old, Some(new)) };
        return;
    }

    close_listening(old, Some(new));

    // Destroying a pool calls functions of the program. They must not find the
    // list locked.
    let mut retired = std::mem::take(&mut *RETIRED.lock());

    retired.push(Retired(old));
    retired.retain(|old| {
        let used = is_used(old.0);

        if !used {
            // SAFETY: no open connection refers to the cycle, and nothing else
            // has used it since it was retired.
            unsafe { destroy(old.0, Some(new)) };
        }

        used
    });

    *RETIRED.lock() = retired;
}

/// Whether an open connection refers to a cycle: it logs there, or it was
/// accepted there. The log of an accepted connection may be its own and have
/// the cycle's file.
fn is_used(cycle: Cycle) -> bool {
    open_connections().into_iter().any(|c| {
        c.error_log() == cycle.error_log() || cycle.listening().any(|ls| c.listening() == Some(ls))
    })
}

/// Closes the listening sockets of a cycle. The file of a Unix socket is
/// removed, unless `other` has a socket with the same address.
fn close_listening(cycle: Cycle, other: Option<Cycle>) {
    let log = cycle.log();

    for ls in cycle.listening() {
        let address = ls.address(log).ok();

        let is_shared = other.is_some_and(|other| {
            other
                .listening()
                .any(|other| other.fd() != -1 && other.address(log).ok() == address)
        });

        if !is_shared {
            ls.remove_file(log);
        }

        ls.stop_accepting(log);
    }
}

/// Closes what `cycle` has and `other` has not, and frees the memory of
/// `cycle`.
///
/// A cycle without a configuration stays as it is: the program has made it.
///
/// # Safety
///
/// Nothing uses `cycle`, its log or its pool afterwards. `ngx_cycle` is another
/// cycle, since signal handlers log to it.
pub unsafe fn destroy(cycle: Cycle, other: Option<Cycle>) {
    if !cycle.is_configured() {
        return;
    }

    close_listening(cycle, other);

    // The pool's cleanup handlers may log, so the file is closed behind them.
    let file = cycle.error_log().and_then(ErrorLog::file);

    if let Some(pool) = cycle.pool() {
        // SAFETY: `init_cycle` has made the pool for this cycle alone, which
        // is not used afterwards, as this function demands.
        unsafe { pool.destroy() };
    }

    if let Some(fd) = file {
        close_log(fd);
    }
}

/// Undoes the making of the first cycle of a program that cannot be set up.
/// The cycle can still be used for logging.
pub fn abandon(cycle: Cycle) {
    cycle.modules().exit_master();
    close_listening(cycle, None);
}
