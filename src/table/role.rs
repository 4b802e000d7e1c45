//! What a process is: master, worker, helper.

use std::sync::atomic::Ordering::Relaxed;

use super::globals::Globals;
use crate::config::ngx_uint_t;

/// `NGX_PROCESS_SINGLE`.
pub const PROCESS_SINGLE: ngx_uint_t = 0;
/// `NGX_PROCESS_MASTER`.
pub const PROCESS_MASTER: ngx_uint_t = 1;
/// `NGX_PROCESS_WORKER`.
pub const PROCESS_WORKER: ngx_uint_t = 3;
/// `NGX_PROCESS_HELPER`.
pub const PROCESS_HELPER: ngx_uint_t = 4;

/// Whether this process is a master, or master and worker in one.
pub fn acts_as_master(g: &Globals) -> bool {
    matches!(g.process.load(Relaxed), PROCESS_MASTER | PROCESS_SINGLE)
}
