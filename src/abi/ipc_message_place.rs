//! The part of `ngx_ipc_message.h` for messages that are built in place.

use std::ffi::c_void;

use super::ipc_message::{sent, valid};
use crate::config::ngx_int_t;
use crate::host::messages::reservations;
use crate::host::messages::send::code;
use crate::host::messages::types::{ngx_ipc_message_type_t, ngx_ipc_to_t};

/// Makes room for a message of `len` bytes to one process, so that the program
/// builds the payload in place. `to` is an address as for ngx_ipc_message_send().
///
/// Returns the address of the payload, a multiple of 16, or NULL with `errno` set
/// as by ngx_ipc_message_send(). Until ngx_ipc_message_commit() or
/// ngx_ipc_message_cancel() no other message can be sent to this process: functions
/// that send to it fail with EBUSY, and a broadcast misses it. Types with
/// NGX_IPC_MESSAGE_CONTROL and types without it do not disturb each other.
///
/// # Safety
///
/// `type` is NULL or a type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_message_reserve(
    r#type: *mut ngx_ipc_message_type_t,
    to: ngx_ipc_to_t,
    len: usize,
) -> *mut c_void {
    reservations::reserve(valid(r#type), to, len).cast()
}

/// Sends a reserved message with the first `len` bytes of its payload. `data` is
/// the address that ngx_ipc_message_reserve() has returned.
///
/// Returns NGX_OK. Returns NGX_ERROR, and nothing is sent, with `errno` EINVAL if
/// nothing is reserved at `data`, ESRCH if the process has died and gets no
/// replacement, or ESHUTDOWN if this process is a master that has left. The memory
/// at `data` can belong to another message then: do not write to it.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_message_commit(data: *mut c_void, len: usize) -> ngx_int_t {
    sent(reservations::commit(data.cast(), len))
}

/// Gives a reserved message back: nothing is sent. `data` is the address that
/// ngx_ipc_message_reserve() has returned.
///
/// Returns NGX_OK, also if the process has died or this process is a master that has
/// left, or NGX_ERROR with EINVAL if nothing is reserved at `data`.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_message_cancel(data: *mut c_void) -> ngx_int_t {
    code(reservations::cancel(data.cast()))
}
