//! The structures of `ngx_ipc_message.h` for the numbers of messages.

use std::ffi::c_char;
use std::mem::offset_of;

use crate::config::{ngx_int_t, ngx_uint_t};
use crate::messaging::names::MAX_NAME;
use crate::messaging::rows::{BUCKETS, ENTRIES};

/// The number of the type that ngx_ipc_message_next_type() returns for replies.
pub const NGX_IPC_MESSAGE_REPLIES: ngx_int_t = 256;

const _: () = assert!(NGX_IPC_MESSAGE_REPLIES as usize == ENTRIES - 1);

/// The numbers of one type of messages, see ngx_ipc_message_next_type(). The
/// program sets the first three fields, and the library the others. The numbers
/// are counted since the program was started, over all generations.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ngx_ipc_message_counts_t {
    /// Before the call the number of the previous type, -1 for the first one. After
    /// the call the number of this type.
    pub number: ngx_int_t,
    /// The processes whose messages are counted: a sum of NGX_IPC_WORKERS,
    /// NGX_IPC_HELPERS, NGX_IPC_MASTER and NGX_IPC_OTHERS, of all generations; 0: all
    /// processes.
    pub set: ngx_uint_t,
    /// The number of a worker: only messages of the workers with this number are
    /// counted. -1: of all processes of the set.
    pub worker: ngx_int_t,
    /// The name of the type, which ends with a zero byte; "(replies)" for replies
    /// to requests.
    pub name: [c_char; 56],
    /// Messages that these processes have sent.
    pub sent: ngx_uint_t,
    /// Messages that they could not send, because a receiver was full.
    pub refused: ngx_uint_t,
    /// Messages that they have received.
    pub received: ngx_uint_t,
    /// The messages of `received` that they have dropped, because they had no
    /// handler.
    pub unknown: ngx_uint_t,
    /// Messages to them that were lost. Those that were overwritten belong to no
    /// type.
    pub lost: ngx_uint_t,
    /// Messages of the type that wait, for all processes of the program.
    pub waiting: ngx_uint_t,
    /// The largest number of messages of the type that waited at one time, for all
    /// processes of the program. Each sender looks about each second.
    pub deepest: ngx_uint_t,
    /// The number of messages to these processes whose time was measured, from the
    /// function that sends to the handler.
    pub timed: ngx_uint_t,
    /// The sum of the measured times, in nanoseconds.
    pub time: ngx_uint_t,
    /// The measured times: `times[k]` is the number of times that were less than 2^k
    /// nanoseconds, and not less than 2^(k - 1). `times[39]` has all longer times too.
    pub times: [ngx_uint_t; 40],
}

/// The numbers of the messages from one process to another, see
/// ngx_ipc_message_next_pair(). The program sets the first field, and the library
/// all. A process that is started again continues the numbers of its predecessor.
/// After a reload, other processes can continue them.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ngx_ipc_message_pair_t {
    /// Before the call the number of the previous pair, -1 for the first one. After
    /// the call the number of this pair.
    pub number: ngx_int_t,
    /// The slot of the sender in `ngx_processes`; -1: the master.
    pub sender: ngx_int_t,
    /// The slot of the receiver in `ngx_processes`; -1: the master.
    pub receiver: ngx_int_t,
    /// The number of the worker that sends; -1 if the sender is not a worker.
    pub sender_worker: ngx_int_t,
    /// The number of the worker that receives; -1 if the receiver is not a worker.
    pub receiver_worker: ngx_int_t,
    /// Messages that were sent. The number can be some seconds old.
    pub sent: ngx_uint_t,
    /// Messages that could not be sent, because the receiver was full. The number
    /// can be some seconds old.
    pub refused: ngx_uint_t,
    /// Messages that were received.
    pub received: ngx_uint_t,
    /// Messages that wait.
    pub waiting: ngx_uint_t,
    /// The largest number of messages that waited at one time. The sender looks each
    /// time it has filled 32 KiB, and about each second.
    pub deepest: ngx_uint_t,
    /// Messages that were lost.
    pub lost: ngx_uint_t,
}

// A constant that is not public is not in the header.
const FIRST_SIZE_OF_COUNTS: usize =
    offset_of!(ngx_ipc_message_counts_t, times) + size_of::<[ngx_uint_t; BUCKETS]>();
const FIRST_SIZE_OF_PAIR: usize =
    offset_of!(ngx_ipc_message_pair_t, lost) + size_of::<ngx_uint_t>();

// The structures must end with a field, not with padding, as `sized` explains.
const _: () = assert!(FIRST_SIZE_OF_COUNTS == size_of::<ngx_ipc_message_counts_t>());
const _: () = assert!(FIRST_SIZE_OF_PAIR == size_of::<ngx_ipc_message_pair_t>());
const _: () = assert!(MAX_NAME < 56);

/// The size in bytes of a `ngx_ipc_message_counts_t` in version 0.1.
pub fn first_size_of_counts() -> usize {
    FIRST_SIZE_OF_COUNTS
}

/// The size in bytes of a `ngx_ipc_message_pair_t` in version 0.1.
pub fn first_size_of_pair() -> usize {
    FIRST_SIZE_OF_PAIR
}
