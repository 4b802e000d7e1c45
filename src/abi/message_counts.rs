//! The part of `ngx_ipc_message.h` about the numbers of messages.

use std::ptr::NonNull;

use crate::config::{NGX_ERROR, ngx_int_t};
use crate::host::messages::counts::{ngx_ipc_message_counts_t, ngx_ipc_message_pair_t};
use crate::host::messages::statistics::{fill_next_pair, fill_next_type};
use crate::status::found;

/// Fills `counts`, a structure of `size` bytes, with the numbers of the type after
/// `counts->number`. For the first type, set `counts->number` to -1. Programs call
/// the macro ngx_ipc_message_next_type(), in any process.
///
/// The fields `set` and `worker` choose the processes whose messages are counted:
/// 0 and -1 mean all processes. In this case all types are returned, and otherwise
/// those of which these processes have sent or received a message. Replies are the
/// last type, with the number NGX_IPC_MESSAGE_REPLIES.
///
/// The numbers of a worker are those of all processes that have had its number. So
/// they continue over a reload.
///
/// Returns NGX_OK, NGX_DECLINED if there is no further type or if the program has no
/// messages, or NGX_ERROR if `size` is too small or `counts` is NULL. Nothing is
/// written unless the result is NGX_OK.
///
/// # Safety
///
/// `counts` is NULL or points to a structure with `size` bytes, whose first three
/// fields are set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_message_next_type_size(
    counts: *mut ngx_ipc_message_counts_t,
    size: usize,
) -> ngx_int_t {
    let Some(counts) = NonNull::new(counts) else {
        return NGX_ERROR;
    };

    // SAFETY: C passes a structure of `size` bytes, whose first fields are set.
    found(unsafe { fill_next_type(counts, size) })
}

/// Fills `pair`, a structure of `size` bytes, with the numbers of the messages from
/// one process to another: of the pair after `pair->number`. For the first pair, set
/// `pair->number` to -1. Programs call the macro ngx_ipc_message_next_pair(), in any
/// process.
///
/// Pairs that have sent nothing are left out. A process that sends to itself is a
/// pair, too.
///
/// Returns NGX_OK, NGX_DECLINED if there is no further pair or if the program has no
/// messages, or NGX_ERROR if `size` is too small or `pair` is NULL. Nothing is
/// written unless the result is NGX_OK.
///
/// # Safety
///
/// `pair` is NULL or points to a structure with `size` bytes, whose first field is
/// set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_message_next_pair_size(
    pair: *mut ngx_ipc_message_pair_t,
    size: usize,
) -> ngx_int_t {
    let Some(pair) = NonNull::new(pair) else {
        return NGX_ERROR;
    };

    // SAFETY: C passes a structure of `size` bytes, whose first fields are set.
    found(unsafe { fill_next_pair(pair, size) })
}
