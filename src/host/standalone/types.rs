//! The structures of C that the standalone host uses, with the layouts that
//! they have in nginx.
//!
//! This file is long because the structures point to each other: a cycle points
//! to its modules, whose hooks take a cycle; a connection points to its
//! listening socket, whose handler takes a connection. Other files define a
//! handle type for each structure, with methods that are safe to call.
//!
//! For most structures the headers are generated from this file, with the
//! comments. `include/generator/` has the declarations of the other structures,
//! written by hand.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::sync::atomic::{AtomicI64, AtomicIsize, AtomicPtr, AtomicUsize};

pub use super::containers::{
    ngx_array_t, ngx_list_t, ngx_queue_t, ngx_rbtree_node_t, ngx_rbtree_t,
};
use crate::config::{
    ngx_fd_t, ngx_flag_t, ngx_int_t, ngx_msec_t, ngx_socket_t, ngx_str_t, ngx_uint_t, u_char,
};

/// nginx's typedef.
pub type ngx_log_t = ngx_log_s;

/// nginx's typedef.
pub type ngx_open_file_t = ngx_open_file_s;

/// A function of the program that adds at most `len` bytes to a line at `buf`.
/// Returns the position after the last byte.
pub type ngx_log_handler_pt =
    Option<unsafe extern "C" fn(log: *mut ngx_log_t, buf: *mut u_char, len: usize) -> *mut u_char>;

/// A function of the program that gets each finished line, in place of the
/// log's file. The line is the `len` bytes at `buf`.
pub type ngx_log_writer_pt = Option<
    unsafe extern "C" fn(log: *mut ngx_log_t, level: ngx_uint_t, buf: *mut u_char, len: usize),
>;

/// An open file, such as the file of a log.
#[repr(C)]
pub struct ngx_open_file_s {
    /// The descriptor of the file.
    pub fd: ngx_fd_t,
    /// The name of the file.
    pub name: ngx_str_t,
}

/// A log of a program.
#[repr(C)]
pub struct ngx_log_s {
    /// A level: the log writes lines of this level and more severe lines. Or
    /// the masks of debug lines, such as NGX_LOG_DEBUG_CORE: the log writes
    /// these debug lines and all lines that are no debug lines.
    pub log_level: ngx_uint_t,
    /// The file that lines are written to if there is no writer.
    pub file: *mut ngx_open_file_t,

    /// The number of a connection: each line begins with it. 0: no number.
    pub connection: ngx_uint_t,

    /// The last second in which the disk was full. Only the library uses the
    /// field.
    pub disk_full_time: libc::time_t,

    /// A function that adds text to each line that is not a debug line, or
    /// NULL.
    pub handler: ngx_log_handler_pt,
    /// Data for the handler.
    pub data: *mut c_void,

    /// A function that gets the lines in place of the file, or NULL.
    pub writer: ngx_log_writer_pt,
    /// Data for the writer.
    pub wdata: *mut c_void,

    /// Text for the handler about the present work of the program, such as
    /// "reading a request".
    pub action: *mut c_char,

    /// The next log in the list, which gets the same lines, or NULL.
    pub next: *mut ngx_log_t,
}

/// nginx's typedef.
pub type ngx_event_t = ngx_event_s;

/// The handler of an event. The event loop calls the handler when the event
/// happens.
pub type ngx_event_handler_pt = Option<unsafe extern "C" fn(ev: *mut ngx_event_t)>;

/// An event. C has bit-fields in place of `flags`; [`flag`] has their masks.
#[repr(C)]
pub struct ngx_event_s {
    pub(crate) data: *mut c_void,
    pub(crate) flags: u32,
    pub(crate) available: c_int,
    pub(crate) handler: ngx_event_handler_pt,
    pub(crate) index: ngx_uint_t,
    pub(crate) log: *mut ngx_log_t,
    pub(crate) timer: Timer,
    pub(crate) queue: ngx_queue_t,
}

/// The functions of the event loop that C calls through `ngx_event_actions`.
#[repr(C)]
pub struct ngx_event_actions_t {
    pub(crate) add: ngx_change_event_pt,
    pub(crate) del: ngx_change_event_pt,
    pub(crate) enable: ngx_change_event_pt,
    pub(crate) disable: ngx_change_event_pt,
    pub(crate) add_conn: Option<unsafe extern "C" fn(c: *mut ngx_connection_t) -> ngx_int_t>,
    pub(crate) del_conn:
        Option<unsafe extern "C" fn(c: *mut ngx_connection_t, flags: ngx_uint_t) -> ngx_int_t>,
    /// The members that this library does not have: `notify`, `process_events`,
    /// `init` and `done`.
    pub(crate) absent: [Option<unsafe extern "C" fn()>; 4],
}

/// The type of the functions of `ngx_event_actions` that add or delete an event.
pub(crate) type ngx_change_event_pt = Option<
    unsafe extern "C" fn(ev: *mut ngx_event_t, event: ngx_int_t, flags: ngx_uint_t) -> ngx_int_t,
>;

/// The timer of an event. It has the size of nginx's `ngx_rbtree_node_t`.
#[repr(C)]
pub(crate) struct Timer {
    /// The time at which the timer expires.
    pub(crate) key: ngx_msec_t,
    /// The links of the tree of timers, see `timers.rs`.
    pub(crate) left: *mut ngx_event_t,
    pub(crate) right: *mut ngx_event_t,
    pub(crate) parent: *mut ngx_event_t,
    /// The priority of the event in the tree. The parent of an event never has a
    /// lower priority than the event.
    pub(crate) priority: u16,
    /// The round of the event loop in which the timer was added.
    pub(crate) round: u16,
    /// The number of the tree that has the event; 0 if the event has no timer.
    pub(crate) tree: u32,
}

const _: () = assert!(size_of::<Timer>() == 5 * size_of::<usize>());

/// The masks of the bit-fields of `ngx_event_s` in `flags`.
pub(crate) use crate::config::numbers::ngx_event_s as flag;

/// nginx's typedef.
pub type ngx_connection_t = ngx_connection_s;

/// Receives at most `size` bytes from a connection.
///
/// Returns the number of bytes received, 0 if the other side sends no more,
/// NGX_AGAIN if no byte has arrived yet, or NGX_ERROR.
pub type ngx_recv_pt =
    Option<unsafe extern "C" fn(c: *mut ngx_connection_t, buf: *mut u_char, size: usize) -> isize>;

/// Sends at most `size` bytes on a connection.
///
/// Returns the number of bytes sent, NGX_AGAIN if the socket buffer is full, or
/// NGX_ERROR.
pub type ngx_send_pt =
    Option<unsafe extern "C" fn(c: *mut ngx_connection_t, buf: *mut u_char, size: usize) -> isize>;

/// A connection. C has bit-fields in place of `flags`; [`bit`] has their masks.
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

    pub(crate) sockaddr: *mut libc::sockaddr,
    pub(crate) socklen: libc::socklen_t,
}

/// The masks of the bit-fields of `ngx_connection_s` in `flags`.
pub use crate::config::numbers::ngx_connection_s as bit;

/// A function of the program that a worker calls for each new connection.
pub type ngx_connection_handler_pt = Option<unsafe extern "C" fn(c: *mut ngx_connection_t)>;

/// nginx's typedef.
pub type ngx_listening_t = ngx_listening_s;

/// An address on which the program listens.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ngx_listening_s {
    /// The address: "IPV4:PORT", "[IPv6 address]:PORT", "*:PORT", ":PORT", "PORT",
    /// "unix:PATH", "unix:@NAME" for a Unix socket that has no file, "fd:NUMBER"
    /// for a descriptor that is open already, or "fdname:NAME" for the sockets that
    /// the service manager has opened with this name, sd_listen_fds(3).
    pub address: *const c_char,
    /// The function that a worker calls for each new connection.
    pub handler: ngx_connection_handler_pt,
    /// The largest number of connections that wait to be accepted; 0:
    /// NGX_LISTEN_BACKLOG.
    pub backlog: c_int,

    /// The socket, or -1. Only the library sets the field.
    pub fd: ngx_socket_t,
    /// In a worker, the connection that accepts from the socket, or NULL. Only
    /// the library sets the field.
    pub connection: *mut ngx_connection_t,

    /// Whether an IPv6 socket accepts IPv6 only, IPV6_V6ONLY of ipv6(7). 0 or 1:
    /// IPv6 only; -1: IPv4 too.
    pub ipv6only: ngx_flag_t,
    /// The port of the socket, which the kernel has chosen if the port in the
    /// address is 0. 0: the socket is a Unix socket, or is not open. Only the
    /// library sets the field.
    pub port: ngx_uint_t,
    /// 1: each worker has a socket of its own with this address, SO_REUSEPORT of
    /// socket(7), and the kernel distributes the connections; 0: all workers
    /// share one socket. Unix sockets ignore the field.
    pub reuseport: ngx_flag_t,
    /// The number of the socket among those of the address, from 0. With
    /// reuseport, the worker with this number accepts from it; if there are fewer
    /// workers, the worker with the remainder of the division by their number.
    /// Only the library sets the field.
    pub worker: ngx_uint_t,
    /// The type of the socket, see socket(2). 0 or SOCK_STREAM: the handler gets a
    /// connection for each client; SOCK_DGRAM: it gets one for each datagram.
    pub r#type: ngx_int_t,

    /// The permissions of a Unix socket's file, such as 0660; 0: 0666. The file has
    /// them whatever the umask is.
    pub mode: ngx_uint_t,
    /// The owner of a Unix socket's file; NULL: the user of the master.
    pub username: *const c_char,
    /// The group of a Unix socket's file; NULL: the group of the master.
    pub groupname: *const c_char,

    /// The address of the socket, `getsockname(2)`; NULL if the socket is not open.
    /// Only the library sets the field.
    pub sockaddr: *mut libc::sockaddr,
    /// The address as text, such as "127.0.0.1:80". Only the library sets the field.
    pub addr_text: ngx_str_t,
    /// The log of the cycle. Only the library sets the field.
    pub logp: *mut ngx_log_t,
    /// The length of `sockaddr` in bytes. Only the library sets the field.
    pub socklen: libc::socklen_t,
    /// Whether the socket is open. Only the library sets the field.
    pub open: c_uint,
    /// Whether listen(2) was called. Only the library sets the field, and a module that
    /// adds a socket of its own to a cycle.
    pub listen: c_uint,
    /// Unused: the library makes no texts of the addresses of clients.
    pub addr_ntop: c_uint,
    /// NULL. In nginx it is the same socket in the cycle before, which is freed when the
    /// reload is complete.
    pub previous: *mut ngx_listening_t,
}

/// A directive of nginx's configuration files, which this library does not read.
/// `ngx_conf_file.h` declares it.
pub enum ngx_command_t {}

/// nginx's typedef.
pub type ngx_module_t = ngx_module_s;

/// A module: its hooks are functions that the library calls when processes
/// start and exit.
#[repr(C)]
pub struct ngx_module_s {
    /// The index of the module among the modules of its type. Unused here.
    pub ctx_index: ngx_uint_t,
    /// The index of the module's configuration in `conf_ctx` of a cycle. Only the
    /// library sets the field.
    pub index: ngx_uint_t,

    /// The name of the module. Unused here.
    pub name: *mut c_char,

    /// Unused.
    pub spare0: ngx_uint_t,
    /// Unused.
    pub spare1: ngx_uint_t,

    /// The version of nginx for which the module was compiled. Unused here.
    pub version: ngx_uint_t,
    /// The features with which the module was compiled. Unused here.
    pub signature: *const c_char,

    /// The context of the module: in a module of type NGX_CORE_MODULE a
    /// ngx_core_module_t, or NULL. Other types are not used here.
    pub ctx: *mut c_void,
    /// The directives of the module. Unused here.
    pub commands: *mut ngx_command_t,
    /// The type of the module, such as NGX_CORE_MODULE.
    pub r#type: ngx_uint_t,

    /// The master calls this hook once, before the first call of init_module.
    pub init_master: Option<unsafe extern "C" fn(log: *mut ngx_log_t) -> ngx_int_t>,

    /// The master calls this hook for each configuration, before it starts the
    /// workers.
    pub init_module: Option<unsafe extern "C" fn(cycle: *mut ngx_cycle_t) -> ngx_int_t>,

    /// Each worker and helper calls this hook when the process starts. If the
    /// hook returns NGX_ERROR, the process exits with code 2 and is not started
    /// again.
    pub init_process: Option<unsafe extern "C" fn(cycle: *mut ngx_cycle_t) -> ngx_int_t>,
    /// This library never calls this hook.
    pub init_thread: Option<unsafe extern "C" fn(cycle: *mut ngx_cycle_t) -> ngx_int_t>,
    /// This library never calls this hook.
    pub exit_thread: Option<unsafe extern "C" fn(cycle: *mut ngx_cycle_t)>,
    /// Each worker calls this hook before the process exits. Helpers do not.
    pub exit_process: Option<unsafe extern "C" fn(cycle: *mut ngx_cycle_t)>,

    /// The master calls this hook before it exits.
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
    /// The function of the helper. The process calls it once after the delay.
    /// To be called again, the function adds a timer to its event.
    pub handler: ngx_event_handler_pt,
    /// The name of the process in its title and in log lines; NULL: "helper process".
    pub name: *mut c_char,
    /// Milliseconds from the start of the process to the first call of the
    /// handler.
    pub delay: ngx_msec_t,
}

/// nginx's typedef.
pub type ngx_core_conf_t = ngx_core_conf_s;

/// The configuration of a program; ngx_ipc_conf_init() sets the defaults.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ngx_core_conf_s {
    /// 1: the program goes into the background.
    pub daemon: ngx_flag_t,
    /// 1: a master with workers; 0: a single process that is master and worker
    /// in one.
    pub master: ngx_flag_t,

    /// Milliseconds after which a worker that shuts down gracefully closes all
    /// connections that are still open, and exits; 0: the worker waits for them
    /// without a time limit. The master sends SIGKILL to workers and helpers that
    /// are alive 2 s later.
    pub shutdown_timeout: ngx_msec_t,

    /// The number of workers, at most 1024; 0: one for each processor that the master is
    /// allowed to use, see sched_getaffinity(2).
    pub worker_processes: ngx_int_t,
    /// The action of ngx_debug_point(): 0 (none), NGX_DEBUG_POINTS_STOP or
    /// NGX_DEBUG_POINTS_ABORT.
    pub debug_points: ngx_int_t,

    /// RLIMIT_NOFILE of the workers; -1: the limit of the master.
    pub rlimit_nofile: ngx_int_t,
    /// RLIMIT_CORE of the workers, in bytes; -1: the limit of the master.
    pub rlimit_core: libc::off_t,
    /// The nice value of the workers; 0: the nice value of the master.
    pub priority: c_int,

    /// 1: each worker runs on one processor only, the next one of those that the master
    /// is allowed to use.
    pub cpu_affinity_auto: ngx_flag_t,

    /// The user of the workers, if the master is root; NULL: the user of the
    /// master.
    pub username: *const c_char,
    /// The group of the workers; NULL: the primary group of their user.
    pub groupname: *const c_char,
    /// The working directory of the workers; NULL: the directory of the
    /// master.
    pub working_directory: *const c_char,

    /// The file to which the master writes its pid; NULL: no file.
    pub pid: *const c_char,
    /// Where the log writes: the path of a file, "stderr", or "syslog:server=ADDRESS",
    /// which ",facility=NAME", ",tag=TEXT", ",severity=LEVEL" and ",nohostname" can
    /// follow. NULL: stderr, or only log_writer if it is set.
    pub error_log: *const c_char,
    /// The level of the log, or the masks of its debug lines.
    pub log_level: ngx_uint_t,

    /// The text with which process titles begin; NULL: the name of the
    /// program.
    pub name: *const c_char,
    /// The modules, an array that ends with NULL, or NULL.
    pub modules: *mut *mut ngx_module_t,
    /// The addresses on which workers accept connections, an array.
    pub listening: *mut ngx_listening_t,
    /// The number of elements of `listening`.
    pub listening_n: ngx_uint_t,
    /// The helpers, an array.
    pub helpers: *mut ngx_cache_manager_ctx_t,
    /// The number of elements of `helpers`.
    pub helpers_n: ngx_uint_t,

    /// The master calls this function at a reload with a copy of the
    /// configuration. The function changes the copy. If it returns NGX_ERROR,
    /// the old configuration and its workers stay.
    pub reconfigure: Option<unsafe extern "C" fn(conf: *mut ngx_core_conf_t) -> ngx_int_t>,
    /// The signal at which the master logs a list of its processes; 0: no
    /// signal.
    pub status_signal: c_int,
    /// 1: shared memory of 2 MiB or more uses huge pages, if the system allows
    /// huge pages for shared memory.
    pub huge_pages: ngx_flag_t,
    /// 1: when the master dies, the workers continue to run; 0: they shut down
    /// gracefully.
    pub orphans_stay: ngx_flag_t,
    /// The size of this structure in bytes, which ngx_ipc_conf_init() sets.
    pub size: usize,
    /// The size of an element of `listening` in bytes, which
    /// ngx_ipc_conf_init() sets.
    pub listening_size: usize,
    /// 1: the processes can send messages, although no module registers a type of
    /// messages in `init_module`.
    pub messages: ngx_flag_t,
    /// The memory for the messages that wait for one process, in bytes, at most
    /// 256 MiB; 0: 4 MiB.
    pub message_memory: usize,
    /// The largest payload of a message in bytes, at most 127 MiB; 0: 1 MiB.
    pub message_max: usize,
    /// The number of processes that can have messages at the same time, in all
    /// generations, at most 1020; 0: four times the number of workers and helpers, and at
    /// least 64.
    pub message_processes: ngx_uint_t,
    /// Microseconds for which a process that has just received a message looks
    /// for the next one before it sleeps, at most 1000000; 0: it does not. Of use with
    /// more processors than busy processes.
    pub message_spin: ngx_uint_t,
    /// Function that ngx_ipc_main() calls while it sets the program up, with each
    /// line of the level "warn" or a more severe level, and with "started" at the
    /// level NGX_LOG_NOTICE when the program is set up. `text` is the line without
    /// the time and the pid; it is valid until the function returns. NULL: none.
    pub report:
        Option<unsafe extern "C" fn(level: ngx_uint_t, text: *const c_char, data: *mut c_void)>,
    /// The argument `data` of `report`.
    pub report_data: *mut c_void,
    /// The version of the program, which ngx_ipc_program() returns; NULL: none.
    pub version: *const c_char,
    /// A function that gets each line of the log, a ngx_log_writer_pt: beside error_log,
    /// or in place of it if error_log is NULL. It must be async-signal-safe. NULL: no
    /// function.
    pub log_writer: Option<
        unsafe extern "C" fn(log: *mut ngx_log_t, level: ngx_uint_t, buf: *mut u_char, len: usize),
    >,
    /// The field `wdata` of the log that log_writer gets.
    pub log_writer_data: *mut c_void,
    /// 1: each line of the log is an object of JSON.
    pub log_json: ngx_flag_t,
    /// 1: the zones of shared memory survive an upgrade: a new binary that the master
    /// executes at SIGUSR2 gets them with their content.
    pub keep_zones: ngx_flag_t,
    /// The user of the workers, or -1. Only the library sets the field, in the
    /// configuration of a cycle.
    pub user: libc::uid_t,
    /// The group of the workers, or -1. Only the library sets the field, in the
    /// configuration of a cycle.
    pub group: libc::gid_t,
    /// The name of the old binary's pid file during an upgrade; empty: no file.
    /// Only the library sets the field, in the configuration of a cycle.
    pub oldpid: ngx_str_t,
    /// The directory with the files of the zones of shared memory, which is made if it
    /// does not exist, for example in /dev/shm: the zones survive an upgrade, the end of
    /// the program, and processes that are killed. NULL: no files.
    pub zones_directory: *const c_char,
}

/// nginx's typedef.
pub type ngx_cycle_t = ngx_cycle_s;

/// The state of a program from one configuration to the next.
#[repr(C)]
pub struct ngx_cycle_s {
    /// An array of pointers to configurations. The first configuration is a
    /// ngx_core_conf_t, that of `ngx_core_module`; the others are those of the
    /// modules, see `ngx_get_conf()`.
    pub conf_ctx: *mut *mut *mut *mut c_void,
    /// Memory that lives as long as the cycle.
    pub pool: *mut ngx_pool_t,
    /// The log to which the library writes.
    pub log: *mut ngx_log_t,
    /// Unused.
    pub new_log: ngx_log_t,

    /// Unused.
    pub log_use_stderr: ngx_uint_t,

    /// NULL: epoll needs no table of descriptors.
    pub files: *mut *mut ngx_connection_t,
    /// Unused.
    pub free_connections: *mut ngx_connection_t,
    /// Unused.
    pub free_connection_n: ngx_uint_t,

    /// The modules, an array that ends with NULL, or NULL.
    pub modules: *mut *mut ngx_module_t,
    /// The number of modules.
    pub modules_n: ngx_uint_t,
    /// 1: the modules are in use.
    pub modules_used: ngx_uint_t,

    /// Unused: an empty queue.
    pub reusable_connections_queue: ngx_queue_t,
    /// Unused.
    pub reusable_connections_n: ngx_uint_t,
    /// Unused.
    pub connections_reuse_time: libc::time_t,

    /// The addresses on which workers accept connections: `ngx_listening_t`, one
    /// for each socket. The size of an element is that in the headers with which
    /// the program was compiled.
    pub listening: ngx_array_t,
    /// Unused: an empty array.
    pub paths: ngx_array_t,

    /// Unused: an empty array.
    pub config_dump: ngx_array_t,
    /// Unused: an empty tree.
    pub config_dump_rbtree: ngx_rbtree_t,
    /// The sentinel of `config_dump_rbtree`.
    pub config_dump_sentinel: ngx_rbtree_node_t,

    /// Unused: an empty list.
    pub open_files: ngx_list_t,
    /// Unused: an empty list.
    pub shared_memory: ngx_list_t,

    /// The number of elements of `connections`. It grows when more connections are
    /// open than ever before.
    pub connection_n: ngx_uint_t,
    /// The number of elements of `files`.
    pub files_n: ngx_uint_t,

    /// The connections of this process, an array, in `ngx_cycle`. `fd` of an element
    /// that is not in use is -1. More than 65536 connections are not in the array.
    pub connections: *mut ngx_connection_t,
    /// Unused: the events of a connection are `read` and `write`.
    pub read_events: *mut ngx_event_t,
    /// Unused.
    pub write_events: *mut ngx_event_t,

    /// While the hook init_module runs, the cycle that this cycle replaces; the
    /// `conf_ctx` of the first one is NULL. Afterwards NULL.
    pub old_cycle: *mut ngx_cycle_t,

    /// The configuration file: empty.
    pub conf_file: ngx_str_t,
    /// The parameters of the command line: empty.
    pub conf_param: ngx_str_t,
    /// The directory of configuration files: empty.
    pub conf_prefix: ngx_str_t,
    /// The directory to which relative paths refer: empty, the working directory.
    pub prefix: ngx_str_t,
    /// The field `error_log` of the configuration.
    pub error_log: ngx_str_t,
    /// The lock file: empty.
    pub lock_file: ngx_str_t,
    /// The name of the host in lower case.
    pub hostname: ngx_str_t,
}

/// A time of day.
#[repr(C)]
pub struct ngx_time_t {
    /// Seconds since 1970.
    pub sec: libc::time_t,
    /// Milliseconds since the last full second.
    pub msec: ngx_uint_t,
    /// The number of minutes that local time is ahead of UTC.
    pub gmtoff: ngx_int_t,
}

/// C's `ngx_time_t`, as atomics, because a signal handler can change the time.
#[repr(C)]
pub struct CachedTime {
    pub(crate) sec: AtomicI64,
    pub(crate) msec: AtomicUsize,
    pub(crate) gmtoff: AtomicIsize,
}

/// C's `ngx_str_t`, as atomics, because a signal handler can change the text.
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

/// The handler of a cleanup. ngx_destroy_pool() calls the handler with the data
/// of the cleanup.
pub type ngx_pool_cleanup_pt = Option<unsafe extern "C" fn(data: *mut c_void)>;

/// A cleanup of a pool: a function that is called when the pool is destroyed.
#[repr(C)]
pub struct ngx_pool_cleanup_s {
    /// The function, which the program sets; NULL: no function is called.
    pub handler: ngx_pool_cleanup_pt,
    /// The argument of the function.
    pub data: *mut c_void,
    /// The cleanup that was added before this one.
    pub next: *mut ngx_pool_cleanup_t,
}

/// A pool. The fields with a name of nginx are where nginx has them.
///
/// A pool is a list of blocks. Memory is taken from the first block of the list.
/// The pool itself is in the block that was allocated first.
#[repr(C)]
pub struct ngx_pool_s {
    /// The blocks of the pool; only the library uses them.
    pub(crate) blocks: *mut c_void,
    /// The size of a block in bytes.
    pub(crate) block_size: usize,
    /// Not used.
    pub(crate) spare1: [usize; 2],
    /// The largest piece that the pool takes from a block, in bytes.
    pub(crate) max: usize,
    /// Not used.
    pub(crate) spare2: [usize; 3],
    /// The cleanup that was added last.
    pub(crate) cleanup: *mut ngx_pool_cleanup_t,
    /// The log to which the pool writes.
    pub(crate) log: *mut ngx_log_t,
}
