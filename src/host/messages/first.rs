//! Messages that a master sends before it starts its first process, in `init_module`.
//!
//! The memory is made for the first of them. The program can become a daemon
//! afterwards: then the master continues in a child, with another pid.

use super::shared;
use super::variables::ngx_pid;
use super::{inherited, local, program, region, register};
use crate::log::Log;
use crate::message::peers;
use crate::table::globals::own_pid;

/// Makes the memory, in a master that sends and has registered a type.
pub fn prepare(log: Log) {
    let is_single = program::get().is_some_and(|program| program.is_single);

    if register::is_any() {
        region::prepare(log, is_single.then_some(0));
        program::set_takes_sockets(!inherited::is_used());
    }
}

/// The master has become a daemon, and has another pid.
pub fn moved() {
    let Some(region) = shared::get() else { return };
    let pid = own_pid(&ngx_pid);
    let (slot, _) = region.master;

    shared::moved(pid);
    peers::set_pid(&region.memory, &region.layout, slot, pid);
    local::moved(pid);
}
