//! The part of `ngx_ipc_zone.h` for queues and tables.

use std::ffi::c_void;
use std::sync::atomic::AtomicU8;

use super::ipc_zone::{done, piece};
use crate::config::{NGX_DECLINED, NGX_ERROR, NGX_OK, ngx_int_t, ngx_uint_t, u_char};
use crate::host::shm_zone::{Zone, ngx_shm_zone_t};
use crate::host::zone_structures as structures;

/// The bytes of C at `p`; none if `p` is NULL.
///
/// # Safety
///
/// `p` is NULL or has `len` bytes as long as the result is used.
unsafe fn bytes<'a>(p: *const u_char, len: usize) -> &'a [AtomicU8] {
    if p.is_null() {
        return &[];
    }

    // SAFETY: the caller passes this many bytes. Another process can change them if they are in a
    // zone, so they are atomics. The functions only read them.
    unsafe { std::slice::from_raw_parts(p.cast(), len) }
}

/// NGX_OK if something was found, else NGX_DECLINED; NGX_ERROR for `None`.
fn found(is_found: Option<bool>) -> ngx_int_t {
    is_found.map_or(
        NGX_ERROR,
        |is_found| {
            if is_found { NGX_OK } else { NGX_DECLINED }
        },
    )
}

/// A number for C; NGX_ERROR for `None`.
pub(super) fn number(n: Option<usize>) -> ngx_int_t {
    n.and_then(|n| n.try_into().ok()).unwrap_or(NGX_ERROR)
}

/// Inserts the element `x` at the head of the queue `h` as ngx_queue_insert_head() does, in the
/// transaction that this process has begun. Head and elements are in the zone.
///
/// Returns NGX_OK. Returns NGX_ERROR as ngx_ipc_zone_save() does, and also if another process
/// has overwritten the queue.
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_queue_insert_head(
    zone: *mut ngx_shm_zone_t,
    h: *mut c_void,
    x: *mut c_void,
) -> ngx_int_t {
    // SAFETY: C passes NULL or a zone.
    unsafe {
        done(zone, |zone| {
            structures::insert_head(zone, h.addr(), x.addr())
        })
    }
}

/// Inserts the element `x` at the tail of the queue `h` as ngx_ipc_zone_queue_insert_head()
/// does at the head.
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_queue_insert_tail(
    zone: *mut ngx_shm_zone_t,
    h: *mut c_void,
    x: *mut c_void,
) -> ngx_int_t {
    // SAFETY: C passes NULL or a zone.
    unsafe {
        done(zone, |zone| {
            structures::insert_tail(zone, h.addr(), x.addr())
        })
    }
}

/// Removes the element `x` from its queue, as ngx_queue_remove() does. The results are those of
/// ngx_ipc_zone_queue_insert_head().
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_queue_remove(
    zone: *mut ngx_shm_zone_t,
    x: *mut c_void,
) -> ngx_int_t {
    // SAFETY: C passes NULL or a zone.
    unsafe { done(zone, |zone| structures::remove(zone, x.addr())) }
}

/// Finds the element after `x` in the queue with the head `h`, as ngx_queue_next() does, in the
/// transaction that this process has begun. `x` is the head, or an element that is in the queue. So
/// a program that removes `x` asks for the next element before.
///
/// Returns the element; NULL if `x` is the last one. Also returns NULL, with an alert in the log of
/// ngx_cycle, if this process has not begun a transaction, or if another process has
/// overwritten the queue.
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_queue_next(
    zone: *mut ngx_shm_zone_t,
    h: *mut c_void,
    x: *mut c_void,
) -> *mut c_void {
    // SAFETY: C passes NULL or a zone.
    unsafe { piece(zone, |zone| structures::next(zone, h.addr(), x.addr())) }
}

/// Counts the elements of the queue with the head `h`, in the transaction that this process has
/// begun.
///
/// Returns their number. Returns NGX_ERROR, with an alert in the log of ngx_cycle, if this process
/// has not begun a transaction, or if another process has overwritten the queue.
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_queue_count(
    zone: *mut ngx_shm_zone_t,
    h: *mut c_void,
) -> ngx_int_t {
    // SAFETY: C passes NULL or a zone.
    number(unsafe { Zone::from_ptr(zone) }.and_then(|zone| structures::queue_count(zone, h.addr())))
}

/// Makes a table in the zone, in the transaction that this process has begun: it maps keys to
/// values of `size` bytes. `n` is the expected number of keys. The table has so many lists, rounded
/// up to a power of two.
///
/// Returns the table, or NULL as ngx_ipc_zone_alloc() does.
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_hash_create(
    zone: *mut ngx_shm_zone_t,
    n: ngx_uint_t,
    size: usize,
) -> *mut c_void {
    // SAFETY: C passes NULL or a zone.
    unsafe { piece(zone, |zone| structures::create(zone, n, size)) }
}

/// Finds the value of the key of `len` bytes at `key` in a table with values of `size` bytes. This
/// process has begun a transaction.
///
/// Returns the value, at an address that is a multiple of the size of a pointer. It is valid until
/// the key is deleted. A program that changes it calls ngx_ipc_zone_save() first, or
/// ngx_ipc_zone_hash_set(). Returns NULL if the table has no such key. Also returns NULL, with
/// an alert in the log of ngx_cycle, if `hash` is no table with values of this size, or if another
/// process has overwritten it.
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use. `key` is NULL or has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_hash_get(
    zone: *mut ngx_shm_zone_t,
    hash: *mut c_void,
    key: *const u_char,
    len: usize,
    size: usize,
) -> *mut c_void {
    // SAFETY: C passes NULL or a zone, and NULL or a key with this length.
    unsafe {
        piece(zone, |zone| {
            structures::get(zone, hash.addr(), bytes(key, len), size)
        })
    }
}

/// Sets the value of the key of `len` bytes at `key` to a copy of the `size` bytes at `value`, in
/// the transaction that this process has begun.
///
/// Returns NGX_OK. Returns NGX_ERROR, with a line in the log of ngx_cycle, if there is no memory,
/// as ngx_ipc_zone_save() does, or as ngx_ipc_zone_hash_get() does. The program then calls
/// ngx_ipc_zone_abort().
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use. `key` is NULL or has `len` bytes, `value` is
/// NULL or has `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_hash_set(
    zone: *mut ngx_shm_zone_t,
    hash: *mut c_void,
    key: *const u_char,
    len: usize,
    value: *const c_void,
    size: usize,
) -> ngx_int_t {
    // SAFETY: C passes NULL or a zone, and NULL or bytes with these lengths.
    unsafe {
        let (key, value) = (bytes(key, len), bytes(value.cast(), size));

        done(zone, |zone| structures::set(zone, hash.addr(), key, value))
    }
}

/// Deletes the key of `len` bytes at `key`, in the transaction that this process has begun.
///
/// Returns NGX_OK, or NGX_DECLINED if the table has no such key. Returns NGX_ERROR, with an
/// alert in the log of ngx_cycle, as ngx_ipc_zone_free() and ngx_ipc_zone_hash_get() do. The
/// program then calls ngx_ipc_zone_abort().
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use. `key` is NULL or has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_hash_delete(
    zone: *mut ngx_shm_zone_t,
    hash: *mut c_void,
    key: *const u_char,
    len: usize,
) -> ngx_int_t {
    // SAFETY: C passes NULL or a zone, and NULL or a key with this length.
    let deleted = unsafe {
        Zone::from_ptr(zone).and_then(|zone| structures::delete(zone, hash.addr(), bytes(key, len)))
    };

    found(deleted)
}

/// Returns the number of keys of a table, in the transaction that this process has begun. Returns
/// NGX_ERROR as ngx_ipc_zone_hash_delete() does.
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_hash_count(
    zone: *mut ngx_shm_zone_t,
    hash: *mut c_void,
) -> ngx_int_t {
    // SAFETY: C passes NULL or a zone.
    number(
        unsafe { Zone::from_ptr(zone) }.and_then(|zone| structures::hash_count(zone, hash.addr())),
    )
}

/// Finds the next entry of a table with values of `size` bytes, in the transaction that this
/// process has begun, and sets `key`, `len` and `value` of `walk`. Before the first call, the
/// program sets all fields of `walk` to 0. Key and value are valid until the entry is deleted and
/// the transaction has ended.
///
/// Each entry is found once, in any order. The program can delete the entry that was found, and
/// change values. If it adds a key, or deletes another one that was not found yet, the walk can
/// find this key or not.
///
/// Returns NGX_OK, or NGX_DECLINED if there is no further entry. Returns NGX_ERROR, with an alert
/// in the log of ngx_cycle, as ngx_ipc_zone_hash_get() does.
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use. `walk` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_hash_next(
    zone: *mut ngx_shm_zone_t,
    hash: *mut c_void,
    walk: *mut structures::ngx_ipc_zone_hash_walk_t,
    size: usize,
) -> ngx_int_t {
    // SAFETY: C passes NULL or a zone, and NULL or a valid structure.
    let step = unsafe {
        Zone::from_ptr(zone)
            .zip(walk.as_mut())
            .and_then(|(zone, walk)| structures::hash_next(zone, hash.addr(), size, walk))
    };

    found(step)
}
