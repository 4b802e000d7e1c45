//! C's structures that the standalone host works with, laid out as in nginx.
//!
//! This file is long because the structures point to each other: a cycle to its
//! modules, whose hooks take a cycle; a connection to its listening socket,
//! whose handler takes a connection. Other files have the handle types, which
//! state what is true of C's pointers.
//!
//! The comments of those that Rust declares for C become comments of the
//! headers; `include/generator/` has the others, by hand.

use std::ffi::{c_char, c_int, c_void};
use std::sync::atomic::{AtomicI64, AtomicIsize, AtomicPtr, AtomicUsize};

use crate::config::{
    ngx_fd_t, ngx_flag_t, ngx_int_t, ngx_msec_t, ngx_socket_t, ngx_str_t, ngx_uint_t, u_char,
};

/// nginx's typedef.
pub type ngx_log_t = ngx_log_s;

/// nginx's typedef.
pub type ngx_open_file_t = ngx_open_file_s;

/// Adds at most `len` bytes to a line at `buf`. Returns the position after the
/// last byte.
pub type ngx_log_handler_pt =
    Option<unsafe extern "C" fn(log: *mut ngx_log_t, buf: *mut u_char, len: usize) -> *mut u_char>;

/// Gets a finished line, in place of the log's file.
pub type ngx_log_writer_pt = Option<
    unsafe extern "C" fn(log: *mut ngx_log_t, level: ngx_uint_t, buf: *mut u_char, len: usize),
>;

/// An open file.
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
    /// The level: more severe lines and those of the level are written. Or
    /// NGX_LOG_DEBUG_CORE and so on: the masks of the debug lines to write,
    /// and all other lines.
    pub log_level: ngx_uint_t,
    /// The file that lines are written to, unless there is a writer.
    pub file: *mut ngx_open_file_t,

    /// The number of a connection, which lines begin with, or 0.
    pub connection: ngx_uint_t,

    /// The last second in which the disk was full: the library's.
    pub disk_full_time: libc::time_t,

    /// Adds to each line that is not a debug line.
    pub handler: ngx_log_handler_pt,
    /// Data of the handler.
    pub data: *mut c_void,

    /// Gets the lines in place of the file.
    pub writer: ngx_log_writer_pt,
    /// Data of the writer.
    pub wdata: *mut c_void,

    /// For the handler: what the program does, such as "reading a request".
    pub action: *mut c_char,

    /// The next log, which gets the same lines, or NULL.
    pub next: *mut ngx_log_t,
}

/// nginx's typedef.
pub type ngx_event_t = ngx_event_s;

/// The handler of an event: the event loop calls it when the event happens.
pub type ngx_event_handler_pt = Option<unsafe extern "C" fn(ev: *mut ngx_event_t)>;

/// An event. C has bit-fields in place of `flags`, see [`flag`].
#[repr(C)]
pub struct ngx_event_s {
    pub(crate) data: *mut c_void,
    pub(crate) flags: u32,
    pub(crate) available: c_int,
    pub(crate) handler: ngx_event_handler_pt,
    pub(crate) log: *mut ngx_log_t,
    pub(crate) timer: Timer,
}

/// The timer of an event: `key` is when it expires.
#[repr(C)]
pub(crate) struct Timer {
    pub(crate) key: ngx_msec_t,
}

/// The masks of the bit-fields of `ngx_event_s` in `flags`.
pub(crate) use crate::config::numbers::ngx_event_s as flag;

/// nginx's typedef.
pub type ngx_connection_t = ngx_connection_s;

/// Receives at most `size` bytes.
///
/// Returns how many were received, 0 if the other side sends no more, NGX_AGAIN
/// if there are none now, or NGX_ERROR.
pub type ngx_recv_pt =
    Option<unsafe extern "C" fn(c: *mut ngx_connection_t, buf: *mut u_char, size: usize) -> isize>;

/// Sends at most `size` bytes.
///
/// Returns how many were sent, NGX_AGAIN if none can be sent now, or NGX_ERROR.
pub type ngx_send_pt =
    Option<unsafe extern "C" fn(c: *mut ngx_connection_t, buf: *mut u_char, size: usize) -> isize>;

/// A connection. C has bit-fields in place of `flags`, see [`bit`].
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

/// What a program does with a connection that has been accepted.
pub type ngx_connection_handler_pt = Option<unsafe extern "C" fn(c: *mut ngx_connection_t)>;

/// nginx's typedef.
pub type ngx_listening_t = ngx_listening_s;

/// An address that the program listens on.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ngx_listening_s {
    /// "HOST:PORT", where the host is a number, in brackets if it is IPv6, or
    /// "unix:PATH".
    pub address: *const c_char,
    /// A worker calls it for each new connection.
    pub handler: ngx_connection_handler_pt,
    /// How many connections may wait to be accepted; 0: NGX_LISTEN_BACKLOG.
    pub backlog: c_int,

    /// The socket, or -1: the library's.
    pub fd: ngx_socket_t,
    /// In a worker the connection that accepts, or NULL: the library's.
    pub connection: *mut ngx_connection_t,
}

/// A directive of nginx's configuration files, which this library does not read.
pub enum ngx_command_t {}

/// nginx's typedef.
pub type ngx_module_t = ngx_module_s;

/// A module: functions that the library calls when processes start and exit.
#[repr(C)]
pub struct ngx_module_s {
    /// Its index among the modules of its type.
    pub ctx_index: ngx_uint_t,
    /// Its index among all modules.
    pub index: ngx_uint_t,

    /// Its name.
    pub name: *mut c_char,

    /// Unused.
    pub spare0: ngx_uint_t,
    /// Unused.
    pub spare1: ngx_uint_t,

    /// The version that it was compiled for.
    pub version: ngx_uint_t,
    /// The features that it was compiled with.
    pub signature: *const c_char,

    /// What modules of its type have, such as a ngx_core_module_t.
    pub ctx: *mut c_void,
    /// Its directives.
    pub commands: *mut ngx_command_t,
    /// Its type.
    pub r#type: ngx_uint_t,

    /// The master calls it once, before its first init_module.
    pub init_master: Option<unsafe extern "C" fn(log: *mut ngx_log_t) -> ngx_int_t>,

    /// The master calls it for each configuration, before its workers start.
    pub init_module: Option<unsafe extern "C" fn(cycle: *mut ngx_cycle_t) -> ngx_int_t>,

    /// Each worker and helper calls it when it starts. After NGX_ERROR the
    /// process exits with code 2, and is not started again.
    pub init_process: Option<unsafe extern "C" fn(cycle: *mut ngx_cycle_t) -> ngx_int_t>,
    /// Never called.
    pub init_thread: Option<unsafe extern "C" fn(cycle: *mut ngx_cycle_t) -> ngx_int_t>,
    /// Never called.
    pub exit_thread: Option<unsafe extern "C" fn(cycle: *mut ngx_cycle_t)>,
    /// Each worker calls it before it exits; helpers do not.
    pub exit_process: Option<unsafe extern "C" fn(cycle: *mut ngx_cycle_t)>,

    /// The master calls it before it exits.
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

/// nginx's typedef.
pub type ngx_cache_manager_ctx_t = ngx_cache_manager_ctx_s;

/// A helper: a process that the master runs beside the workers, as nginx runs
/// its cache manager.
#[repr(C)]
pub struct ngx_cache_manager_ctx_s {
    /// Called once after the delay; for the next call it adds a timer to its
    /// event.
    pub handler: ngx_event_handler_pt,
    /// The name of the process in its title and in log lines.
    pub name: *mut c_char,
    /// Milliseconds from the start of the process to the call.
    pub delay: ngx_msec_t,
}

/// nginx's typedef.
pub type ngx_core_conf_t = ngx_core_conf_s;

/// The configuration of a program; ngx_ipc_conf_init() sets the defaults.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ngx_core_conf_s {
    /// 1: go into the background.
    pub daemon: ngx_flag_t,
    /// 1: a master with workers; 0: a single process, which is both.
    pub master: ngx_flag_t,

    /// Milliseconds after which a worker that shuts down gracefully closes the
    /// connections that are still open; 0: it waits for them.
    pub shutdown_timeout: ngx_msec_t,

    /// The number of workers; 0: one for each processor.
    pub worker_processes: ngx_int_t,
    /// What ngx_debug_point() does: 0 (nothing), NGX_DEBUG_POINTS_STOP or
    /// NGX_DEBUG_POINTS_ABORT.
    pub debug_points: ngx_int_t,

    /// RLIMIT_NOFILE of the workers; -1: as the master's.
    pub rlimit_nofile: ngx_int_t,
    /// RLIMIT_CORE of the workers, in bytes; -1: as the master's.
    pub rlimit_core: libc::off_t,
    /// The nice value of the workers; 0: as the master's.
    pub priority: c_int,

    /// 1: worker N runs on processor N only.
    pub cpu_affinity_auto: ngx_flag_t,

    /// The user of the workers, if the master is root; NULL: the master's.
    pub username: *const c_char,
    /// The group of the workers; NULL: the user's.
    pub groupname: *const c_char,
    /// The working directory of the workers; NULL: the master's.
    pub working_directory: *const c_char,

    /// The file that the master writes its pid to; NULL: none.
    pub pid: *const c_char,
    /// The file of the log; NULL: stderr.
    pub error_log: *const c_char,
    /// The level of the log, or the masks of its debug lines.
    pub log_level: ngx_uint_t,

    /// What process titles begin with; NULL: the program's name.
    pub name: *const c_char,
    /// The modules, an array that ends with NULL, or NULL.
    pub modules: *mut *mut ngx_module_t,
    /// The addresses that workers accept connections on.
    pub listening: *mut ngx_listening_t,
    /// The number of those addresses.
    pub listening_n: ngx_uint_t,
    /// The helpers.
    pub helpers: *mut ngx_cache_manager_ctx_t,
    /// The number of helpers.
    pub helpers_n: ngx_uint_t,

    /// Called at a reload with a copy of the configuration, which it changes.
    /// After NGX_ERROR the old configuration and its workers stay.
    pub reconfigure: Option<unsafe extern "C" fn(conf: *mut ngx_core_conf_t) -> ngx_int_t>,
    /// The signal that makes the master log a list of its processes; 0: none.
    pub status_signal: c_int,
    /// 1: shared memory of 2 MiB and more uses huge pages, if the system allows
    /// it.
    pub huge_pages: ngx_flag_t,
    /// What workers do when the master dies. 1: they go on; 0: they shut down
    /// gracefully.
    pub orphans_stay: ngx_flag_t,
    /// The size of this structure: ngx_ipc_conf_init() sets it.
    pub size: usize,
    /// The size of an element of `listening`: ngx_ipc_conf_init() sets it.
    pub listening_size: usize,
}

/// nginx's typedef.
pub type ngx_cycle_t = ngx_cycle_s;

/// The state of a program from one configuration to the next.
#[repr(C)]
pub struct ngx_cycle_s {
    /// The configurations of the modules. The first one is a ngx_core_conf_t.
    pub conf_ctx: *mut *mut *mut *mut c_void,
    /// Memory that lives as long as the cycle.
    pub pool: *mut ngx_pool_t,
    /// The log of the library.
    pub log: *mut ngx_log_t,
    /// The modules, an array that ends with NULL, or NULL.
    pub modules: *mut *mut ngx_module_t,
    /// The number of modules.
    pub modules_n: ngx_uint_t,
    /// The addresses that workers accept connections on.
    pub listening: *mut ngx_listening_t,
    /// The number of those addresses.
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

/// nginx's typedef.
pub type ngx_pool_t = ngx_pool_s;

/// nginx's typedef.
pub type ngx_pool_cleanup_t = ngx_pool_cleanup_s;

/// The handler of a cleanup: ngx_destroy_pool() calls it.
pub type ngx_pool_cleanup_pt = Option<unsafe extern "C" fn(data: *mut c_void)>;

/// A cleanup: a function to call when a pool is destroyed.
#[repr(C)]
pub struct ngx_pool_cleanup_s {
    /// The function, which the program sets; NULL: none.
    pub handler: ngx_pool_cleanup_pt,
    /// The argument of the function.
    pub data: *mut c_void,
    /// The cleanup that was added before this one.
    pub next: *mut ngx_pool_cleanup_t,
}

/// A pool: a list of blocks. Memory is taken from the first block of the list;
/// the pool itself is in the last one, which was made first.
pub struct ngx_pool_s {
    pub(crate) blocks: *mut Block,
    pub(crate) size: usize,
    pub(crate) cleanup: *mut ngx_pool_cleanup_t,
    pub(crate) log: *mut ngx_log_t,
}

/// The head of a block, which is one piece of malloc()'s memory.
#[repr(C, align(16))]
pub(crate) struct Block {
    pub(crate) next: *mut Block,
    /// The number of its bytes, including the head.
    pub(crate) size: usize,
    /// How many of them are in use, including the head.
    pub(crate) used: usize,
}
