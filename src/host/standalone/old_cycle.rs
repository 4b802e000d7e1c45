//! Giving a cycle up: what only it has is closed, its memory freed.

use crate::table::role;
use std::ptr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::connection::open_connections;
use super::cycle::{listening, ngx_cycle_t};
use super::listening::stop_accepting;
use super::module::modules;
use super::palloc::ngx_destroy_pool;
use super::variables::ngx_process;
use crate::host::logs::cycle_log;
use crate::sys::fd;

/// Cycles whose connections are still open, in a single process.
static RETIRED: Mutex<Vec<Retired>> = Mutex::new(Vec::new());

struct Retired(*mut ngx_cycle_t);

// SAFETY: the program has one thread that uses them.
unsafe impl Send for Retired {}

/// Gives a cycle up in favour of `new`. A master has nothing that refers to
/// it; the connections of a single process do, so there it is kept until
/// they are closed.
///
/// # Safety
///
/// Both are valid; `cycle` is not used any more but by its connections.
pub unsafe fn retire(cycle: *mut ngx_cycle_t, new: *mut ngx_cycle_t) {
    // SAFETY: promised by the caller.
    unsafe {
        if ngx_process.load(Relaxed) != role::NGX_PROCESS_SINGLE {
            destroy(cycle, new);
            return;
        }

        close_listening(cycle, new);

        let mut retired = std::mem::take(&mut *lock_retired());

        retired.push(Retired(cycle));
        retired.retain(|old| {
            let used = is_used(old.0);

            if !used {
                destroy(old.0, new);
            }

            used
        });

        *lock_retired() = retired;
    }
}

fn lock_retired() -> MutexGuard<'static, Vec<Retired>> {
    RETIRED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a connection refers to a cycle: it logs there, or was accepted
/// there and has a log of its own, which may go to the same file.
///
/// # Safety
///
/// `cycle` is valid.
unsafe fn is_used(cycle: *mut ngx_cycle_t) -> bool {
    open_connections()
        .into_iter()
        // SAFETY: promised by the caller; open connections are valid.
        .any(|c| unsafe {
            (*c).log == (*cycle).log || listening(cycle).any(|ls| ls == (*c).listening)
        })
}

/// Closes the listening sockets that `other` does not have; a Unix socket's
/// file goes with the last of them.
///
/// # Safety
///
/// `cycle` is valid, `other` NULL or valid.
unsafe fn close_listening(cycle: *mut ngx_cycle_t, other: *mut ngx_cycle_t) {
    // SAFETY: promised by the caller.
    unsafe {
        let log = cycle_log(cycle);

        for ls in listening(cycle) {
            let address = (*ls).parse(log).ok();

            let shared = listening(other)
                .any(|other| (*other).fd != -1 && (*other).parse(log).ok() == address);

            if !shared {
                (*ls).remove_file(log);
            }

            stop_accepting(ls, log);
        }
    }
}

/// Closes what only this cycle has, and frees its memory. A cycle without a
/// configuration is the program's own, and left alone.
///
/// # Safety
///
/// `cycle` is valid, and not used any more; `other` is NULL or valid.
pub unsafe fn destroy(cycle: *mut ngx_cycle_t, other: *mut ngx_cycle_t) {
    // SAFETY: promised by the caller.
    unsafe {
        if (*cycle).conf_ctx.is_null() {
            return;
        }

        close_listening(cycle, other);

        let file = (*(*(*cycle).log).file).fd;

        ngx_destroy_pool((*cycle).pool);

        if file != libc::STDERR_FILENO {
            let _ = fd::close(file);
        }
    }
}

/// Undoes the first cycle of a program that cannot be set up.
///
/// # Safety
///
/// `cycle` is valid, and not used any more but for logging.
pub unsafe fn abandon(cycle: *mut ngx_cycle_t) {
    // SAFETY: promised by the caller; the hooks are there to be called.
    unsafe {
        for module in modules(cycle) {
            if let Some(exit) = (*module).exit_master {
                exit(cycle);
            }
        }

        close_listening(cycle, ptr::null_mut());
    }
}
