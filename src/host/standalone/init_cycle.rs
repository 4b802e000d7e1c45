//! Makes a cycle of a configuration, at the start of a program and at each
//! reload.

use std::ptr::NonNull;
use std::sync::atomic::Ordering::Relaxed;

use super::addresses::Addresses;
use super::conf::Conf;
use super::cycle::{Cycle, EMPTY};
use super::cycle_fields;
use super::draft::Draft;
use super::event_loop;
use super::listening_sockets;
use super::log_conf;
use super::module_conf;
use super::old_cycle::{self, destroy, retire};
use super::open_sockets::{Assigned, OpenSockets};
use super::palloc::{NGX_DEFAULT_POOL_SIZE, Pool};
use super::pidfile;
use super::reopen::redirect_stderr;
use super::shared_memory_add;
use super::socket_names;
use super::types::{ngx_array_t, ngx_core_conf_t, ngx_cycle_t};
use super::variables::ngx_cycle;
use super::{zone_files, zones};
use crate::config::ngx_str_t;
use crate::host::sized;
use crate::log::{Level, Log};
use crate::status::{Result, Status};

/// Makes the first cycle of a program. `inherited` are the listening sockets
/// that another binary has handed down. Inherited sockets whose address `conf`
/// does not name are closed.
///
/// Returns an error, with an emergency in `log`, if anything fails.
pub fn first_cycle(log: Log, conf: Conf<'_>, inherited: OpenSockets<'_>) -> Result<Cycle> {
    new_cycle(log, conf, None, inherited).inspect(|&cycle| listening_sockets::configure(cycle))
}

/// Makes a new cycle of a copy of the configuration of `old`, after the
/// program's function `reconfigure` has changed the copy. The new cycle becomes
/// `ngx_cycle`. Files and sockets that only `old` has are closed.
///
/// Returns an error, with the reason in the log of `old`, if anything fails.
/// Then `old` stays in use, unchanged.
///
/// # Safety
///
/// After success, nothing uses `old` or its log, except the open connections of
/// a single process.
pub unsafe fn reload(old: Cycle) -> Result<Cycle> {
    let log = old.log();

    if !old.is_configured() {
        return Err(log.refuse(format_args!("there is no configuration to reload")));
    }

    // `reconfigure` changes a copy, so that the old configuration stays in use
    // if `reconfigure` refuses.
    let mut draft = Draft::of(old.conf(), log)?;

    if !draft.reconfigure() {
        log.error(Level::Emerg, None, format_args!("configuration refused"));
        return Err(Status::Error);
    }

    draft.conf().check_sizes(log)?;
    old_cycle::reserve(log)?;

    let new = new_cycle(log, draft.conf(), Some(old), OpenSockets::of(old)?)?;

    pidfile::change(old, new, log).inspect_err(|_| discard(new, Some(old)))?;
    zones::take_over(new, old);
    zone_files::publish(new.log());

    // Signal handlers log to the new cycle from now on. If the program has set
    // `ngx_cycle` to a cycle of its own, `ngx_cycle` stays.
    let _ = ngx_cycle.compare_exchange(old.as_ptr(), new.as_ptr(), Relaxed, Relaxed);

    event_loop::publish(new);
    redirect_stderr(new);
    listening_sockets::configure(new);

    // SAFETY: the caller does not use `old` after success, except in
    // connections of a single process, and `ngx_cycle` is not `old` any more.
    unsafe { retire(old, new) };

    Ok(new)
}

/// Makes a cycle: checks the configuration, opens the log, the zones of shared memory and
/// the listening sockets, and calls the modules' hooks. `sockets` are listening sockets that are open
/// already.
fn new_cycle(
    log: Log,
    conf: Conf<'_>,
    old: Option<Cycle>,
    sockets: OpenSockets<'_>,
) -> Result<Cycle> {
    conf.check(log)?;

    let workers = if conf.master() {
        conf.worker_processes()
    } else {
        1
    };
    let assigned = sockets.assign(conf.listening(), workers, log)?;
    let cycle = allocate(conf, old, &assigned)?;

    shared_memory_add::declaring(cycle, || module_conf::make(cycle, log))
        .and_then(|()| zones::init_all(cycle, old, log))
        .and_then(|()| listening_sockets::open(cycle, assigned, log))
        .and_then(|()| socket_names::put(cycle))
        .and_then(|()| cycle.modules().init_module(old.is_none(), log))
        .inspect_err(|_| discard(cycle, old))?;
    cycle.clear_old();

    Ok(cycle)
}

/// Destroys a cycle that could not be completed. Only this file knows the
/// cycle.
fn discard(new: Cycle, old: Option<Cycle>) {
    // SAFETY: `ngx_cycle` has never been `new`, and the callers drop `new`. A
    // module whose hook has got `new` must not use it after a failure.
    unsafe { destroy(new, old) };
}

/// Makes a cycle in a new pool, with a copy of `conf` and a new log.
fn allocate(conf: Conf<'_>, old: Option<Cycle>, assigned: &[Assigned]) -> Result<Cycle> {
    // At the start of a program, the log is that of the cycle `Cycle::boot`.
    let log = old.or_else(Cycle::current).and_then(Cycle::error_log);
    let pool = Pool::create(NGX_DEFAULT_POOL_SIZE, log)?;

    fill_pool(pool, conf, old.or_else(Cycle::current), assigned).inspect_err(|_| {
        // SAFETY: making the cycle has failed, so nothing has a pointer into
        // the new pool.
        unsafe { pool.destroy() };
    })
}

fn fill_pool(
    pool: Pool,
    conf: Conf<'_>,
    old: Option<Cycle>,
    assigned: &[Assigned],
) -> Result<Cycle> {
    let listening = put_addresses(pool, conf, assigned)?;
    let copy = put_conf(pool, conf, listening)?;
    let conf_ctx = cycle_fields::put_conf_ctx(pool, conf, copy)?;
    let log = log_conf::put_log(pool, conf)?;

    for ls in listening.iter() {
        ls.set_log(log.as_ptr());
    }

    let cycle = cycle_fields::put_cycle(
        pool,
        ngx_cycle_t {
            conf_ctx,
            pool: pool.as_ptr(),
            log: log.as_ptr(),
            modules: conf.modules(),
            modules_n: conf.count_modules(),
            modules_used: 1,
            listening: ngx_array_t {
                elts: listening.as_ptr().cast(),
                nelts: listening.count(),
                size: conf.listening_size(),
                nalloc: listening.count(),
                pool: pool.as_ptr().cast(),
            },
            old_cycle: Cycle::optional_ptr(old),
            error_log: cycle_fields::text(conf.error_log_text()),
            hostname: cycle_fields::put_hostname(pool)?,
            ..EMPTY
        },
    )?;

    // The file is opened last, because nothing would close it if a later step
    // failed.
    log_conf::open_file(log, conf)?;
    pool.set_log(log);

    // SAFETY: the memory that the cycle points to is in the pool of the cycle,
    // or lives as long as the program, as the modules of the configuration do.
    unsafe { Cycle::from_ptr(cycle.as_ptr()) }.ok_or(Status::Error)
}

/// Copies the addresses of `conf` to the pool, once for each of the sockets
/// `assigned`. The copies have no sockets yet.
fn put_addresses(pool: Pool, conf: Conf<'_>, assigned: &[Assigned]) -> Result<Addresses> {
    let from = conf.listening();
    let memory = pool.allocate(from.bytes_of(assigned.len()))?;
    let which = assigned.iter().map(|assigned| assigned.entry);

    // SAFETY: `memory` has room for these elements and is aligned for any type,
    // and the pool lives as long as the cycle.
    let addresses = unsafe { from.copy_some(memory, which) };

    for (ls, assigned) in addresses.iter().zip(assigned) {
        ls.set_fd(-1);
        ls.set_number(assigned.number);
        ls.set_name(std::ptr::null_mut(), 0, ngx_str_t::empty());
    }

    Ok(addresses)
}

/// Copies `conf` to the pool, with `addresses` as the addresses. If the
/// program's headers are newer, the structure has room for the fields that only
/// these headers have, filled with zeros.
fn put_conf(pool: Pool, conf: Conf<'_>, addresses: Addresses) -> Result<NonNull<ngx_core_conf_t>> {
    let copy = pool
        .allocate_zeroed(sized::for_both::<ngx_core_conf_t>(conf.size()))?
        .cast();

    let (user, group) = cycle_fields::user_and_group(conf);

    // SAFETY: `copy` points to memory that has just been allocated, with at
    // least the size of the structure.
    unsafe {
        copy.write(ngx_core_conf_t {
            listening: addresses.as_ptr(),
            user,
            group,
            oldpid: cycle_fields::put_oldpid(pool, conf)?,
            ..conf.copy()
        });
    }

    Ok(copy)
}
