//! Making a cycle of a configuration: at the start of a program, and at each
//! reload.

use std::os::fd::OwnedFd;
use std::ptr;
use std::sync::atomic::Ordering::Relaxed;

use super::conf::Conf;
use super::cycle::Cycle;
use super::draft::Draft;
use super::log::{ErrorLog, ngx_log_s};
use super::log_file::{open, open_or_stderr};
use super::old_cycle::{destroy, retire};
use super::palloc::{NGX_DEFAULT_POOL_SIZE, Pool};
use super::pidfile;
use super::reopen::redirect_stderr;
use super::types::{ngx_core_conf_t, ngx_cycle_t, ngx_listening_t, ngx_open_file_s};
use super::variables::ngx_cycle;
use crate::config::{ngx_fd_t, ngx_str_t};
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::fd;
use crate::sys::trusted::Owner;

/// Makes the first cycle of a program. `inherited` are the listening sockets
/// that another binary has handed down; those that `conf` does not name are
/// closed.
///
/// Returns an error, with an emergency in `log`, if anything fails.
pub fn first_cycle(log: Log, conf: Conf<'_>, inherited: Vec<OwnedFd>) -> Result<Cycle> {
    new_cycle(log, conf, None, inherited)
}

/// Makes a cycle of the configuration of `old`, which the program's
/// `reconfigure` may change before. The new cycle becomes `ngx_cycle`, and what
/// only `old` has is closed.
///
/// Returns an error, with the reason in the log of `old`, if anything fails;
/// then nothing has changed.
///
/// # Safety
///
/// After success nothing uses `old` or its log, except open connections of a
/// single process.
pub unsafe fn reload(old: Cycle) -> Result<Cycle> {
    let log = old.log();

    if !old.is_configured() {
        return Err(log.refuse(format_args!("there is no configuration to reload")));
    }

    // `reconfigure` changes a copy: if it refuses, the old configuration stays
    // in use.
    let mut draft = Draft::of(old.conf());

    if !draft.reconfigure() {
        log.error(Level::Emerg, None, format_args!("configuration refused"));
        return Err(Status::Error);
    }

    let new = new_cycle(log, draft.conf(), Some(old), duplicate_sockets(old))?;

    pidfile::change(old, new, log).inspect_err(|_| discard(new, Some(old)))?;

    // Signal handlers log to the new cycle from here on. If the program has
    // set `ngx_cycle` to another cycle, that stays.
    let _ = ngx_cycle.compare_exchange(old.as_ptr(), new.as_ptr(), Relaxed, Relaxed);

    redirect_stderr(new);

    // SAFETY: as this function demands; `ngx_cycle` is not `old` any more.
    unsafe { retire(old, new) };

    Ok(new)
}

/// Copies of the listening sockets of a cycle, which keeps its own.
fn duplicate_sockets(cycle: Cycle) -> Vec<OwnedFd> {
    cycle
        .listening()
        .filter_map(|ls| fd::duplicate(ls.fd()).ok())
        .collect()
}

/// Makes a cycle: checks the user, opens the log and the listening sockets,
/// and calls the modules' hooks. `sockets` are open already: each is used for
/// the address that it is bound to.
fn new_cycle(
    log: Log,
    conf: Conf<'_>,
    old: Option<Cycle>,
    mut sockets: Vec<OwnedFd>,
) -> Result<Cycle> {
    conf.check_user(log)?;

    let cycle = allocate(conf, old)?;

    cycle
        .listening()
        .try_for_each(|ls| ls.open(log, &mut sockets))
        .and_then(|()| cycle.modules().init_module(old.is_none(), log))
        .inspect_err(|_| discard(cycle, old))?;

    Ok(cycle)
}

/// Destroys a cycle that has failed, and of which only this file knows.
fn discard(new: Cycle, old: Option<Cycle>) {
    // SAFETY: `ngx_cycle` has never been `new`, which the callers drop. Hooks
    // of modules that have got it may not use it after a failure.
    unsafe { destroy(new, old) };
}

/// Makes a cycle in a pool of its own, with a copy of `conf` and its log.
fn allocate(conf: Conf<'_>, old: Option<Cycle>) -> Result<Cycle> {
    let pool = Pool::create(NGX_DEFAULT_POOL_SIZE, old.and_then(Cycle::error_log))?;

    fill_pool(pool, conf, old.is_some()).inspect_err(|_| {
        // SAFETY: nothing has a pointer into the new pool yet.
        unsafe { pool.destroy() };
    })
}

fn fill_pool(pool: Pool, conf: Conf<'_>, reload: bool) -> Result<Cycle> {
    let addresses: Vec<ngx_listening_t> = conf
        .listening()
        .iter()
        .map(|&listening| ngx_listening_t {
            fd: -1,
            connection: ptr::null_mut(),
            ..listening
        })
        .collect();
    let listening = pool.put_all(&addresses)?.as_ptr();

    let copy = pool.put(ngx_core_conf_t {
        listening,
        ..conf.copy()
    })?;
    let conf_ctx = pool.put(copy.as_ptr())?;
    let log = put_log(pool, conf)?;

    let cycle = pool.put(ngx_cycle_t {
        conf_ctx: conf_ctx.as_ptr().cast(),
        pool: pool.as_ptr(),
        log: log.as_ptr(),
        modules: conf.modules(),
        modules_n: conf.count_modules(),
        listening,
        listening_n: addresses.len(),
    })?;

    // Last, since nothing closes the file if something else fails.
    log.replace_file(open_error_log(conf, reload)?);
    pool.set_log(log);

    // SAFETY: all that the cycle points to is in its pool, or lives as long as
    // the program, as the configuration's modules do.
    unsafe { Cycle::from_ptr(cycle.as_ptr()) }.ok_or(Status::Error)
}

/// A log as `conf` asks for, on stderr for now.
fn put_log(pool: Pool, conf: Conf<'_>) -> Result<ErrorLog> {
    let file = pool.put(ngx_open_file_s {
        fd: libc::STDERR_FILENO,
        name: ngx_str_t {
            len: 0,
            data: conf.copy().error_log.cast_mut().cast(),
        },
    })?;
    let log = pool.put(ngx_log_s::new(conf.copy().log_level, file.as_ptr()))?;

    // SAFETY: the log and its file are in the pool, which lives as long as the
    // cycle that has the log.
    unsafe { ErrorLog::from_ptr(log.as_ptr()) }.ok_or(Status::Error)
}

/// Opens the file of the log. If that fails, the log is stderr at the start of
/// a program; a reload fails.
fn open_error_log(conf: Conf<'_>, reload: bool) -> Result<ngx_fd_t> {
    // The workers' user may be able to change the directory of the log.
    let owner = conf
        .identity()
        .ok()
        .flatten()
        .map(|identity| Owner::May(identity.user.as_raw()));

    match conf.error_log() {
        None => Ok(libc::STDERR_FILENO),
        Some(path) if reload => open(path, owner).map_err(|err| {
            Cycle::log_of(Cycle::current()).fail(
                Level::Emerg,
                err,
                format_args!("open() \"{}\" failed", path.display()),
            )
        }),
        Some(path) => Ok(open_or_stderr(path, owner)),
    }
}
