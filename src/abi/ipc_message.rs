//! `ngx_ipc_message.h`: messages between the processes of a program.

use std::ffi::c_void;
use std::ptr::NonNull;

use nix::errno::Errno;

use crate::config::{ngx_fd_t, ngx_int_t, ngx_msec_t, ngx_uint_t};
use crate::host::message_loop;
use crate::host::messages::local::Asked;
use crate::host::messages::send::{self, Failure, code, payload};
use crate::host::messages::types::{
    first_size_of_load, ngx_ipc_load_t, ngx_ipc_message_type_t, ngx_ipc_message_watch_t,
    ngx_ipc_reply_pt, ngx_ipc_to_t,
};
use crate::host::messages::{local, register};
use crate::host::sized;
use crate::log::Level;
use crate::status;

/// The return code of a function that sends one message.
#[inline]
pub(super) fn sent(result: Result<(), Failure>) -> ngx_int_t {
    message_loop::sent();
    code(result)
}

/// The return code of a function that sends a message to several processes.
pub(super) fn count(result: Result<u32, Failure>) -> ngx_int_t {
    message_loop::sent();
    result.map_or_else(|failure| code(Err(failure)), |sent| sent as ngx_int_t)
}

pub(super) fn valid(
    r#type: *mut ngx_ipc_message_type_t,
) -> Result<NonNull<ngx_ipc_message_type_t>, Failure> {
    NonNull::new(r#type).ok_or(Failure::Invalid)
}

/// Registers a type of messages, whose structure has `size` bytes. Programs call
/// the macro ngx_ipc_message_register(), in `init_module` or `init_process` of
/// each process that sends or receives the type, or in main() before
/// ngx_ipc_main(): then all processes know the type.
///
/// A program has messages if its master has registered a type before it starts
/// the first process, or if the configuration has `messages`. Registering a
/// type once more does nothing.
///
/// Returns NGX_OK. Returns NGX_ERROR, with an alert in the log, if `type` is NULL or
/// `size` is less than in version 0.1; if the name is missing, is too long, begins with
/// an opening parenthesis, or is used by another structure; if the field `flags` has
/// unknown bits; if there are 256 types already, or 32 with NGX_IPC_MESSAGE_RETAINED; if
/// there is no memory; or if this process is a worker or helper and the program has no
/// messages. `errno` is EINVAL if the name is missing, is too long or begins with a
/// parenthesis.
///
/// # Safety
///
/// `type` is NULL or lives as long as the program, as does its name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_message_register_size(
    r#type: *mut ngx_ipc_message_type_t,
    size: usize,
) -> ngx_int_t {
    let log = message_loop::log();

    let Some(pointer) = NonNull::new(r#type) else {
        return status::code(Err(log.refuse(format_args!("no message type"))));
    };

    message_loop::begin();

    // SAFETY: C passes a type with `size` bytes that lives as long as the
    // program.
    let registered = unsafe { register::register(log, pointer, size) };

    if registered.is_ok() {
        local::follow_if_needed();
    }

    message_loop::run_soon();
    status::code(registered)
}

/// Sends a copy of the `len` bytes at `data` to one process.
///
/// `to` is NGX_IPC_TO_WORKER(), NGX_IPC_TO_SLOT(), NGX_IPC_TO_MASTER,
/// NGX_IPC_TO_ONE_OF(), or the field `to` of a ngx_ipc_peer_t. A worker number
/// means the worker of the sender's generation; while it is started again, the
/// message waits for its replacement. NGX_IPC_TO_ONE_OF() chooses the process of the
/// set that has the fewest messages to handle, a sleeping one first, and another one if
/// the chosen one is full. The messages of ngx_ipc_message_unhandled() count too.
///
/// Returns NGX_OK: the message is in the receiver's memory. Otherwise nothing was
/// sent, and `errno` says more: NGX_AGAIN if the memory of the receiver is full,
/// then the function `room` is called later; NGX_DECLINED if the payload is
/// larger than `message_max`; NGX_ERROR with ESRCH if there is no such process,
/// with EBUSY while a message to it is reserved, with EINVAL if the type is not
/// registered in this process or an argument is wrong, with ENOMEM if this process
/// has no memory, with ENOTSUP if the program has no messages, with ESHUTDOWN if this
/// process is a master that exits and has left: it has given back its slot.
///
/// # Safety
///
/// `type` is NULL or a type; `data` has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_message_send(
    r#type: *mut ngx_ipc_message_type_t,
    to: ngx_ipc_to_t,
    data: *const c_void,
    len: usize,
) -> ngx_int_t {
    // SAFETY: C passes a `data` with `len` bytes.
    let bytes = unsafe { payload(data, len) };

    sent(bytes.and_then(|bytes| send::send(valid(r#type)?, to, bytes)))
}

/// Sends a copy of the `len` bytes at `data` to the process of a set that has the
/// key, which has `key_len` bytes. As long as the set does not change, the same
/// key always goes to the same process, for all types and all senders. When a
/// worker is added or removed, only the keys of that worker move.
///
/// If the type has NGX_IPC_MESSAGE_ONCE_PER_KEY, and a message of the type with
/// this key waits already, nothing is sent, and the result is NGX_OK. A message
/// waits until its handler is called.
///
/// Returns the results of ngx_ipc_message_send().
///
/// # Safety
///
/// `type` is NULL or a type; `key` has `key_len` bytes and `data` has `len`
/// bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_message_send_by_key(
    r#type: *mut ngx_ipc_message_type_t,
    set: ngx_uint_t,
    key: *const c_void,
    key_len: usize,
    data: *const c_void,
    len: usize,
) -> ngx_int_t {
    // SAFETY: C passes a `key` with `key_len` bytes and a `data` with `len` bytes.
    let bytes = unsafe { payload(key, key_len).and_then(|key| Ok((key, payload(data, len)?))) };

    sent(bytes.and_then(|(key, bytes)| send::send_by_key(valid(r#type)?, set, key, bytes)))
}

/// Returns the address of the process of a set that has the key, which has `key_len`
/// bytes: the process to which ngx_ipc_message_send_by_key() sends. So a request, a
/// message with descriptors, or a message that is built in place can be sent by key.
/// The address is used at once, because another process has the key when the set
/// changes.
///
/// Returns 0 if there is none, with `errno` ESRCH: the set has no process; EINVAL: an
/// argument is wrong; ENOMEM: this process has no memory; ENOTSUP: the program has no
/// messages; ESHUTDOWN: this process is a master that has left.
///
/// # Safety
///
/// `key` has `key_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_message_to_key(
    set: ngx_uint_t,
    key: *const c_void,
    key_len: usize,
) -> ngx_ipc_to_t {
    // SAFETY: C passes a `key` with `key_len` bytes.
    let found = unsafe { payload(key, key_len) }.and_then(|key| send::address_of_key(set, key));

    found.unwrap_or_else(|failure| {
        let _ = code(Err(failure));
        0
    })
}

/// Writes to `load`, a structure of `size` bytes, how much waits for a process.
/// Programs call the macro ngx_ipc_message_load(). `to` is an address as for
/// ngx_ipc_message_send(), but not NGX_IPC_TO_ONE_OF(). A program that can send later
/// holds back before a message is refused.
///
/// Returns NGX_OK. Returns NGX_ERROR, and changes nothing, with `errno` ESRCH if there
/// is no such process, EINVAL if an argument is wrong or `size` is less than in
/// version 0.1, ENOMEM if this process has no memory, ENOTSUP if the program has no
/// messages, ESHUTDOWN if this process is a master that has left.
///
/// # Safety
///
/// `load` is NULL or has `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_message_load_size(
    to: ngx_ipc_to_t,
    load: *mut ngx_ipc_load_t,
    size: usize,
) -> ngx_int_t {
    if load.is_null() || !sized::is_valid(size, first_size_of_load()) {
        return code(Err(Failure::Invalid));
    }

    code(send::load_of(to).map(|found| {
        // SAFETY: `load` is not NULL, and C passes a structure with `size` bytes.
        unsafe { sized::write(load, size, &found) };
    }))
}

/// Adds `n`, which can be negative, to the number of messages that this process has
/// received and not handled. The number does not become negative. NGX_IPC_TO_ONE_OF()
/// counts these messages: a module whose handler only begins the work of a message adds 1
/// in the handler, and -1 at the end of the work.
///
/// Returns NGX_OK. Returns NGX_ERROR, and changes nothing, with `errno` ENOMEM if this
/// process has no memory, ENOTSUP if the program has no messages, ESHUTDOWN if this
/// process is a master that has left.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_message_unhandled(n: ngx_int_t) -> ngx_int_t {
    code(send::add_unhandled(n))
}

/// Sends a copy of the `len` bytes at `data` to all processes of a set, such as
/// NGX_IPC_WORKERS, or NGX_IPC_WORKERS|NGX_IPC_SELF.
///
/// Returns the number of processes to which the message was sent; 0 also if the
/// set has no process. ngx_ipc_message_missed() returns the processes of the set
/// to which it was not sent, most often because they have no room; the function
/// `room` is called for those. If the payload is too large or an argument is
/// wrong, the message was sent to none, and the result is NGX_DECLINED or
/// NGX_ERROR, with `errno` as after ngx_ipc_message_send(). A payload of more than
/// 1 MiB is too large for a type with NGX_IPC_MESSAGE_RETAINED. The result is NGX_AGAIN
/// if the type has NGX_IPC_MESSAGE_RETAINED and three other processes are keeping a
/// message of the type, for example because they were stopped; the function `room`
/// is not called then.
///
/// # Safety
///
/// `type` is NULL or a type; `data` has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_message_broadcast(
    r#type: *mut ngx_ipc_message_type_t,
    set: ngx_uint_t,
    data: *const c_void,
    len: usize,
) -> ngx_int_t {
    // SAFETY: C passes a `data` with `len` bytes.
    let bytes = unsafe { payload(data, len) };
    count(bytes.and_then(|bytes| send::broadcast(valid(r#type)?, set, bytes, None)))
}

/// Returns the addresses of the processes that the last
/// ngx_ipc_message_broadcast() has missed, and writes their number to `n`. The
/// array is valid until the next broadcast.
///
/// # Safety
///
/// `n` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_message_missed(n: *mut ngx_uint_t) -> *const ngx_ipc_to_t {
    let (missed, count) = send::missed();

    // SAFETY: C passes NULL or a writable variable.
    if let Some(n) = unsafe { n.as_mut() } {
        *n = count;
    }

    missed
}

/// Returns the number of the worker with an address of ngx_ipc_message_missed(), or of a
/// ngx_ipc_peer_t; -1: the process is not a worker, or is dead.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_message_worker(to: ngx_ipc_to_t) -> ngx_int_t {
    send::worker_of(to).map_or(-1, |worker| worker as ngx_int_t)
}

/// Sends a message to one process, as ngx_ipc_message_send() does, and asks for a
/// reply. The library calls `handler` with `ctx` and the outcome exactly once, within
/// `timeout` milliseconds and the time to handle the messages that wait then. Only the
/// process that runs now gets the message, not its replacement.
///
/// If the result is not NGX_OK, nothing was sent and `handler` is not called.
///
/// # Safety
///
/// `type` is NULL or a type; `data` has `len` bytes; `handler` can be called with
/// `ctx`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_message_request(
    r#type: *mut ngx_ipc_message_type_t,
    to: ngx_ipc_to_t,
    data: *const c_void,
    len: usize,
    timeout: ngx_msec_t,
    handler: ngx_ipc_reply_pt,
    ctx: *mut c_void,
) -> ngx_int_t {
    let asked = Asked { handler, data: ctx };
    // SAFETY: C passes a `data` with `len` bytes.
    let bytes = unsafe { payload(data, len) };

    let sent = bytes.and_then(|bytes| send::request(valid(r#type)?, to, bytes, timeout, asked));

    message_loop::set_timer();
    code(sent)
}

/// Replies to a request. `to` is `sender->to` of the request, and `request` its
/// field `request`; the program can keep both and reply later.
///
/// Returns the results of ngx_ipc_message_send(). A reply that comes too late is
/// dropped by the process that asked.
///
/// # Safety
///
/// `data` has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_message_reply(
    to: ngx_ipc_to_t,
    request: ngx_uint_t,
    data: *const c_void,
    len: usize,
) -> ngx_int_t {
    // SAFETY: C passes a `data` with `len` bytes.
    let bytes = unsafe { payload(data, len) };

    sent(bytes.and_then(|bytes| send::reply(to, request, bytes)))
}

/// Adds functions that are called for other events than messages. `watch` has `size`
/// bytes. Programs call the macro ngx_ipc_message_watch(). If the program adds a
/// structure again, its functions are replaced.
///
/// Returns NGX_OK. Returns NGX_ERROR, with an alert in the log, if `watch` is NULL,
/// if `size` is less than in version 0.1, or if there is no memory.
///
/// # Safety
///
/// `watch` is NULL or has `size` bytes. Its functions can be called with its data
/// as long as the program runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_message_watch_size(
    watch: *mut ngx_ipc_message_watch_t,
    size: usize,
) -> ngx_int_t {
    // SAFETY: C passes NULL or a structure with `size` bytes, whose functions can
    // be called.
    let added = NonNull::new(watch)
        .ok_or(Errno::EINVAL)
        .and_then(|watch| unsafe { local::add_watch(watch, size) });

    message_loop::run_soon();

    status::code(added.map_err(|err| {
        message_loop::log().fail(Level::Alert, err, format_args!("ngx_ipc_message_watch()"))
    }))
}

/// Returns the descriptor that becomes readable when there is something for
/// ngx_ipc_message_process(), or -1 if this process has no messages or no memory, or is a
/// master that has left. The descriptor belongs to the library: the program only watches it.
/// Only a program with its own event loop needs it. A master first registers its types.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_message_fd() -> ngx_fd_t {
    message_loop::descriptor().unwrap_or(-1)
}

/// Handles the messages that have arrived. A program with its own event loop calls it before
/// it waits for the first time, and whenever the descriptor of ngx_ipc_message_fd() is readable
/// or the time is over. In a handler: only returns 0.
///
/// Returns the milliseconds after which the program calls the function again if the descriptor
/// has not become readable; 0: at once, after other events; -1: no limit.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_message_process() -> ngx_int_t {
    message_loop::process_foreign()
}
