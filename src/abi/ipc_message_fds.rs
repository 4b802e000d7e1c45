//! The part of `ngx_ipc_message.h` for messages with descriptors.

use std::ffi::c_void;
use std::os::fd::RawFd;
use std::slice;

use super::ipc_message::{count, sent, valid};
use crate::config::{ngx_fd_t, ngx_int_t, ngx_uint_t};
use crate::host::messages::send::{self, Failure, payload};
use crate::host::messages::types::{ngx_ipc_message_type_t, ngx_ipc_to_t};
use crate::sys::descriptors::MAX;

/// The descriptors that C passes.
///
/// # Safety
///
/// `fds` has `n` elements as long as the result is used, or is NULL.
unsafe fn descriptors<'a>(fds: *const ngx_fd_t, n: usize) -> Result<&'a [RawFd], Failure> {
    if fds.is_null() || n > MAX {
        return Err(Failure::Invalid);
    }

    // SAFETY: `fds` is not NULL, and the caller passes an array with `n` elements.
    Ok(unsafe { slice::from_raw_parts(fds, n) })
}

/// Sends a copy of the `len` bytes at `data` to one process, with copies of the
/// `n` descriptors at `fds`, 1 to 16. The type has NGX_IPC_MESSAGE_DESCRIPTORS.
/// `to` is an address as for ngx_ipc_message_send().
///
/// Returns the results of ngx_ipc_message_send(). The result is NGX_AGAIN also if
/// too many descriptors are on the way to the receiver, or from all processes of the
/// user, see RLIMIT_NOFILE in `unix(7)`. It is NGX_ERROR with EBADF if one of the
/// descriptors is not open. The caller's descriptors stay open.
///
/// # Safety
///
/// `type` is NULL or a type; `data` has `len` bytes; `fds` has `n` elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_message_send_fds(
    r#type: *mut ngx_ipc_message_type_t,
    to: ngx_ipc_to_t,
    data: *const c_void,
    len: usize,
    fds: *const ngx_fd_t,
    n: ngx_uint_t,
) -> ngx_int_t {
    // SAFETY: C passes a `data` with `len` bytes, and `fds` with `n` elements.
    let (bytes, fds) = unsafe { (payload(data, len), descriptors(fds, n)) };

    sent(bytes.and_then(|bytes| send::send_fds(valid(r#type)?, to, bytes, fds?)))
}

/// Sends a copy of the `len` bytes at `data` to all processes of a set, with copies
/// of the `n` descriptors at `fds`, 1 to 16. The type has NGX_IPC_MESSAGE_DESCRIPTORS.
/// The message is not kept for processes that come later.
///
/// Returns the results of ngx_ipc_message_broadcast().
///
/// # Safety
///
/// `type` is NULL or a type; `data` has `len` bytes; `fds` has `n` elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_message_broadcast_fds(
    r#type: *mut ngx_ipc_message_type_t,
    set: ngx_uint_t,
    data: *const c_void,
    len: usize,
    fds: *const ngx_fd_t,
    n: ngx_uint_t,
) -> ngx_int_t {
    // SAFETY: C passes a `data` with `len` bytes, and `fds` with `n` elements.
    let (bytes, fds) = unsafe { (payload(data, len), descriptors(fds, n)) };

    count(bytes.and_then(|bytes| send::broadcast(valid(r#type)?, set, bytes, Some(fds?))))
}
