//! Tells the program of messages that were lost.

use std::{fmt, ptr};

use super::types::{
    NGX_IPC_GAP_DAMAGED, NGX_IPC_GAP_HANDLED, NGX_IPC_GAP_NO_PROCESS, NGX_IPC_GAP_NOT_FOR_US,
    ngx_ipc_gap_t, ngx_ipc_peer_t,
};
use super::watchers;
use crate::config::ngx_uint_t;
use crate::log::{Level, Log};
use crate::message::taken::{Cause, Gap};
use crate::table::role::NGX_PROCESS_MASTER;

/// A process in a line of the log.
struct Process<'a>(&'a ngx_ipc_peer_t);

impl fmt::Display for Process<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let &ngx_ipc_peer_t { slot, worker, .. } = self.0;

        match (worker, slot) {
            (0.., _) => write!(f, "worker {worker}, slot {slot},"),
            (_, 0..) => write!(f, "slot {slot}"),
            _ if self.0.role == NGX_PROCESS_MASTER => write!(f, "a master"),
            _ => write!(f, "a dead process"),
        }
    }
}

/// Tells the program of messages that were lost.
pub fn tell(log: Log, gap: Gap, sender: &ngx_ipc_peer_t) {
    let (cause, why) = match gap.cause {
        Cause::Damaged => (NGX_IPC_GAP_DAMAGED, "they were overwritten"),
        Cause::ForAnother => (NGX_IPC_GAP_NOT_FOR_US, "they were for a dead process"),
        Cause::Handling => (
            NGX_IPC_GAP_HANDLED,
            "the previous process died while it handled them",
        ),
    };

    report(log, sender, (gap.number, gap.count), cause, why);
}

/// Tells the program of `count` messages that were lost, the first of which has the
/// number `first`. If the program has no function for this, they are logged.
pub fn report(
    log: Log,
    sender: &ngx_ipc_peer_t,
    (first, count): (u32, u32),
    cause: ngx_uint_t,
    why: &str,
) {
    let told = watchers::tell_gap(&ngx_ipc_gap_t {
        sender,
        first: first as usize,
        count: count as usize,
        cause,
        receiver: ptr::null(),
    });

    if !told {
        log.error(
            Level::Warn,
            None,
            format_args!("{count} messages from {} are lost: {why}", Process(sender)),
        );
    }
}

/// In a master: tells the program of lost messages to the process `receiver`, which is
/// dead and has no replacement. Returns whether the program has a function for this.
pub fn tell_leftover(gap: &Gap, sender: &ngx_ipc_peer_t, receiver: &ngx_ipc_peer_t) -> bool {
    watchers::tell_gap(&ngx_ipc_gap_t {
        sender,
        first: gap.number as usize,
        count: gap.count as usize,
        cause: match gap.cause {
            Cause::Damaged => NGX_IPC_GAP_DAMAGED,
            Cause::ForAnother => NGX_IPC_GAP_NO_PROCESS,
            Cause::Handling => NGX_IPC_GAP_HANDLED,
        },
        receiver,
    })
}

/// Logs `count` of these messages.
pub fn log_leftover(log: Log, count: u32, receiver: &ngx_ipc_peer_t) {
    log.error(
        Level::Warn,
        None,
        format_args!(
            "{count} messages to {} are lost: the process is dead and has no replacement",
            Process(receiver)
        ),
    );
}
