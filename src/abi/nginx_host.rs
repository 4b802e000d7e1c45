//! The functions that only `nginx/ngx_ipc_host.c` calls.

use std::ffi::{CStr, c_char, c_void};
use std::ptr::NonNull;

use crate::config::{NGX_ERROR, ngx_fd_t, ngx_int_t, ngx_pid_t, ngx_uint_t};
use crate::host::globals::GLOBALS;
use crate::host::logs::log_of;
use crate::host::messages::epoch;
use crate::host::messages::settings::{Settings, nanoseconds};
use crate::host::nginx::kept_zone::ngx_ipc_kept_zone_t;
use crate::host::nginx::{channel, kept_zones, loaded, message_conf, message_loop, type_room};
use crate::host::shm_zone::{Zone, ngx_shm_zone_t};
use crate::host::shmem::ngx_shm_t;
use crate::host::signal_handler::init_signals;
use crate::host::{ngx_log_t, slab, typed_zones};
use crate::status::code;
use crate::sys::text::Text;

/// Sets up the signals: the part of `ngx_init_signals()` that the library does.
/// `ngx_ipc_host.c` defines `ngx_init_signals()`.
///
/// # Safety
///
/// `log` is NULL or a valid log.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_init_signals(log: *mut ngx_log_t) -> ngx_int_t {
    // SAFETY: `ngx_ipc_host.c` passes NULL or a valid log.
    code(init_signals(unsafe { log_of(log) }))
}

/// Releases the lock of a zone of `size` bytes, which begins at `pool`, if the process `pid` has
/// held it and has exited. Returns whether it has released the lock. Async-signal-safe.
///
/// # Safety
///
/// `pool` is NULL, or the beginning of a zone with a slab pool.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_unlock(
    pool: *mut c_void,
    size: usize,
    pid: ngx_pid_t,
) -> ngx_uint_t {
    // SAFETY: `ngx_ipc_host.c` passes a zone of `ngx_cycle`. nginx unmaps the zone only when
    // this cycle is no longer `ngx_cycle`.
    unsafe { NonNull::new(pool).is_some_and(|pool| slab::release_of_dead(pool, size, pid)) }.into()
}

/// The function `init` of typed zones, which nginx calls when the zone has memory. Returns NGX_OK,
/// or NGX_ERROR with an emergency in the log of the zone.
///
/// # Safety
///
/// `zone` is NULL or a zone of the cycle that nginx makes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_init(
    zone: *mut ngx_shm_zone_t,
    _data: *mut c_void,
) -> ngx_int_t {
    // SAFETY: nginx passes a zone of the cycle that it makes.
    unsafe { Zone::from_ptr(zone) }.map_or(NGX_ERROR, |zone| code(typed_zones::init(zone)))
}

/// Gives a new zone the content that an earlier nginx has left, and its file a name, see
/// `ngx_ipc_keep_zones.c`. `is_known`: the zone has a structure that can be checked.
/// `is_upgrade`: an nginx that runs has started this one at SIGUSR2. Returns NGX_ERROR,
/// with a line in the log, if nginx cannot continue.
///
/// # Safety
///
/// `shm` is NULL or a zone of nginx's cycle, and `kept` is NULL or describes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_publish(
    shm: *const ngx_shm_t,
    kept: *const ngx_ipc_kept_zone_t,
    is_known: ngx_uint_t,
    is_upgrade: ngx_uint_t,
) -> ngx_int_t {
    // SAFETY: `ngx_ipc_keep_zones.c` passes valid structures.
    let (Some(shm), Some(kept)) = (unsafe { shm.as_ref() }, unsafe { kept.as_ref() }) else {
        return NGX_ERROR;
    };

    // SAFETY: the texts of `kept` and the log belong to the cycle, which lives longer than this
    // call.
    let (zone, identity) = unsafe { (kept.file(log_of(shm.log)), kept.identity()) };

    code(kept_zones::publish(
        shm.addr.addr(),
        &zone,
        identity,
        is_known != 0,
        is_upgrade != 0,
    ))
}

/// Stores the role of this process, a worker or helper, when it has added its channel `fd` to
/// its event loop: nginx has set the role by then.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_channel_added(fd: ngx_fd_t) {
    channel::added(&GLOBALS, fd);
}

/// nginx reads a configuration. What modules register from now on belongs to it.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_messages_new_cycle() {
    epoch::begin_next();
}

/// Checks the settings of messages in a configuration; `spin` is in microseconds.
/// Returns NULL, or a text that follows the words `"ipc_messages" directive` in the log.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_messages_check(
    memory: usize,
    largest: usize,
    processes: ngx_uint_t,
    spin: ngx_uint_t,
) -> *const c_char {
    message_conf::check(memory, largest, processes, spin).map_or(std::ptr::null(), CStr::as_ptr)
}

/// Counts the types of a configuration that are not registered yet, one at each call.
/// `others` is the number before the type with this name. Returns the number with this
/// type, or NGX_ERROR if there is no room for so many.
///
/// # Safety
///
/// `name` is NULL or a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_messages_count_type(
    name: *const c_char,
    others: ngx_uint_t,
) -> ngx_int_t {
    // SAFETY: the caller passes NULL or a string.
    type_room::count(unsafe { Text::from_ptr(name) }, others)
}

/// Sets what the configuration says of messages, before nginx starts its first process.
/// The sizes are in bytes, `spin` is in microseconds, and 0 means the default.
/// `children` is the number of workers and helpers.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_messages_configure(
    always: ngx_uint_t,
    memory: usize,
    largest: usize,
    processes: ngx_uint_t,
    spin: ngx_uint_t,
    children: ngx_uint_t,
) {
    message_loop::configure(Settings {
        always: always != 0,
        memory,
        largest,
        processes,
        spin: nanoseconds(spin),
        children,
    });
}

/// In the master of an unmodified nginx that has loaded the library as a module: nginx
/// starts so many processes next, for the configuration that it has read.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_messages_begin(workers: ngx_uint_t, helpers: ngx_uint_t) {
    loaded::begin(workers, helpers);
}

/// The wake-up descriptor of this process, which nginx's event loop watches from now on; -1: it
/// has no messages; `NGX_AGAIN`: it has none yet, and the caller calls the function again later.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_messages_watch() -> ngx_fd_t {
    message_loop::watch().to_c()
}

/// Handles the messages that have arrived: the wake-up descriptor is readable, or the timer of
/// the messages has expired.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_messages_process() {
    message_loop::process();
}

/// Senders wake up this process from now on. Returns the milliseconds after which the event
/// loop handles messages all the same; -1: not before.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_messages_prepare_sleep() -> ngx_int_t {
    message_loop::prepare_sleep()
}

/// Before the master exits: handles the messages that have arrived, and gives back what
/// it has in the memory of the messages, because a new binary can go on with this memory.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_messages_leave() {
    message_loop::leave();
}

/// Handles the messages that have arrived, before this process exits.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_messages_finish() {
    message_loop::finish();
}
