//! The handle [`Cycle`]: a configuration in use, with its log, modules and
//! listening sockets, `ngx_cycle_t`.

use std::cell::UnsafeCell;
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering::Relaxed;

use super::addresses::Addresses;
use super::conf::Conf;
use super::listening::Listening;
use super::log::ErrorLog;
use super::palloc::Pool;
use super::types::{ngx_core_conf_t, ngx_cycle_t, ngx_module_t};
use super::variables::ngx_cycle;
use crate::log::Log;

const EMPTY: ngx_cycle_t = ngx_cycle_t {
    conf_ctx: ptr::null_mut(),
    pool: ptr::null_mut(),
    log: ptr::null_mut(),
    modules: ptr::null_mut(),
    modules_n: 0,
    listening: ptr::null_mut(),
    listening_n: 0,
};

/// What a program runs with until the next configuration.
///
/// Invariant: the pointer is to an `ngx_cycle_t` that lives as long as the
/// handle is used, and one thread uses it. Its `conf_ctx` is NULL or points,
/// as `ngx_init_cycle()` has set it, to a pointer to a configuration; its log
/// and its pool are NULL or valid; its `modules` is NULL or an array that ends
/// with NULL; its `listening` is an array of `listening_n` elements.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Cycle(NonNull<ngx_cycle_t>);

impl Cycle {
    /// A handle for a pointer from C; `None` for NULL.
    ///
    /// # Safety
    ///
    /// `cycle` is NULL, or what it points to keeps the invariant of [`Cycle`].
    pub unsafe fn from_ptr(cycle: *mut ngx_cycle_t) -> Option<Self> {
        NonNull::new(cycle).map(Self)
    }

    /// A cycle without configuration, log, modules and listening sockets: it
    /// stands for a NULL that C passes to a function that needs a cycle.
    pub fn empty() -> Self {
        struct Shared(UnsafeCell<ngx_cycle_t>);

        // SAFETY: it has only NULL pointers and zeros, and nothing writes to
        // it.
        unsafe impl Sync for Shared {}

        static SHARED: Shared = Shared(UnsafeCell::new(EMPTY));

        Self(NonNull::from(&SHARED.0).cast())
    }

    /// A cycle that lives as long as the program, without anything in it yet.
    pub fn new_static() -> Self {
        Self(NonNull::from(Box::leak(Box::new(EMPTY))))
    }

    /// Gives the cycle its log.
    ///
    /// # Safety
    ///
    /// The cycle is not [`Cycle::empty`], which must stay empty. The log lives
    /// as long as the cycle.
    pub unsafe fn set_error_log(self, log: Option<ErrorLog>) {
        // SAFETY: the invariant of `Cycle`; no reference to its members exists
        // while this runs.
        unsafe { (*self.0.as_ptr()).log = ErrorLog::optional_ptr(log) };
    }

    /// `ngx_cycle`: the cycle that is in use.
    pub fn current() -> Option<Self> {
        // SAFETY: the library sets `ngx_cycle` to cycles that it has made, and
        // a program to its own, which lives as long as the program.
        unsafe { Self::from_ptr(ngx_cycle.load(Relaxed)) }
    }

    /// The C pointer.
    pub fn as_ptr(self) -> *mut ngx_cycle_t {
        self.0.as_ptr()
    }

    /// The C pointer; NULL for `None`.
    pub fn optional_ptr(cycle: Option<Self>) -> *mut ngx_cycle_t {
        cycle.map_or(ptr::null_mut(), Self::as_ptr)
    }

    fn get(&self) -> &ngx_cycle_t {
        // SAFETY: the invariant of `Cycle`. The library writes to a cycle only
        // while it makes it.
        unsafe { self.0.as_ref() }
    }

    /// The cycle's log, if it has one.
    pub fn error_log(self) -> Option<ErrorLog> {
        // SAFETY: the invariant of `Cycle`: the log is NULL or valid.
        unsafe { ErrorLog::from_ptr(self.get().log) }
    }

    /// For writing lines to the cycle's log.
    pub fn log(self) -> Log {
        ErrorLog::log_of(self.error_log())
    }

    /// For writing lines to the log of `cycle`; without a cycle the lines are
    /// dropped.
    pub fn log_of(cycle: Option<Self>) -> Log {
        ErrorLog::log_of(cycle.and_then(Self::error_log))
    }

    /// The memory that lives as long as the cycle, if it has a pool.
    pub fn pool(self) -> Option<Pool> {
        // SAFETY: the invariant of `Cycle`: the pool is NULL or valid.
        unsafe { Pool::from_ptr(self.get().pool) }
    }

    /// The array of modules: NULL, or it ends with NULL.
    pub fn module_array(self) -> *mut *mut ngx_module_t {
        self.get().modules
    }

    /// What the cycle is configured with: the defaults, if it was made by the
    /// program instead of `ngx_init_cycle()`.
    pub fn conf(&self) -> Conf<'_> {
        self.own_conf().unwrap_or_else(Conf::defaults)
    }

    /// Whether `ngx_init_cycle()` has made the cycle.
    pub fn is_configured(self) -> bool {
        !self.get().conf_ctx.is_null()
    }

    fn own_conf(&self) -> Option<Conf<'_>> {
        // SAFETY: the invariant of `Cycle`: NULL, or set by `ngx_init_cycle()`.
        unsafe {
            let conf = self.get().conf_ctx.cast::<*const ngx_core_conf_t>();

            Conf::from_ptr(*conf.as_ref()?)
        }
    }

    /// The addresses that workers accept connections on.
    pub fn listening(self) -> impl Iterator<Item = Listening> {
        let (first, n) = (self.get().listening, self.get().listening_n);

        // SAFETY: the invariant of `Cycle`: the array has `listening_n`
        // elements, of the size in its configuration, which live as long as
        // the cycle.
        unsafe { Addresses::new(first, n, self.conf().listening_size()) }.iter()
    }
}
