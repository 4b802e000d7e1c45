//! What the library's host says of the program before `init_module` is called.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use super::variables::ngx_process;
use crate::config::ngx_uint_t;
use crate::sys::lock::Lock;
use crate::table::role::NGX_PROCESS_MASTER;

/// A program that the library's host runs.
#[derive(Clone, Copy)]
pub struct Program {
    /// Whether it has one process, which is master and worker in one.
    pub is_single: bool,
    /// Makes the shared memory, in a master that sends before it has started a process.
    pub prepare: fn(),
}

static PROGRAM: Lock<Option<Program>> = Lock::new(None);
/// Whether sockets for descriptors can be added to the memory.
static TAKES_SOCKETS: AtomicBool = AtomicBool::new(false);

/// Sets the program, before `init_module` is called.
#[cfg(feature = "standalone")]
pub fn set(program: Program) {
    *PROGRAM.lock() = Some(program);
}

/// The program; `None` if the library's host does not run it.
pub fn get() -> Option<Program> {
    *PROGRAM.lock()
}

/// The role of this process, which makes the shared memory. `ngx_process` does not have
/// it yet in `init_module`.
pub fn role() -> ngx_uint_t {
    match get() {
        Some(program) if !program.is_single => NGX_PROCESS_MASTER,
        _ => ngx_process.load(Relaxed),
    }
}

/// Says whether sockets for descriptors can be added to the memory: the master has made
/// it for its first message, and has not inherited it.
#[cfg(feature = "standalone")]
pub fn set_takes_sockets(takes: bool) {
    TAKES_SOCKETS.store(takes, Relaxed);
}

/// Whether sockets for descriptors can be added to the memory.
pub fn takes_sockets() -> bool {
    TAKES_SOCKETS.load(Relaxed)
}
