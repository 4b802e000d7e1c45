//! What a process is: master, worker, helper.

use std::sync::atomic::Ordering::Relaxed;

use super::globals::Globals;

/// Master and worker in one process.
pub const NGX_PROCESS_SINGLE: usize = 0;
/// Starts, signals and reaps the others.
pub const NGX_PROCESS_MASTER: usize = 1;
/// Sends a signal to a running master.
pub const NGX_PROCESS_SIGNALLER: usize = 2;
/// Serves clients.
pub const NGX_PROCESS_WORKER: usize = 3;
/// A process beside the workers, such as nginx's cache manager.
pub const NGX_PROCESS_HELPER: usize = 4;

/// Whether this process is a master, or master and worker in one.
pub fn acts_as_master(g: &Globals) -> bool {
    matches!(
        g.process.load(Relaxed),
        NGX_PROCESS_MASTER | NGX_PROCESS_SINGLE
    )
}
