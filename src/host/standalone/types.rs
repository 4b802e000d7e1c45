//! C's structures that the standalone host works with, laid out as in nginx.
//!
//! They are in one file because they point to each other: a cycle to its
//! modules, whose hooks take a cycle; a connection to its listening socket,
//! whose handler takes a connection. Other files wrap them in handle types,
//! whose methods are safe to call.

use std::ffi::{c_char, c_int, c_void};
use std::sync::atomic::{AtomicI64, AtomicIsize, AtomicPtr, AtomicUsize};

use crate::config::{
    ngx_fd_t, ngx_flag_t, ngx_int_t, ngx_msec_t, ngx_socket_t, ngx_str_t, ngx_uint_t, u_char,
};

/// By nginx's other name.
pub type ngx_log_t = ngx_log_s;

/// By nginx's other name.
pub type ngx_open_file_t = ngx_open_file_s;

/// Adds to a line at `buf`, at most `len` bytes; returns the position behind.
pub type ngx_log_handler_pt =
    Option<unsafe extern "C" fn(log: *mut ngx_log_t, buf: *mut u_char, len: usize) -> *mut u_char>;

/// Takes a finished line instead of a file.
pub type ngx_log_writer_pt = Option<
    unsafe extern "C" fn(log: *mut ngx_log_t, level: ngx_uint_t, buf: *mut u_char, len: usize),
>;

/// A file that is kept open.
#[repr(C)]
pub struct ngx_open_file_s {
    /// Its descriptor.
    pub fd: ngx_fd_t,
    /// Its name.
    pub name: ngx_str_t,
}

/// A log.
#[repr(C)]
pub struct ngx_log_s {
    /// The level, and the bits of the debug lines that are wanted.
    pub log_level: ngx_uint_t,
    /// Where lines go unless there is a writer.
    pub file: *mut ngx_open_file_t,

    /// The number of a connection for the line's prefix, or 0.
    pub connection: ngx_uint_t,

    /// The second in which the disk was full.
    pub disk_full_time: libc::time_t,

    /// Adds to each line but debug ones.
    pub handler: ngx_log_handler_pt,
    /// For the handler.
    pub data: *mut c_void,

    /// Takes the lines instead of the file.
    pub writer: ngx_log_writer_pt,
    /// For the writer.
    pub wdata: *mut c_void,

    /// For the handler: what was being done.
    pub action: *mut c_char,

    /// Another log that gets the same lines.
    pub next: *mut ngx_log_t,
}

/// By nginx's other name.
pub type ngx_event_t = ngx_event_s;

/// Is called when an event has happened.
pub type ngx_event_handler_pt = Option<unsafe extern "C" fn(ev: *mut ngx_event_t)>;

/// What C's bit-fields look like from here.
#[repr(C)]
pub struct ngx_event_s {
    pub(crate) data: *mut c_void,
    pub(crate) flags: u32,
    pub(crate) available: c_int,
    pub(crate) handler: ngx_event_handler_pt,
    pub(crate) log: *mut ngx_log_t,
    pub(crate) timer: Timer,
}

#[repr(C)]
pub(crate) struct Timer {
    pub(crate) key: ngx_msec_t,
}

/// The masks of the bit-fields of `ngx_event_s` in `flags`.
pub(crate) use crate::config::numbers::ngx_event_s as flag;

/// By nginx's other name.
pub type ngx_connection_t = ngx_connection_s;

/// Receives at most `size` bytes: how many; 0 at the end; NGX_AGAIN, NGX_ERROR.
pub type ngx_recv_pt =
    Option<unsafe extern "C" fn(c: *mut ngx_connection_t, buf: *mut u_char, size: usize) -> isize>;

/// Sends at most `size` bytes: how many; NGX_AGAIN, NGX_ERROR.
pub type ngx_send_pt =
    Option<unsafe extern "C" fn(c: *mut ngx_connection_t, buf: *mut u_char, size: usize) -> isize>;

/// A descriptor in the event loop; C's is in connection.h.
#[repr(C)]
pub struct ngx_connection_s {
    pub(crate) data: *mut c_void,
    pub(crate) read: *mut ngx_event_t,
    pub(crate) write: *mut ngx_event_t,

    pub(crate) fd: ngx_socket_t,

    pub(crate) recv: ngx_recv_pt,
    pub(crate) send: ngx_send_pt,

    pub(crate) listening: *mut ngx_listening_t,
    pub(crate) log: *mut ngx_log_t,
    pub(crate) pool: *mut ngx_pool_t,
    pub(crate) number: ngx_uint_t,

    pub(crate) flags: u32,
}

/// The masks of the bit-fields of `ngx_connection_s` in `flags`.
pub use crate::config::numbers::ngx_connection_s as bit;

/// Is called for each connection that has been accepted.
pub type ngx_connection_handler_pt = Option<unsafe extern "C" fn(c: *mut ngx_connection_t)>;

/// By nginx's other name.
pub type ngx_listening_t = ngx_listening_s;

/// Where a program listens.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ngx_listening_s {
    /// "HOST:PORT" with a numeric host, in brackets if it is IPv6, or "unix:PATH".
    pub address: *const c_char,
    /// What a worker does with each new connection.
    pub handler: ngx_connection_handler_pt,
    /// See listen(2); 0 for NGX_LISTEN_BACKLOG.
    pub backlog: c_int,

    /// The library's: the socket, or -1.
    pub fd: ngx_socket_t,
    /// The library's: the connection that accepts, in a worker.
    pub connection: *mut ngx_connection_t,
}

/// A directive; nginx's configuration files only.
pub enum ngx_command_t {}

/// By nginx's other name.
pub type ngx_module_t = ngx_module_s;

/// A module.
#[repr(C)]
pub struct ngx_module_s {
    /// Its index among those of its type.
    pub ctx_index: ngx_uint_t,
    /// Its index.
    pub index: ngx_uint_t,

    /// Its name.
    pub name: *mut c_char,

    /// Unused.
    pub spare0: ngx_uint_t,
    /// Unused.
    pub spare1: ngx_uint_t,

    /// What it was compiled for.
    pub version: ngx_uint_t,
    /// How it was compiled.
    pub signature: *const c_char,

    /// For the host of its type.
    pub ctx: *mut c_void,
    /// Its directives.
    pub commands: *mut ngx_command_t,
    /// Its type.
    pub r#type: ngx_uint_t,

    /// Not called by nginx.
    pub init_master: Option<unsafe extern "C" fn(log: *mut ngx_log_t) -> ngx_int_t>,

    /// Is called in the master, before there are workers.
    pub init_module: Option<unsafe extern "C" fn(cycle: *mut ngx_cycle_t) -> ngx_int_t>,

    /// Is called in each worker and helper; NGX_ERROR ends it with code 2.
    pub init_process: Option<unsafe extern "C" fn(cycle: *mut ngx_cycle_t) -> ngx_int_t>,
    /// Not called by nginx.
    pub init_thread: Option<unsafe extern "C" fn(cycle: *mut ngx_cycle_t) -> ngx_int_t>,
    /// Not called by nginx.
    pub exit_thread: Option<unsafe extern "C" fn(cycle: *mut ngx_cycle_t)>,
    /// Is called in each worker that exits, but not in helpers.
    pub exit_process: Option<unsafe extern "C" fn(cycle: *mut ngx_cycle_t)>,

    /// Is called in the master when it exits.
    pub exit_master: Option<unsafe extern "C" fn(cycle: *mut ngx_cycle_t)>,

    /// Unused.
    pub spare_hook0: usize,
    /// Unused.
    pub spare_hook1: usize,
    /// Unused.
    pub spare_hook2: usize,
    /// Unused.
    pub spare_hook3: usize,
    /// Unused.
    pub spare_hook4: usize,
    /// Unused.
    pub spare_hook5: usize,
    /// Unused.
    pub spare_hook6: usize,
    /// Unused.
    pub spare_hook7: usize,
}

/// By nginx's other name.
pub type ngx_cache_manager_ctx_t = ngx_cache_manager_ctx_s;

/// A helper: a process beside the workers.
#[repr(C)]
pub struct ngx_cache_manager_ctx_s {
    /// Is called after the delay, and again if it adds its event's timer.
    pub handler: ngx_event_handler_pt,
    /// How titles and log lines call the process.
    pub name: *mut c_char,
    /// Milliseconds.
    pub delay: ngx_msec_t,
}

/// By nginx's other name.
pub type ngx_core_conf_t = ngx_core_conf_s;

/// What the program wants: filled with defaults by ngx_ipc_conf_init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ngx_core_conf_s {
    /// Go into the background.
    pub daemon: ngx_flag_t,
    /// Have workers; else one process does it all.
    pub master: ngx_flag_t,

    /// Milliseconds after which a graceful shutdown closes what is left; 0: none.
    pub shutdown_timeout: ngx_msec_t,

    /// How many workers; 0: one for each processor.
    pub worker_processes: ngx_int_t,
    /// What ngx_debug_point() does: nothing, NGX_DEBUG_POINTS_STOP or _ABORT.
    pub debug_points: ngx_int_t,

    /// How many descriptors a worker may open; -1: as the master.
    pub rlimit_nofile: ngx_int_t,
    /// How large a worker's core may be, in bytes; -1: as the master's.
    pub rlimit_core: libc::off_t,
    /// The nice value of the workers; 0: as the master's.
    pub priority: c_int,

    /// Worker N runs on processor N only.
    pub cpu_affinity_auto: ngx_flag_t,

    /// Who the workers run as, if the master is root; NULL: as the master.
    pub username: *const c_char,
    /// The workers' group; NULL: that of the user.
    pub groupname: *const c_char,
    /// Where workers work; NULL: where the master does.
    pub working_directory: *const c_char,

    /// The file for the master's pid, or NULL.
    pub pid: *const c_char,
    /// The log's file; NULL: stderr.
    pub error_log: *const c_char,
    /// The log's level, or debug masks.
    pub log_level: ngx_uint_t,

    /// What process titles begin with; NULL: the program's name.
    pub name: *const c_char,
    /// Modules, NULL-terminated, or NULL.
    pub modules: *mut *mut ngx_module_t,
    /// Where workers accept connections.
    pub listening: *mut ngx_listening_t,
    /// How many places they are.
    pub listening_n: ngx_uint_t,
    /// Processes beside the workers.
    pub helpers: *mut ngx_cache_manager_ctx_t,
    /// How many they are.
    pub helpers_n: ngx_uint_t,

    /// Is called before a reload with a copy of the configuration, to change
    /// it; NGX_ERROR keeps the old one, and the workers that run.
    pub reconfigure: Option<unsafe extern "C" fn(conf: *mut ngx_core_conf_t) -> ngx_int_t>,
    /// The signal at which the master logs a list of its processes; 0: none.
    pub status_signal: c_int,
    /// Shared memory of 2 MiB and more is made of huge pages, if the system
    /// allows that.
    pub huge_pages: ngx_flag_t,
    /// Workers go on when the master dies; else they shut down gracefully.
    pub orphans_stay: ngx_flag_t,
}

/// By nginx's other name.
pub type ngx_cycle_t = ngx_cycle_s;

/// What a program runs with between two configurations.
#[repr(C)]
pub struct ngx_cycle_s {
    /// The configurations of the modules; the first is the ngx_core_conf_t.
    pub conf_ctx: *mut *mut *mut *mut c_void,
    /// Memory that lives as long as the cycle.
    pub pool: *mut ngx_pool_t,
    /// Where the library logs.
    pub log: *mut ngx_log_t,
    /// The modules, NULL-terminated, or NULL.
    pub modules: *mut *mut ngx_module_t,
    /// How many they are.
    pub modules_n: ngx_uint_t,
    /// Where workers accept connections.
    pub listening: *mut ngx_listening_t,
    /// How many places they are.
    pub listening_n: ngx_uint_t,
}

/// A time of day.
#[repr(C)]
pub struct ngx_time_t {
    /// Seconds since 1970.
    pub sec: libc::time_t,
    /// Milliseconds of the second that has begun.
    pub msec: ngx_uint_t,
    /// Minutes that local time is ahead of UTC.
    pub gmtoff: ngx_int_t,
}

/// An `ngx_time_t` that a signal handler may change.
#[repr(C)]
pub struct CachedTime {
    pub(crate) sec: AtomicI64,
    pub(crate) msec: AtomicUsize,
    pub(crate) gmtoff: AtomicIsize,
}

/// An `ngx_str_t` that a signal handler may change.
#[repr(C)]
pub struct CachedText {
    pub(crate) len: AtomicUsize,
    pub(crate) data: AtomicPtr<u_char>,
}

const _: () = {
    assert!(size_of::<CachedTime>() == size_of::<ngx_time_t>());
    assert!(size_of::<CachedText>() == size_of::<ngx_str_t>());
};

/// By nginx's other name.
pub type ngx_pool_t = ngx_pool_s;

/// By nginx's other name.
pub type ngx_pool_cleanup_t = ngx_pool_cleanup_s;

/// Is called when a pool is destroyed.
pub type ngx_pool_cleanup_pt = Option<unsafe extern "C" fn(data: *mut c_void)>;

/// Something to do when a pool is destroyed.
#[repr(C)]
pub struct ngx_pool_cleanup_s {
    /// What is called, for the caller to set; NULL does nothing.
    pub handler: ngx_pool_cleanup_pt,
    /// What it is called with.
    pub data: *mut c_void,
    /// The one that was added before.
    pub next: *mut ngx_pool_cleanup_t,
}

/// A pool: a list of blocks, the one that is handed out from in front. The
/// pool itself is in its first block.
pub struct ngx_pool_s {
    pub(crate) blocks: *mut Block,
    pub(crate) size: usize,
    pub(crate) cleanup: *mut ngx_pool_cleanup_t,
    pub(crate) log: *mut ngx_log_t,
}

/// The head of a piece of malloc()'s memory.
#[repr(C, align(16))]
pub(crate) struct Block {
    pub(crate) next: *mut Block,
    /// How much of it, the head included, there is
    pub(crate) size: usize,
    /// and has been handed out.
    pub(crate) used: usize,
}
