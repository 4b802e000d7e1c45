//! The numbers of the messages that some of the processes have sent and received.

use super::numbers::{Measured, Number};
use crate::config::{ngx_int_t, ngx_uint_t};
use crate::host::messages::counts::ngx_ipc_message_counts_t;
use crate::host::messages::statistics::{is_any, types_of};
use crate::messaging::address::Set;
use crate::table::slot::NGX_MAX_PROCESSES;

/// The roles whose messages are counted together.
const ROLES: [(&str, u32); 3] = [
    ("master", Set::MASTER),
    ("helper", Set::HELPERS),
    ("other", Set::OTHERS),
];

/// Calls `found` for each type of messages that the processes with a role have sent or
/// received, and for each such type of each worker.
pub fn of_some(found: &mut dyn FnMut(&str, &ngx_ipc_message_counts_t)) {
    if !is_any() {
        return;
    }

    let mut each = |role: &str, set: u32, worker: ngx_int_t| {
        for counts in types_of(set as ngx_uint_t, worker) {
            found(role, &counts);
        }
    };

    for (role, set) in ROLES {
        each(role, set, -1);
    }

    for worker in 0..NGX_MAX_PROCESSES {
        each("worker", Set::WORKERS, worker.cast_signed());
    }
}

/// The numbers of a table of numbers with metrics.
pub fn counted<const N: usize>(
    of: &'static [Measured; N],
) -> [&'static Number<ngx_ipc_message_counts_t>; N] {
    of.each_ref().map(|measured| &measured.number)
}
