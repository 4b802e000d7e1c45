//! The variables that the library defines for both hosts; most of them are
//! variables of nginx's `ngx_process.c`. The core reaches these variables, and
//! those of a host, through [`GLOBALS`].

use std::ffi::c_char;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicPtr};

#[cfg(not(feature = "standalone"))]
use super::nginx::{hooks, variables};
#[cfg(feature = "standalone")]
use super::standalone::{hooks, variables};
use crate::config::{AtomicInt, AtomicSocket, AtomicUint};
use crate::table::globals::{Globals, Relative};
use crate::table::slot::NGX_MAX_PROCESSES;
use crate::table::slots::{Table, ngx_process_t};

/// The number of arguments of main(). The program sets this variable.
#[unsafe(no_mangle)]
pub static ngx_argc: AtomicI32 = AtomicI32::new(0);
/// The arguments of main(). The program sets this variable.
#[unsafe(no_mangle)]
pub static ngx_argv: AtomicPtr<*mut c_char> = AtomicPtr::new(ptr::null_mut());
/// The arguments of main() at the address where the kernel has put them. The
/// program sets this variable, and process titles overwrite the arguments.
#[unsafe(no_mangle)]
pub static ngx_os_argv: AtomicPtr<*mut c_char> = AtomicPtr::new(ptr::null_mut());

/// The slot of the process that was spawned last. In a child, it is the slot of
/// the child itself.
#[unsafe(no_mangle)]
pub static ngx_process_slot: AtomicInt = AtomicInt::new(0);
/// In a child: the child's end of the channel to its parent.
#[unsafe(no_mangle)]
pub static ngx_channel: AtomicSocket = AtomicSocket::new(0);
/// One more than the last slot in use.
#[unsafe(no_mangle)]
pub static ngx_last_process: AtomicInt = AtomicInt::new(0);
/// The process table. The last element is not a slot of the table but the
/// sentinel of [`Table`].
#[unsafe(no_mangle)]
pub static ngx_processes: [ngx_process_t; NGX_MAX_PROCESSES + 1] =
    [const { ngx_process_t::zeroed() }; NGX_MAX_PROCESSES + 1];

/// Whether `ngx_shm_alloc()` asks the kernel for huge pages.
#[unsafe(no_mangle)]
pub static ngx_ipc_huge_pages: AtomicUint = AtomicUint::new(0);

/// The variables and hooks of this process, for the core.
pub static GLOBALS: Globals = Globals {
    table: Table {
        slots: &ngx_processes,
        last: &ngx_last_process,
    },
    process_slot: &ngx_process_slot,
    channel: &ngx_channel,
    pid: &variables::ngx_pid,
    parent: &variables::ngx_parent,
    new_binary: &variables::ngx_new_binary,
    process: &variables::ngx_process,
    daemonized: &variables::ngx_daemonized,
    noaccepting: &variables::ngx_noaccepting,
    restart: &variables::ngx_restart,
    reap: &variables::ngx_reap,
    sigio: &variables::ngx_sigio,
    sigalrm: &variables::ngx_sigalrm,
    quit: &variables::ngx_quit,
    debug_quit: &variables::ngx_debug_quit,
    terminate: &variables::ngx_terminate,
    noaccept: &variables::ngx_noaccept,
    reconfigure: &variables::ngx_reconfigure,
    reopen: &variables::ngx_reopen,
    change_binary: &variables::ngx_change_binary,
    relative: Relative {
        single_exits: &variables::ngx_ipc_single_exits,
        proc_role: &variables::ngx_ipc_proc_role,
        pipe_role: &variables::ngx_ipc_pipe_role,
    },
    closing: hooks::closing,
    forked: hooks::forked,
    exited: hooks::exited,
    starting: hooks::starting,
    gone: hooks::gone,
};
