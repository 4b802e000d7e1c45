//! `ngx_cycle.h`: the configuration, and what a program runs with until the
//! next one.

pub use super::types::{ngx_cycle_s, ngx_cycle_t};
use std::os::fd::OwnedFd;
use std::ptr;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::Relaxed;

use super::conf::{check_user, conf_of, ngx_core_conf_t};
use super::listening::ngx_listening_t;
use super::log::{file_of, ngx_log_t, ngx_open_file_s, open_log, path_of};
use super::module::ngx_module_t;
use super::old_cycle::{destroy, retire};
use super::palloc::{ngx_create_pool, ngx_destroy_pool, ngx_pcalloc, ngx_pool_t};
use super::pidfile;
use super::variables::ngx_daemonized;
use crate::config::{NGX_ERROR, ngx_str_t};
use crate::host::logs::cycle_log;
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::{daemon, fd};

/// ngx_debug_point() stops the process.
pub const NGX_DEBUG_POINTS_STOP: usize = 1;
/// ngx_debug_point() aborts the process.
pub const NGX_DEBUG_POINTS_ABORT: usize = 2;

/// The cycle that signal handlers log to, for the program to set.
#[unsafe(no_mangle)]
pub static ngx_cycle: AtomicPtr<ngx_cycle_t> = AtomicPtr::new(ptr::null_mut());

/// What `conf` and its cycle need, all in the cycle's pool.
struct New {
    cycle: *mut ngx_cycle_t,
    /// Listening sockets of the old cycle, or inherited, not taken yet.
    there: Vec<OwnedFd>,
}

/// Makes a cycle of the configuration of another one.
///
/// The copy is handed to `reconfigure` first. Then the log and the listening
/// sockets are opened, as far as the old cycle does not have them, and the
/// modules' `init_module` called. Returns NULL, with the reason in the log,
/// if any of that fails; the old cycle is as it was then, else its log, its
/// pool and the sockets that are not needed any more are gone.
///
/// # Safety
///
/// `old_cycle` is valid, and not used afterwards unless NULL is returned.
///
/// # References
///
/// nginx's `src/core/ngx_cycle.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_init_cycle(old_cycle: *mut ngx_cycle_t) -> *mut ngx_cycle_t {
    // SAFETY: promised by the caller.
    unsafe {
        let log = cycle_log(old_cycle);

        if old_cycle.is_null() || (*old_cycle).conf_ctx.is_null() {
            log.refuse(format_args!("there is no configuration to reload"));
            return ptr::null_mut();
        }

        let mut conf = *conf_of(old_cycle);
        let mut places: Vec<ngx_listening_t> = listening(old_cycle).map(|ls| ls.read()).collect();

        // What `reconfigure` changes is a copy, should it refuse in the end.
        conf.listening = places.as_mut_ptr();

        if let Some(reconfigure) = conf.reconfigure
            && reconfigure(&raw mut conf) == NGX_ERROR
        {
            log.error(Level::Emerg, None, format_args!("configuration refused"));
            return ptr::null_mut();
        }

        let sockets = sockets_of(old_cycle);

        let Ok(cycle) = new_cycle(log, &conf, old_cycle, sockets) else {
            return ptr::null_mut();
        };

        if pidfile::change(old_cycle, cycle, log).is_err() {
            destroy(cycle, old_cycle);
            return ptr::null_mut();
        }

        // A signal handler may log at any time.
        let _ = ngx_cycle.compare_exchange(old_cycle, cycle, Relaxed, Relaxed);

        adopt_stderr(cycle);
        retire(old_cycle, cycle);

        cycle
    }
}

/// The first cycle of a program, with what another binary has handed down.
///
/// # Safety
///
/// `conf` is valid.
pub unsafe fn first_cycle(
    log: Log,
    conf: &ngx_core_conf_t,
    inherited: Vec<OwnedFd>,
) -> Result<*mut ngx_cycle_t> {
    // SAFETY: promised by the caller.
    unsafe { new_cycle(log, conf, ptr::null_mut(), inherited) }
}

/// Copies of the listening sockets of a cycle: the old ones stay its own.
///
/// # Safety
///
/// `cycle` is valid.
unsafe fn sockets_of(cycle: *mut ngx_cycle_t) -> Vec<OwnedFd> {
    // SAFETY: promised by the caller.
    unsafe { listening(cycle) }
        .filter_map(|ls| {
            // SAFETY: the socket is open as long as its cycle.
            unsafe { fd::duplicate((*ls).fd) }.ok()
        })
        .collect()
}

/// # Safety
///
/// `conf` is valid, `old` NULL or valid.
unsafe fn new_cycle(
    log: Log,
    conf: &ngx_core_conf_t,
    old: *mut ngx_cycle_t,
    there: Vec<OwnedFd>,
) -> Result<*mut ngx_cycle_t> {
    // SAFETY: promised by the caller.
    unsafe {
        check_user(log, conf)?;

        let mut new = New {
            cycle: allocate(conf, old)?,
            there,
        };

        let built = open_listening(&mut new, log).and_then(|()| init_modules(new.cycle, log, old));

        if let Err(status) = built {
            destroy(new.cycle, old);
            return Err(status);
        }

        Ok(new.cycle)
    }
}

/// A cycle in a pool of its own, with its configuration and its log.
///
/// # Safety
///
/// `conf` is valid, `old` NULL or valid.
unsafe fn allocate(conf: &ngx_core_conf_t, old: *mut ngx_cycle_t) -> Result<*mut ngx_cycle_t> {
    const POOL_SIZE: usize = 16384;

    // SAFETY: promised by the caller.
    unsafe {
        let old_log = old.as_ref().map_or(ptr::null_mut(), |old| old.log);
        let pool = ngx_create_pool(POOL_SIZE, old_log);
        let cycle = fill_pool(pool, conf, !old.is_null());

        if cycle.is_err() {
            ngx_destroy_pool(pool);
        }

        cycle
    }
}

/// # Safety
///
/// `pool` is NULL or a pool, `conf` is valid.
unsafe fn fill_pool(
    pool: *mut ngx_pool_t,
    conf: &ngx_core_conf_t,
    reload: bool,
) -> Result<*mut ngx_cycle_t> {
    // SAFETY: promised by the caller; what is allocated is zeroed and large
    // enough.
    unsafe {
        let cycle = alloc::<ngx_cycle_t>(pool, 1)?;
        let copy = alloc::<ngx_core_conf_t>(pool, 1)?;
        let ctx = alloc::<*mut ngx_core_conf_t>(pool, 1)?;
        let log = alloc::<ngx_log_t>(pool, 1)?;
        let file = alloc::<ngx_open_file_s>(pool, 1)?;
        let listening = alloc::<ngx_listening_t>(pool, conf.listening_n)?;

        copy.write(*conf);
        (*copy).listening = listening;
        ctx.write(copy);

        for i in 0..conf.listening_n {
            listening.add(i).copy_from(conf.listening.add(i), 1);
            (*listening.add(i)).fd = -1;
        }

        (*file).fd = match path_of(conf.error_log.cast()) {
            None => libc::STDERR_FILENO,
            Some(path) if reload => fd::open_append(path).map_err(|err| {
                // The old log goes on.
                cycle_log(ngx_cycle.load(Relaxed)).fail(
                    Level::Emerg,
                    err,
                    format_args!("open() \"{}\" failed", path.display()),
                )
            })?,
            Some(path) => open_log(path),
        };
        (*file).name = ngx_str_t {
            len: 0,
            data: conf.error_log.cast_mut().cast(),
        };

        (*cycle).conf_ctx = ctx.cast();
        (*cycle).pool = pool;
        (*cycle).log = log;
        (*log).log_level = conf.log_level;
        (*log).file = file;
        (*cycle).modules = conf.modules;
        (*cycle).modules_n = count_modules(conf.modules);
        (*cycle).listening = listening;
        (*cycle).listening_n = conf.listening_n;

        super::palloc::set_log(pool, log);

        Ok(cycle)
    }
}

/// # Safety
///
/// `pool` is NULL or a pool.
unsafe fn alloc<T>(pool: *mut ngx_pool_t, n: usize) -> Result<*mut T> {
    // SAFETY: promised by the caller.
    let p = unsafe { ngx_pcalloc(pool, n.saturating_mul(size_of::<T>())) };

    if p.is_null() {
        Err(Status::Error)
    } else {
        Ok(p.cast())
    }
}

/// # Safety
///
/// `modules` is NULL or a NULL-terminated array.
unsafe fn count_modules(modules: *mut *mut ngx_module_t) -> usize {
    if modules.is_null() {
        return 0;
    }

    // SAFETY: promised by the caller.
    (0..)
        .take_while(|&i| unsafe { !(*modules.add(i)).is_null() })
        .count()
}

/// The listening sockets of a cycle.
///
/// # Safety
///
/// `cycle` is NULL or valid.
pub unsafe fn listening(cycle: *mut ngx_cycle_t) -> impl Iterator<Item = *mut ngx_listening_t> {
    // SAFETY: promised by the caller.
    let (first, n) = unsafe { cycle.as_ref() }.map_or((ptr::null_mut(), 0), |cycle| {
        (cycle.listening, cycle.listening_n)
    });

    // SAFETY: there are `listening_n` of them.
    (0..n).map(move |i| unsafe { first.add(i) })
}

/// # Safety
///
/// `new.cycle` is valid.
unsafe fn open_listening(new: &mut New, log: Log) -> Result {
    // SAFETY: promised by the caller.
    for ls in unsafe { listening(new.cycle) } {
        // SAFETY: the same.
        unsafe { (*ls).open(log, &mut new.there)? };
    }

    Ok(())
}

/// # Safety
///
/// `cycle` is valid, `old` NULL or valid.
unsafe fn init_modules(cycle: *mut ngx_cycle_t, log: Log, old: *mut ngx_cycle_t) -> Result {
    // SAFETY: promised by the caller.
    for module in unsafe { super::module::modules(cycle) } {
        // SAFETY: the same; the hooks are there to be called.
        let failed = unsafe {
            (old.is_null()
                && (*module)
                    .init_master
                    .is_some_and(|init| init((*cycle).log) == NGX_ERROR))
                || (*module)
                    .init_module
                    .is_some_and(|init| init(cycle) == NGX_ERROR)
        };

        if failed {
            log.error(
                Level::Emerg,
                None,
                format_args!("a module could not be initialized"),
            );
            return Err(Status::Error);
        }
    }

    Ok(())
}

/// Has stderr go to the log in a daemon, which has no other.
///
/// # Safety
///
/// `cycle` is valid.
pub unsafe fn adopt_stderr(cycle: *mut ngx_cycle_t) {
    if ngx_daemonized.load(Relaxed) == 0 {
        return;
    }

    // SAFETY: promised by the caller.
    unsafe {
        if let Some(fd) = file_of(cycle)
            && fd != libc::STDERR_FILENO
            && let Err(err) = daemon::redirect_stderr(fd)
        {
            cycle_log(cycle).error(Level::Alert, Some(err), format_args!("dup2(STDERR) failed"));
        }
    }
}

/// Opens the log of a cycle anew, for a log that has been moved away.
///
/// `user`, unless it is -1, gets the file. Should that fail the old file stays
/// the log, and says so.
///
/// # Safety
///
/// `cycle` is valid.
///
/// # References
///
/// nginx's `src/core/ngx_cycle.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_reopen_files(cycle: *mut ngx_cycle_t, user: libc::uid_t) {
    // SAFETY: promised by the caller.
    unsafe {
        let conf = conf_of(cycle);

        let (Some(path), Some(file)) = (
            path_of(conf.error_log.cast()),
            cycle
                .as_mut()
                .and_then(|cycle| cycle.log.as_mut())
                .and_then(|log| log.file.as_mut()),
        ) else {
            return;
        };

        let log = cycle_log(cycle);

        match fd::open_append(path) {
            Ok(new) => {
                if user != libc::uid_t::MAX {
                    let _ = fd::give(new, user);
                }

                let old = std::mem::replace(&mut file.fd, new);

                if old != libc::STDERR_FILENO {
                    let _ = fd::close(old);
                }

                adopt_stderr(cycle);
            }
            Err(err) => log.error(
                Level::Emerg,
                Some(err),
                format_args!("open() \"{}\" failed", path.display()),
            ),
        }
    }
}
