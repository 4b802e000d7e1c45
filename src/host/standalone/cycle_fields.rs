//! The fields of a cycle that the library itself does not use: nginx has them, and
//! programs read them.

use std::ffi::c_void;
use std::os::unix::ffi::OsStrExt;
use std::ptr::{self, NonNull};

use super::conf::Conf;
use super::palloc::Pool;
use super::socket_names::put_text;
use super::types::{ngx_array_t, ngx_core_conf_t, ngx_cycle_t, ngx_list_t};
use crate::config::ngx_str_t;
use crate::host::shm_zone::ngx_shm_zone_s;
use crate::status::Result;
use crate::sys::log_socket::{HOST_NAME, host_name};

/// The number of elements for which an empty array of a cycle has room.
const ROOM: usize = 4;

/// Moves `cycle` into the pool, and gives its empty arrays and lists memory, so that a
/// program can add elements.
pub fn put_cycle(pool: Pool, mut cycle: ngx_cycle_t) -> Result<NonNull<ngx_cycle_t>> {
    cycle.paths = array(pool, size_of::<*mut c_void>())?;
    cycle.config_dump = array(pool, size_of::<ngx_str_t>() + size_of::<*mut c_void>())?;
    cycle.open_files = list(pool, 5 * size_of::<usize>())?;
    cycle.shared_memory = list(pool, size_of::<ngx_shm_zone_s>())?;

    let mut place = pool.put(cycle)?;

    // SAFETY: the cycle has just been put there, and nothing else uses it.
    let cycle = unsafe { place.as_mut() };

    cycle.reusable_connections_queue.prev = &raw mut cycle.reusable_connections_queue;
    cycle.reusable_connections_queue.next = &raw mut cycle.reusable_connections_queue;
    cycle.config_dump_rbtree.root = &raw mut cycle.config_dump_sentinel;
    cycle.config_dump_rbtree.sentinel = &raw mut cycle.config_dump_sentinel;
    cycle.open_files.last = &raw mut cycle.open_files.part;
    cycle.shared_memory.last = &raw mut cycle.shared_memory.part;

    Ok(place)
}

fn array(pool: Pool, size: usize) -> Result<ngx_array_t> {
    Ok(ngx_array_t {
        elts: pool.allocate(ROOM * size)?.as_ptr(),
        nelts: 0,
        size,
        nalloc: ROOM,
        pool: pool.as_ptr().cast(),
    })
}

fn list(pool: Pool, size: usize) -> Result<ngx_list_t> {
    let mut list = ngx_list_t::none();

    list.part.elts = pool.allocate(ROOM * size)?.as_ptr();
    list.size = size;
    list.nalloc = ROOM;
    list.pool = pool.as_ptr().cast();

    Ok(list)
}

/// Makes the array of configurations: the first is that of `ngx_core_module`, the
/// others are those of the modules, which have none yet.
pub fn put_conf_ctx(
    pool: Pool,
    conf: Conf<'_>,
    core: NonNull<ngx_core_conf_t>,
) -> Result<*mut *mut *mut *mut c_void> {
    let n = conf.count_modules() + 1;
    let first = pool
        .allocate_zeroed(n * size_of::<*mut c_void>())?
        .cast::<*mut ngx_core_conf_t>();

    // SAFETY: the array has just been allocated, with at least one element.
    unsafe { first.write(core.as_ptr()) };

    Ok(first.as_ptr().cast())
}

/// The user and group of the workers; -1 if they are those of the master.
pub fn user_and_group(conf: Conf<'_>) -> (libc::uid_t, libc::gid_t) {
    match conf.identity() {
        Ok(Some(identity)) => (identity.user.as_raw(), identity.group.as_raw()),
        _ => (libc::uid_t::MAX, libc::gid_t::MAX),
    }
}

/// Copies the name of the old binary's pid file to the pool.
pub fn put_oldpid(pool: Pool, conf: Conf<'_>) -> Result<ngx_str_t> {
    let Some(pid) = conf.pid().map(|pid| pid.as_os_str().as_bytes()) else {
        return Ok(ngx_str_t::empty());
    };
    let mut text = Vec::new();
    let ext = b".oldbin";

    if text.try_reserve(pid.len() + ext.len()).is_err() {
        return Ok(ngx_str_t::empty());
    }

    text.extend_from_slice(pid);
    text.extend_from_slice(ext);

    put_text(pool, &text)
}

/// Copies the name of this host to the pool.
pub fn put_hostname(pool: Pool) -> Result<ngx_str_t> {
    let mut name = [0; HOST_NAME];
    let len = host_name(&mut name);

    put_text(pool, name.get(..len).unwrap_or_default())
}

/// The text as a string of nginx; the text lives as long as the cycle.
pub fn text(text: Option<&[u8]>) -> ngx_str_t {
    text.map_or(ngx_str_t::empty(), |text| ngx_str_t {
        len: text.len(),
        data: ptr::from_ref(text).cast_mut().cast(),
    })
}
