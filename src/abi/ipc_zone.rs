//! `ngx_ipc_zone.h`: typed zones and their transactions.

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use crate::config::{NGX_ERROR, NGX_OK, ngx_int_t, ngx_str_t};
use crate::host::shm_zone::{Zone, ngx_shm_zone_t};
use crate::host::zone_type::ngx_ipc_zone_type_t;
use crate::host::{ngx_cycle_t, typed_zones, zone_transaction};

/// NGX_OK if `work` with the zone returns true, else NGX_ERROR.
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use.
#[inline(always)]
pub(super) unsafe fn done(zone: *mut ngx_shm_zone_t, work: impl FnOnce(Zone) -> bool) -> ngx_int_t {
    // SAFETY: the caller passes NULL or a zone.
    if unsafe { Zone::from_ptr(zone) }.is_some_and(work) {
        NGX_OK
    } else {
        NGX_ERROR
    }
}

/// The piece of the zone's memory that `work` has allocated; NULL for `None`.
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use.
pub(super) unsafe fn piece(
    zone: *mut ngx_shm_zone_t,
    work: impl FnOnce(Zone) -> Option<usize>,
) -> *mut c_void {
    // SAFETY: the caller passes NULL or a zone.
    let zone = unsafe { Zone::from_ptr(zone) };

    zone.and_then(|zone| Some(zone.memory().with_addr(work(zone)?)))
        .unwrap_or(ptr::null_mut())
}

/// Declares a typed zone, or finds the zone of this name that the cycle has already.
/// Programs call the macro ngx_ipc_zone_add(), which passes the size of the structure
/// `type`. A module calls it in create_conf or init_conf with the cycle that it gets there, or in
/// the function of a directive with `cf->cycle`. `size` is that of the zone in bytes. In nginx,
/// the text of `name` stays valid as long as the cycle, and the module does not set `init` of the
/// zone.
///
/// When all modules have their configurations, each zone gets its memory, and `data` of the
/// zone becomes the address of the root. The module does not change `data`. If the old cycle,
/// or the old binary with `keep_zones`, has a typed zone with this name, size, type, version
/// and size of the root, the zone gets its memory with its content. If one of them differs,
/// the zone gets new memory, and then `migrate` of the type is called.
///
/// Without `migrate`, the zone gets a new root if only its size differs. If the type, its
/// version or the size of the root differs, a reload fails, with an emergency in the log; a
/// new binary logs a warning, and the zone gets a new root.
///
/// Returns the zone. Returns NULL, with an emergency in the log of the cycle, if there is no
/// memory, if the type has no name or one with more than 64 bytes, if the zone was declared for
/// another use, or, in a program without nginx, if the cycle is in use already.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle; in nginx, one whose configuration nginx reads now. `type` is
/// NULL or has `type_size` bytes. `name` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_add_size(
    cycle: *mut ngx_cycle_t,
    r#type: *const ngx_ipc_zone_type_t,
    type_size: usize,
    name: *const ngx_str_t,
    size: usize,
) -> *mut ngx_shm_zone_t {
    let given = NonNull::new(r#type.cast_mut());

    // SAFETY: C passes NULL or a valid cycle, NULL or a valid string, and NULL or a type of
    // this size.
    let zone = unsafe {
        given
            .zip(name.as_ref())
            .and_then(|(given, name)| typed_zones::add(cycle, given, type_size, name, size))
    };

    zone.map_or(ptr::null_mut(), Zone::as_ptr)
}

/// Begins a transaction: takes the lock of the zone, and waits as long as another running
/// process holds it.
///
/// If a process has died in a transaction, the function first undoes its changes, or, if its
/// transaction was final, completes it, and logs a notice. If a process has died while it
/// held the lock, in a transaction or not, the function then calls `on_owner_died` of the
/// type.
///
/// Returns NGX_OK: the process holds the lock until ngx_ipc_zone_commit() or
/// ngx_ipc_zone_abort(). Returns NGX_ERROR, with an alert in the log of ngx_cycle and without
/// the lock, if this process holds the lock already, if the zone is not a typed zone, if
/// `on_owner_died` could not save or free something, or if another process has overwritten
/// the header of the zone or its undo log.
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use. One thread of a process uses the zone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_begin(zone: *mut ngx_shm_zone_t) -> ngx_int_t {
    // SAFETY: C passes NULL or a zone.
    unsafe { done(zone, zone_transaction::begin) }
}

/// Saves `size` bytes at `addr`, before the program changes them in the transaction. They
/// get their old value again if the transaction is undone. Bytes of a piece that was
/// allocated in this transaction need not be saved, nor bytes that are saved already.
///
/// The call takes 16 bytes of the undo log, and the words in which the saved bytes lie. The
/// log has `log_size` bytes; `docs/typed-zones.md` says what the other functions take.
///
/// Returns NGX_OK. Returns NGX_ERROR, with an alert in the log of ngx_cycle, if the log is
/// full, if the bytes are not in the pages of the pool, or if this process has not begun a
/// transaction. The program must not change the bytes then, and ngx_ipc_zone_commit() undoes
/// the transaction.
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_save(
    zone: *mut ngx_shm_zone_t,
    addr: *const c_void,
    size: usize,
) -> ngx_int_t {
    // SAFETY: C passes NULL or a zone.
    unsafe { done(zone, |zone| zone_transaction::save(zone, addr.addr(), size)) }
}

/// Allocates a piece of `size` bytes of the zone as ngx_slab_alloc() does. It is freed again
/// if the transaction is undone.
///
/// Returns the piece, which is not cleared. Returns NULL, with a line in the log of
/// ngx_cycle, if there is no memory, if the undo log is full, or if this process has not
/// begun a transaction. The transaction can go on.
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_alloc(zone: *mut ngx_shm_zone_t, size: usize) -> *mut c_void {
    // SAFETY: C passes NULL or a zone.
    unsafe { piece(zone, |zone| zone_transaction::alloc(zone, size)) }
}

/// Allocates a piece of `size` bytes as ngx_ipc_zone_alloc() does, and fills it with zeros.
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_calloc(
    zone: *mut ngx_shm_zone_t,
    size: usize,
) -> *mut c_void {
    // SAFETY: C passes NULL or a zone.
    unsafe { piece(zone, |zone| zone_transaction::calloc(zone, size)) }
}

/// Frees the piece `p` when the transaction is committed. Until then, the program can still read
/// it. It stays allocated if the transaction is undone. If no piece begins at `p`, the alert
/// comes when the transaction is committed, and nothing is freed.
///
/// Returns NGX_OK. Returns NGX_ERROR, with an alert in the log of ngx_cycle, if the undo log is
/// full, if `p` is not in the pages of the pool, or if this process has not begun a
/// transaction. Then ngx_ipc_zone_commit() undoes the transaction.
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use. No process uses the piece after the
/// transaction.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_free(zone: *mut ngx_shm_zone_t, p: *mut c_void) -> ngx_int_t {
    // SAFETY: C passes NULL or a zone.
    unsafe { done(zone, |zone| zone_transaction::free(zone, p.addr())) }
}

/// Makes the transaction final, frees the pieces of ngx_ipc_zone_free(), and releases the lock. If
/// the process dies in this function, all changes of the transaction take effect, or none.
///
/// Returns NGX_OK. Returns NGX_ERROR, with an alert in the log of ngx_cycle, if
/// ngx_ipc_zone_save() or ngx_ipc_zone_free() has failed: then the transaction is undone. Also
/// returns NGX_ERROR if this process has not begun a transaction, or if another process has
/// overwritten the undo log. The lock is released in all cases, if the process has it.
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_commit(zone: *mut ngx_shm_zone_t) -> ngx_int_t {
    // SAFETY: C passes NULL or a zone.
    unsafe { done(zone, zone_transaction::commit) }
}

/// Undoes the transaction: the saved bytes get their old value, and the pieces that were
/// allocated are freed. Then releases the lock.
///
/// Returns NGX_OK. Returns NGX_ERROR, with an alert in the log of ngx_cycle, if this process
/// has not begun a transaction, or if another process has overwritten the undo log. Then the
/// zone has no further transactions.
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_abort(zone: *mut ngx_shm_zone_t) -> ngx_int_t {
    // SAFETY: C passes NULL or a zone.
    unsafe { done(zone, zone_transaction::abort) }
}
