//! The structures and constants of `ngx_ipc_message.h`.

use std::ffi::{c_char, c_void};
use std::mem::offset_of;

use crate::config::{ngx_fd_t, ngx_int_t, ngx_uint_t};
use crate::messaging::address::{self, Set};

/// The messages of the type overtake messages of other types.
pub const NGX_IPC_MESSAGE_CONTROL: ngx_uint_t = 1;
/// The replacement of a process that dies does not get the messages of the type that
/// the process has not received. It is told of a gap.
pub const NGX_IPC_MESSAGE_THIS_PROCESS: ngx_uint_t = 2;

/// For ngx_ipc_message_send_by_key(): a message is dropped while another one of
/// the type, with the same key, waits. Has no effect together with
/// NGX_IPC_MESSAGE_THIS_PROCESS.
pub const NGX_IPC_MESSAGE_ONCE_PER_KEY: ngx_uint_t = 4;

/// The last broadcast of the type is kept: a process that starts later, or registers
/// the type later, gets it, if it has a role of the set and is not of an earlier
/// generation. A process of the set that had no room, or whose message was lost with
/// its sender, gets it too. A message that is older than one that a process has got
/// already is dropped. The payload has at most 1 MiB, even if message_max is larger,
/// and there are at most 32 such types.
pub const NGX_IPC_MESSAGE_RETAINED: ngx_uint_t = 8;

/// Descriptors can come with messages of the type, see
/// ngx_ipc_message_send_fds(). The master registers the type before it starts its
/// first process, and makes two more descriptors for each process.
pub const NGX_IPC_MESSAGE_DESCRIPTORS: ngx_uint_t = 16;

/// The time from the function that sends to the handler is measured for each
/// message of the type, and not only for one in 61. Each measurement costs the time
/// to read the clock twice.
pub const NGX_IPC_MESSAGE_TIMED: ngx_uint_t = 32;

/// Set of processes: the workers of the sender's generation, without the sender.
pub const NGX_IPC_WORKERS: ngx_uint_t = 1;
/// Set of processes: the helpers of the sender's generation, without the sender.
pub const NGX_IPC_HELPERS: ngx_uint_t = 2;
/// Set of processes: the master of the sender's binary.
pub const NGX_IPC_MASTER: ngx_uint_t = 4;
/// Set of processes: processes that the program has spawned itself.
pub const NGX_IPC_OTHERS: ngx_uint_t = 8;
/// Added to a set: processes of other generations too. After a reload these are
/// the old workers, which shut down. During an upgrade these are also the processes
/// of the other binary, and its master.
pub const NGX_IPC_ALL_GENERATIONS: ngx_uint_t = 16;
/// Added to a set: the sender too, if the set has its role.
pub const NGX_IPC_SELF: ngx_uint_t = 32;

/// The address of the master of the sender's binary.
pub const NGX_IPC_TO_MASTER: ngx_ipc_to_t = 144_115_188_075_855_872;
/// Part of NGX_IPC_TO_WORKER().
pub const NGX_IPC_TO_WORKER_0: ngx_ipc_to_t = 72_057_594_037_927_936;
/// Part of NGX_IPC_TO_SLOT().
pub const NGX_IPC_TO_SLOT_0: ngx_ipc_to_t = 144_115_188_075_855_873;
/// Part of NGX_IPC_TO_ONE_OF().
pub const NGX_IPC_TO_ONE_OF_0: ngx_ipc_to_t = 288_230_376_151_711_744;

const _: () = {
    assert!(NGX_IPC_TO_MASTER == address::TO_SLOT);
    assert!(NGX_IPC_TO_WORKER_0 == address::TO_WORKER);
    assert!(NGX_IPC_TO_SLOT_0 == address::TO_SLOT + 1);
    assert!(NGX_IPC_TO_ONE_OF_0 == address::TO_ONE_OF);
    assert!(NGX_IPC_WORKERS == Set::WORKERS as usize);
    assert!(NGX_IPC_HELPERS == Set::HELPERS as usize);
    assert!(NGX_IPC_MASTER == Set::MASTER as usize);
    assert!(NGX_IPC_OTHERS == Set::OTHERS as usize);
    assert!(NGX_IPC_ALL_GENERATIONS == Set::ALL_GENERATIONS as usize);
    assert!(NGX_IPC_SELF == Set::SELF as usize);
};

/// Cause of a gap: another process has overwritten the messages.
pub const NGX_IPC_GAP_DAMAGED: ngx_uint_t = 1;
/// Cause of a gap: the messages were for a process that had the slot before. It
/// was killed, and their type has NGX_IPC_MESSAGE_THIS_PROCESS; or they were sent
/// while it exited, and this process is not its replacement.
pub const NGX_IPC_GAP_NOT_FOR_US: ngx_uint_t = 2;
/// Cause of a gap: the previous process died while it handled the message.
pub const NGX_IPC_GAP_HANDLED: ngx_uint_t = 3;
/// Cause of a gap: the descriptors of the message were lost, because the previous
/// process had received them and died, or because this process has too many open
/// descriptors, see RLIMIT_NOFILE.
pub const NGX_IPC_GAP_DESCRIPTORS: ngx_uint_t = 4;
/// Cause of a gap, in a master: the messages were for a process that is dead and has
/// no replacement.
pub const NGX_IPC_GAP_NO_PROCESS: ngx_uint_t = 5;

/// Outcome of a request: the reply has arrived.
pub const NGX_IPC_REPLIED: ngx_uint_t = 1;
/// Outcome of a request: no reply has arrived in time.
pub const NGX_IPC_TOO_LATE: ngx_uint_t = 2;
/// Outcome of a request: the process that was asked is dead.
pub const NGX_IPC_DIED: ngx_uint_t = 3;

/// The address of a process: NGX_IPC_TO_MASTER, NGX_IPC_TO_WORKER(),
/// NGX_IPC_TO_SLOT(), NGX_IPC_TO_ONE_OF(), or the field `to` of a
/// ngx_ipc_peer_t.
pub type ngx_ipc_to_t = u64;

/// A process that sends or receives messages. The library makes this
/// structure, and later versions can add fields.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ngx_ipc_peer_t {
    /// The address of this process and no other: neither of its replacement nor
    /// of a later process in the slot.
    pub to: ngx_ipc_to_t,
    /// The slot in `ngx_processes` of the master that has started the process; -1: a
    /// master, or a dead process of which no more is known.
    pub slot: ngx_int_t,
    /// The number of the worker, from 0; -1 if the process is not a worker.
    pub worker: ngx_int_t,
    /// The generation of the process: the number of its configuration.
    pub generation: ngx_uint_t,
    /// A number that differs from those of earlier processes with the same memory for
    /// messages, and that grows when the process is replaced.
    pub incarnation: ngx_uint_t,
    /// The role: NGX_PROCESS_MASTER, NGX_PROCESS_WORKER, NGX_PROCESS_HELPER or 0.
    pub role: ngx_uint_t,
}

/// A message that has arrived. The library makes this structure, and later
/// versions can add fields. The structure, `sender`, `data` and `fds` are valid
/// until the handler returns.
#[repr(C)]
pub struct ngx_ipc_message_t {
    /// The field `ctx` of the type of the message; NULL in a reply.
    pub ctx: *mut c_void,
    /// The payload, in shared memory, at an address that is a multiple of 16. A
    /// process that was taken over by an attacker can change it at any time: a
    /// handler that checks the payload copies it first.
    pub data: *mut c_void,
    /// The length of the payload in bytes.
    pub len: usize,
    /// The sender.
    pub sender: *const ngx_ipc_peer_t,
    /// The number for ngx_ipc_message_reply(); 0 if the sender waits for no
    /// reply.
    pub request: ngx_uint_t,
    /// The descriptors that have come with the message, or NULL. The library
    /// closes them when the handler returns. A handler that keeps one sets its
    /// element to -1.
    pub fds: *mut ngx_fd_t,
    /// The number of elements of `fds`.
    pub fds_n: ngx_uint_t,
}

/// Handles a message. The handler can call all functions of this file and
/// ngx_spawn_process(). It must not block, because no other messages and events
/// are handled before it returns.
pub type ngx_ipc_message_handler_pt = Option<unsafe extern "C" fn(m: *mut ngx_ipc_message_t)>;

/// A type of messages. The program sets the first fields, and the others are 0.
/// The structure lives as long as the program.
#[repr(C)]
pub struct ngx_ipc_message_type_t {
    /// The name, at most 48 bytes. All processes use the same name, and two
    /// modules use different names, such as "cache_purge".
    pub name: *const c_char,
    /// The function that is called for each message; NULL: this process only
    /// sends messages of the type.
    pub handler: ngx_ipc_message_handler_pt,
    /// A pointer of the program, which the handler finds in the field `ctx` of a
    /// message.
    pub ctx: *mut c_void,
    /// 0, or a sum of NGX_IPC_MESSAGE_CONTROL, NGX_IPC_MESSAGE_THIS_PROCESS,
    /// NGX_IPC_MESSAGE_ONCE_PER_KEY, NGX_IPC_MESSAGE_RETAINED,
    /// NGX_IPC_MESSAGE_DESCRIPTORS and NGX_IPC_MESSAGE_TIMED.
    pub flags: ngx_uint_t,
    /// Set by ngx_ipc_message_register(). Programs do not use this field.
    pub number: ngx_uint_t,
}

/// Messages that were lost. The library makes this structure, and later
/// versions can add fields. The structure, `sender` and `receiver` are valid until the
/// function returns.
#[repr(C)]
pub struct ngx_ipc_gap_t {
    /// The process that has sent the messages.
    pub sender: *const ngx_ipc_peer_t,
    /// The number of the first lost message, for logs: a program does not learn the
    /// numbers of messages that arrive.
    pub first: ngx_uint_t,
    /// The number of lost messages. If the cause is NGX_IPC_GAP_DAMAGED, they can
    /// be fewer.
    pub count: ngx_uint_t,
    /// NGX_IPC_GAP_DAMAGED, NGX_IPC_GAP_NOT_FOR_US, NGX_IPC_GAP_HANDLED,
    /// NGX_IPC_GAP_DESCRIPTORS or NGX_IPC_GAP_NO_PROCESS.
    pub cause: ngx_uint_t,
    /// In a master: the process for which the messages were, which is dead and has no
    /// replacement. NULL: the process that is told, or one that had its slot before.
    pub receiver: *const ngx_ipc_peer_t,
}

/// How much waits for a process. Later versions can add fields.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ngx_ipc_load_t {
    /// The number of messages of this process that wait there. It includes records of
    /// the library: about one for 30 small messages, and up to two when nothing was sent
    /// for a second.
    pub messages: ngx_uint_t,
    /// The memory in bytes that the messages of this process use there, a multiple of
    /// 4096. It is at least 4096 until this process has sent nothing for a while.
    pub used: usize,
    /// The largest value of `used`. Messages of other types than those with
    /// NGX_IPC_MESSAGE_CONTROL are refused when it is reached.
    pub limit: usize,
    /// The memory in bytes that is used for messages of all processes. Messages are
    /// refused when it is `memory`.
    pub memory_used: usize,
    /// The memory in bytes for messages, other than that which is reserved for types
    /// with NGX_IPC_MESSAGE_CONTROL.
    pub memory: usize,
}

/// A function that is called for a process. `ctx` is the field of the
/// ngx_ipc_message_watch_t. `peer` is valid until the function returns. The
/// function can do what a handler of messages can do.
pub type ngx_ipc_peer_pt =
    Option<unsafe extern "C" fn(ctx: *mut c_void, peer: *const ngx_ipc_peer_t)>;

/// A function that is called when messages were lost. `ctx` is the field of the
/// ngx_ipc_message_watch_t. The function can do what a handler of messages can
/// do.
pub type ngx_ipc_gap_pt = Option<unsafe extern "C" fn(ctx: *mut c_void, gap: *const ngx_ipc_gap_t)>;

/// A function that is called with the outcome of a request: NGX_IPC_REPLIED,
/// NGX_IPC_TOO_LATE or NGX_IPC_DIED. `ctx` is the argument of
/// ngx_ipc_message_request(). `reply` is the reply if the outcome is
/// NGX_IPC_REPLIED, else NULL; it is valid until the function returns. The
/// function can do what a handler of messages can do.
pub type ngx_ipc_reply_pt = Option<
    unsafe extern "C" fn(ctx: *mut c_void, outcome: ngx_uint_t, reply: *mut ngx_ipc_message_t),
>;

/// Functions for other events than messages. A function can be NULL. The
/// program zeroes the structure before it sets the fields. The structure stays at
/// its address as long as the program runs.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ngx_ipc_message_watch_t {
    /// The first argument of the functions.
    pub ctx: *mut c_void,
    /// A process runs and receives messages. Called for each process that runs,
    /// and then for each that starts.
    pub peer_up: ngx_ipc_peer_pt,
    /// A process is dead. All messages that it has sent to this process were
    /// handled before.
    pub peer_down: ngx_ipc_peer_pt,
    /// Messages to this process were lost, or to a process that had its slot
    /// before. A master is also told of lost messages to a process that is dead and
    /// has no replacement. If no structure has this function, the loss is logged.
    pub gap: ngx_ipc_gap_pt,
    /// A process that was full has room, or may have room. Called once after a function
    /// has returned NGX_AGAIN for a message to this process.
    pub room: ngx_ipc_peer_pt,
}

// A constant that is not public is not in the header.
const FIRST_SIZE_OF_LOAD: usize = offset_of!(ngx_ipc_load_t, memory) + size_of::<usize>();
const FIRST_SIZE_OF_TYPE: usize =
    offset_of!(ngx_ipc_message_type_t, number) + size_of::<ngx_uint_t>();
const FIRST_SIZE_OF_WATCH: usize =
    offset_of!(ngx_ipc_message_watch_t, room) + size_of::<ngx_ipc_peer_pt>();

// The structures must end with a field, not with padding, as `sized` explains.
const _: () = assert!(FIRST_SIZE_OF_TYPE == size_of::<ngx_ipc_message_type_t>());
const _: () = assert!(FIRST_SIZE_OF_LOAD == size_of::<ngx_ipc_load_t>());
const _: () = assert!(FIRST_SIZE_OF_WATCH == size_of::<ngx_ipc_message_watch_t>());

/// The size in bytes of a `ngx_ipc_message_type_t` in version 0.1.
pub fn first_size_of_type() -> usize {
    FIRST_SIZE_OF_TYPE
}

/// The size in bytes of a `ngx_ipc_message_watch_t` in version 0.1.
pub fn first_size_of_watch() -> usize {
    FIRST_SIZE_OF_WATCH
}

/// The size in bytes of a `ngx_ipc_load_t` in version 0.1.
pub fn first_size_of_load() -> usize {
    FIRST_SIZE_OF_LOAD
}
