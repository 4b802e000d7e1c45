//! [`Cycle`], a safe handle for C's `ngx_cycle_t`: a configuration in use, with
//! its log, modules and listening sockets.

use std::cell::UnsafeCell;
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering::Relaxed;

use super::addresses::Addresses;
use super::conf::Conf;
use super::listening::Listening;
use super::log::ErrorLog;
use super::palloc::Pool;
use super::types::{
    ngx_array_t, ngx_connection_t, ngx_core_conf_t, ngx_cycle_t, ngx_list_t, ngx_log_s,
    ngx_module_t, ngx_queue_t, ngx_rbtree_node_t, ngx_rbtree_t,
};
use super::variables::ngx_cycle;
use crate::config::ngx_str_t;
use crate::log::Log;

/// A cycle whose fields are empty.
pub const EMPTY: ngx_cycle_t = ngx_cycle_t {
    conf_ctx: ptr::null_mut(),
    pool: ptr::null_mut(),
    log: ptr::null_mut(),
    new_log: ngx_log_s::new(0, ptr::null_mut()),
    log_use_stderr: 0,
    files: ptr::null_mut(),
    free_connections: ptr::null_mut(),
    free_connection_n: 0,
    modules: ptr::null_mut(),
    modules_n: 0,
    modules_used: 0,
    reusable_connections_queue: ngx_queue_t::none(),
    reusable_connections_n: 0,
    connections_reuse_time: 0,
    listening: ngx_array_t::none(),
    paths: ngx_array_t::none(),
    config_dump: ngx_array_t::none(),
    config_dump_rbtree: ngx_rbtree_t::none(),
    config_dump_sentinel: ngx_rbtree_node_t::none(),
    open_files: ngx_list_t::none(),
    shared_memory: ngx_list_t::none(),
    connection_n: 0,
    files_n: 0,
    connections: ptr::null_mut(),
    read_events: ptr::null_mut(),
    write_events: ptr::null_mut(),
    old_cycle: ptr::null_mut(),
    conf_file: ngx_str_t::empty(),
    conf_param: ngx_str_t::empty(),
    conf_prefix: ngx_str_t::empty(),
    prefix: ngx_str_t::empty(),
    error_log: ngx_str_t::empty(),
    lock_file: ngx_str_t::empty(),
    hostname: ngx_str_t::empty(),
};

/// The memory of a cycle that lives as long as the program.
struct StaticCycle(UnsafeCell<ngx_cycle_t>);

// SAFETY: the static must be `Sync`. Only the thread that calls the library
// uses the cycle, through a handle.
unsafe impl Sync for StaticCycle {}

/// The state of a program from one configuration to the next.
///
/// Invariant: the pointer points to an `ngx_cycle_t` that lives as long as the
/// handle is used, and only one thread uses the cycle. `conf_ctx` is NULL or
/// points, as `ngx_init_cycle()` has set it, to a pointer to a configuration;
/// the log and the pool are NULL or valid; `modules` is NULL or an array that
/// ends with NULL; `listening` is an array of `ngx_listening_t`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Cycle(NonNull<ngx_cycle_t>);

impl Cycle {
    /// Makes a handle of C's pointer `cycle`; `None` if `cycle` is NULL.
    ///
    /// # Safety
    ///
    /// `cycle` is NULL or points to a cycle that keeps the invariant of
    /// [`Cycle`].
    pub unsafe fn from_ptr(cycle: *mut ngx_cycle_t) -> Option<Self> {
        NonNull::new(cycle).map(Self)
    }

    /// A cycle without configuration, log, modules and listening sockets. The
    /// library uses this cycle when C passes NULL to a function that needs a
    /// cycle.
    pub fn empty() -> Self {
        static SHARED: StaticCycle = StaticCycle(UnsafeCell::new(EMPTY));

        Self(NonNull::from(&SHARED.0).cast())
    }

    /// The cycle of `ngx_ipc_main()` until the first cycle with a configuration
    /// is in use. The program logs to this cycle while it starts.
    pub fn boot() -> Self {
        static BOOT: StaticCycle = StaticCycle(UnsafeCell::new(EMPTY));

        Self(NonNull::from(&BOOT.0).cast())
    }

    /// Sets the log of the cycle.
    ///
    /// # Safety
    ///
    /// The cycle is not [`Cycle::empty`], which must stay empty. The log lives
    /// as long as the cycle.
    pub unsafe fn set_error_log(self, log: Option<ErrorLog>) {
        // SAFETY: the pointer points to a live cycle (the invariant of
        // `Cycle`), and no reference to a field of the cycle exists while this
        // line runs.
        unsafe { (*self.0.as_ptr()).log = ErrorLog::optional_ptr(log) };
    }

    /// Forgets the listening sockets, which the caller has closed.
    pub fn clear_listening(self) {
        // SAFETY: the pointer points to a live cycle (the invariant of
        // `Cycle`), and no reference to a field of the cycle exists while this
        // line runs.
        unsafe { (*self.as_ptr()).listening.nelts = 0 };
    }

    /// Stores the array of the connections of this process. A program's own cycle
    /// stays as it is.
    pub fn set_connections(self, first: *mut ngx_connection_t, n: usize) {
        if !self.is_configured() || self.get().connections == first && self.get().connection_n == n
        {
            return;
        }

        // SAFETY: as in `clear_listening`.
        unsafe {
            (*self.as_ptr()).connections = first;
            (*self.as_ptr()).connection_n = n;
        }
    }

    /// Forgets the cycle that this cycle has replaced.
    pub fn clear_old(self) {
        // SAFETY: as in `clear_listening`.
        unsafe { (*self.as_ptr()).old_cycle = ptr::null_mut() };
    }

    /// `ngx_cycle`: the cycle that is in use.
    pub fn current() -> Option<Self> {
        // SAFETY: `ngx_cycle` is NULL, a cycle that the library has made and
        // not destroyed, or the program's own cycle, which lives as long as the
        // program.
        unsafe { Self::from_ptr(ngx_cycle.load(Relaxed)) }
    }

    /// The pointer to the cycle, for C.
    pub fn as_ptr(self) -> *mut ngx_cycle_t {
        self.0.as_ptr()
    }

    /// The pointer to `cycle`, for C; NULL if there is no cycle.
    pub fn optional_ptr(cycle: Option<Self>) -> *mut ngx_cycle_t {
        cycle.map_or(ptr::null_mut(), Self::as_ptr)
    }

    fn get(&self) -> &ngx_cycle_t {
        // SAFETY: the pointer points to a live cycle (the invariant of
        // `Cycle`), and the library writes to a cycle only while it makes the
        // cycle.
        unsafe { self.0.as_ref() }
    }

    /// The handle of the cycle's log, if the cycle has a log.
    pub fn error_log(self) -> Option<ErrorLog> {
        // SAFETY: the log of a cycle is NULL or valid (the invariant of
        // `Cycle`).
        unsafe { ErrorLog::from_ptr(self.get().log) }
    }

    /// The log to which lines about the cycle are written.
    pub fn log(self) -> Log {
        ErrorLog::log_of(self.error_log())
    }

    /// The log of `cycle`. Without a cycle, lines are dropped.
    pub fn log_of(cycle: Option<Self>) -> Log {
        ErrorLog::log_of(cycle.and_then(Self::error_log))
    }

    /// The pool with memory that lives as long as the cycle, if the cycle has a
    /// pool.
    pub fn pool(self) -> Option<Pool> {
        // SAFETY: the pool of a cycle is NULL or valid (the invariant of
        // `Cycle`).
        unsafe { Pool::from_ptr(self.get().pool) }
    }

    /// The modules of the cycle: NULL, or an array that ends with NULL.
    pub fn module_array(self) -> *mut *mut ngx_module_t {
        self.get().modules
    }

    /// The configuration of the cycle. A cycle that the program has made,
    /// instead of `ngx_init_cycle()`, has the default configuration.
    pub fn conf(&self) -> Conf<'_> {
        self.own_conf().unwrap_or_else(Conf::defaults)
    }

    /// Whether `ngx_init_cycle()` has made the cycle.
    pub fn is_configured(self) -> bool {
        !self.get().conf_ctx.is_null()
    }

    fn own_conf(&self) -> Option<Conf<'_>> {
        // SAFETY: `conf_ctx` of a cycle is NULL, or `ngx_init_cycle()` has set
        // it to the address of a pointer to a configuration (the invariant of
        // `Cycle`).
        unsafe {
            let conf = self.get().conf_ctx.cast::<*const ngx_core_conf_t>();

            Conf::from_ptr(*conf.as_ref()?)
        }
    }

    /// The list of the zones of shared memory.
    pub fn shared_memory(self) -> *mut ngx_list_t {
        // SAFETY: the pointer points to a live cycle (the invariant of `Cycle`).
        unsafe { &raw mut (*self.as_ptr()).shared_memory }
    }

    /// The listening sockets from which workers accept connections.
    pub fn listening(self) -> impl Iterator<Item = Listening> {
        let array = &self.get().listening;
        let (first, n) = (array.elts.cast(), array.nelts);

        // SAFETY: the elements of the array have the size in the cycle's
        // configuration, and live as long as the cycle (the invariant of `Cycle`).
        unsafe { Addresses::new(first, n, self.conf().listening_size()) }.iter()
    }
}
