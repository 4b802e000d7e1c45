//! The role and the number of a process that nginx starts.
//!
//! nginx sets both variables only in the new process. An attacker may control
//! this process (`D38`). So the master does not ask the process, but uses the
//! arguments of `ngx_spawn_process()`.

use crate::process::wanted::Wanted;
use crate::table::role::{Role, WorkerNumber};
use crate::table::slots::Work;

/// The name of nginx's workers. The argument `data` of a worker is its number.
const WORKER: &[u8] = b"worker process";
/// The names of the helpers of nginx and of OpenResty.
const HELPERS: [&[u8]; 3] = [
    b"cache manager process",
    b"cache loader process",
    b"privileged agent process",
];

/// Describes a process by the arguments `name` and `data` of
/// `ngx_spawn_process()`. A process that a module starts has the role
/// `Role::Other`.
pub fn described(work: Work) -> Wanted {
    let name = work.name.bytes().unwrap_or_default();
    let role = match name {
        WORKER => Role::Worker,
        name if HELPERS.contains(&name) => Role::Helper,
        _ => Role::Other,
    };

    Wanted {
        work,
        role,
        worker: (role == Role::Worker).then(|| WorkerNumber::new(work.data.addr())),
    }
}
