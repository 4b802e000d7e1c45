//! [`Conf`], a safe handle for C's `ngx_core_conf_t`, a configuration.

use std::ffi::{CStr, OsStr, c_char, c_int};
use std::marker::PhantomData;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::NonNull;

use nix::errno::Errno;

use super::addresses::{self, Addresses};
pub use super::conf_defaults::{DEFAULTS, FIRST_SIZE};
use super::types::{ngx_cache_manager_ctx_t, ngx_core_conf_t, ngx_event_handler_pt, ngx_module_t};
use crate::config::{ngx_msec_t, ngx_uint_t};
use crate::host::sized;
use crate::log::Log;
use crate::status::Result;
use crate::sys::processors;
use crate::sys::text::Text;
use crate::sys::user;
use crate::table::slot::NGX_MAX_PROCESSES;

/// A configuration: the configuration of a cycle, or one from which a cycle
/// will be made.
///
/// Invariant: the pointer points to an `ngx_core_conf_t` that lives for `'a`
/// and has all fields that the library knows. A text is NULL or NUL-terminated,
/// `modules` is NULL or an array that ends with NULL, `listening` is an array
/// of `listening_n` elements of `listening_size` bytes, and `helpers` is an
/// array of `helpers_n` elements. Nothing writes to the configuration while a
/// method runs.
#[derive(Clone, Copy)]
pub struct Conf<'a>(NonNull<ngx_core_conf_t>, PhantomData<&'a ngx_core_conf_t>);

impl<'a> Conf<'a> {
    /// Makes a handle of C's pointer `conf`; `None` if `conf` is NULL.
    ///
    /// # Safety
    ///
    /// `conf` is NULL or points to a configuration that keeps the invariant of
    /// [`Conf`].
    pub unsafe fn from_ptr(conf: *const ngx_core_conf_t) -> Option<Self> {
        NonNull::new(conf.cast_mut()).map(|conf| Self(conf, PhantomData))
    }

    /// Makes a handle of a reference.
    ///
    /// # Safety
    ///
    /// `conf` keeps the invariant of [`Conf`].
    pub unsafe fn from_ref(conf: &'a ngx_core_conf_t) -> Self {
        Self(NonNull::from(conf), PhantomData)
    }

    /// The default configuration, for a cycle that was made without a
    /// configuration.
    pub fn defaults() -> Self {
        struct Shared(ngx_core_conf_t);

        // SAFETY: the configuration has only NULL pointers, and nothing writes
        // to it, so several threads can read it at the same time.
        unsafe impl Sync for Shared {}

        static SHARED: Shared = Shared(DEFAULTS);

        Self(NonNull::from(&SHARED.0), PhantomData)
    }

    fn get(&self) -> &ngx_core_conf_t {
        // SAFETY: the pointer points to a live configuration, to which nothing
        // writes meanwhile (the invariant of `Conf`).
        unsafe { self.0.as_ref() }
    }

    fn c_str(self, text: *const c_char) -> Option<&'a CStr> {
        // SAFETY: a text that is not NULL is NUL-terminated (the invariant of
        // `Conf`).
        (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })
    }

    /// The path of a file or directory; `None` if the text is NULL or empty.
    fn path(self, text: *const c_char) -> Option<&'a Path> {
        self.c_str(text)
            .map(CStr::to_bytes)
            .filter(|bytes| !bytes.is_empty())
            .map(|bytes| Path::new(OsStr::from_bytes(bytes)))
    }

    /// A copy of the structure. The copy points to the texts and arrays of the
    /// original.
    pub fn copy(self) -> ngx_core_conf_t {
        *self.get()
    }

    /// Whether the program goes into the background.
    pub fn daemon(self) -> bool {
        self.get().daemon != 0
    }

    /// Whether the program has a master and workers.
    pub fn master(self) -> bool {
        self.get().master != 0
    }

    /// Milliseconds after which a graceful shutdown closes all connections, if
    /// set.
    pub fn shutdown_timeout(self) -> Option<ngx_msec_t> {
        Some(self.get().shutdown_timeout).filter(|&timeout| timeout != 0)
    }

    /// The number of workers to start. 0 in the configuration: one for each processor
    /// that the master was allowed to use at its start.
    pub fn worker_processes(self) -> usize {
        match usize::try_from(self.get().worker_processes) {
            // `check` refuses larger numbers. A program can have changed the number
            // since.
            Ok(n) if n != 0 => n.min(NGX_MAX_PROCESSES),
            _ => processors::count_at_start(),
        }
    }

    /// The action of `ngx_debug_point()`, such as `NGX_DEBUG_POINTS_STOP`.
    pub fn debug_points(self) -> ngx_uint_t {
        self.get().debug_points.unsigned_abs()
    }

    /// The largest number of descriptors of a worker, if it is limited.
    pub fn rlimit_nofile(self) -> Option<u64> {
        u64::try_from(self.get().rlimit_nofile).ok()
    }

    /// The largest size of a worker's core file in bytes, if it is limited.
    pub fn rlimit_core(self) -> Option<u64> {
        u64::try_from(self.get().rlimit_core).ok()
    }

    /// The nice value of the workers; `None` if they have the nice value of the
    /// master.
    pub fn priority(self) -> Option<c_int> {
        Some(self.get().priority).filter(|&priority| priority != 0)
    }

    /// Whether each worker runs on one processor only.
    pub fn cpu_affinity_auto(self) -> bool {
        self.get().cpu_affinity_auto != 0
    }

    /// The working directory of the workers; `None` if they have the working
    /// directory of the master.
    pub fn working_directory(self) -> Option<&'a Path> {
        self.path(self.get().working_directory)
    }

    /// The file that the master writes its pid to, if there is one.
    pub fn pid(self) -> Option<&'a Path> {
        self.path(self.get().pid)
    }

    /// The directory with the files of zones, if there is one.
    pub fn zones_directory(self) -> Option<&'a Path> {
        self.path(self.get().zones_directory)
    }

    /// The text that says where the log writes.
    pub fn error_log_text(self) -> Option<&'a [u8]> {
        self.c_str(self.get().error_log).map(CStr::to_bytes)
    }

    /// The text that process titles begin with; `None` if it is the name of the
    /// program.
    pub fn name(self) -> Option<&'a [u8]> {
        self.c_str(self.get().name).map(CStr::to_bytes)
    }

    /// The version of the program; `None` if it has none.
    pub fn version(self) -> Option<&'a CStr> {
        self.c_str(self.get().version)
    }

    /// The modules: NULL or an array that ends with NULL.
    pub fn modules(self) -> *mut *mut ngx_module_t {
        self.get().modules
    }

    /// The number of modules.
    pub fn count_modules(self) -> usize {
        let modules = self.get().modules;

        if modules.is_null() {
            return 0;
        }

        // SAFETY: the array ends with NULL (the invariant of `Conf`), and no
        // element behind the NULL is read.
        let is_module = |&i: &usize| unsafe { !(*modules.add(i)).is_null() };

        (0..).take_while(is_module).count()
    }

    /// The addresses that workers accept connections on.
    pub fn listening(self) -> Addresses {
        let conf = self.get();

        // SAFETY: the array has `listening_n` elements of the size
        // `listening_size` (the invariant of `Conf`).
        unsafe { Addresses::new(conf.listening, conf.listening_n, conf.listening_size) }
    }

    /// The size of `ngx_core_conf_t` in bytes, in the headers with which the
    /// program was compiled.
    pub fn size(self) -> usize {
        self.get().size
    }

    /// The size of an element of `listening` in bytes, in the headers with
    /// which the program was compiled.
    pub fn listening_size(self) -> usize {
        self.get().listening_size
    }

    /// Checks that the program has initialised this configuration with
    /// `ngx_ipc_conf_init()`, so that the sizes in it are those of the program.
    /// A program's `reconfigure` can have replaced the configuration. Checks that the
    /// arrays can be read, too.
    ///
    /// Returns an error, with the reason in the log, if the configuration must not be
    /// used.
    pub fn check_sizes(self, log: Log) -> Result {
        check_initialised(self.size(), FIRST_SIZE, "ngx_core_conf_t", log)?;
        check_initialised(
            self.listening_size(),
            addresses::FIRST_SIZE,
            "ngx_listening_t",
            log,
        )?;
        self.check_arrays(log)
    }

    /// The number of helpers.
    pub fn count_helpers(self) -> usize {
        self.get().helpers_n
    }

    /// The context of helper `n`.
    pub fn helper(self, n: usize) -> Option<HelperContext> {
        let conf = self.get();

        if n >= conf.helpers_n {
            return None;
        }

        // SAFETY: the array has `helpers_n` elements (the invariant of `Conf`),
        // and `n` is less than that.
        NonNull::new(unsafe { conf.helpers.add(n) }).map(HelperContext)
    }

    /// The signal that makes the master log a list of its processes, if there
    /// is one.
    pub fn status_signal(self) -> Option<c_int> {
        Some(self.get().status_signal).filter(|&signo| signo != 0)
    }

    /// Whether shared memory uses huge pages: the value for
    /// `ngx_ipc_huge_pages`.
    pub fn huge_pages(self) -> ngx_uint_t {
        self.get().huge_pages.unsigned_abs()
    }

    /// Whether workers continue to run when the master dies.
    pub fn orphans_stay(self) -> bool {
        self.get().orphans_stay != 0
    }

    /// The user and group of the workers; `None` if they have the user and
    /// group of the master.
    pub fn identity(self) -> std::result::Result<Option<user::Identity<'a>>, Errno> {
        let Some(name) = self.c_str(self.get().username) else {
            return Ok(None);
        };

        user::find(name, self.c_str(self.get().groupname)).map(Some)
    }
}

/// Checks `size`, a field that `ngx_ipc_conf_init()` sets. `first` is the size
/// in bytes that the structure `name` has in version 0.1.
pub fn check_initialised(size: usize, first: usize, name: &str, log: Log) -> Result {
    if sized::is_valid(size, first) {
        return Ok(());
    }

    Err(log.refuse(format_args!(
        "invalid size {size} of {name}, call ngx_ipc_conf_init() first"
    )))
}

/// The context of a helper: its name, its function and its delay. A helper is a
/// process that the master starts beside the workers.
///
/// Invariant: the pointer points to an `ngx_cache_manager_ctx_t` that lives as
/// long as the handle is used. The name is NULL or a string.
#[derive(Clone, Copy)]
pub struct HelperContext(NonNull<ngx_cache_manager_ctx_t>);

impl HelperContext {
    /// Makes a handle of C's pointer `ctx`; `None` if `ctx` is NULL.
    ///
    /// # Safety
    ///
    /// `ctx` is NULL or points to a context that keeps the invariant of
    /// [`HelperContext`].
    pub unsafe fn from_ptr(ctx: *mut ngx_cache_manager_ctx_t) -> Option<Self> {
        NonNull::new(ctx).map(Self)
    }

    /// The pointer to the context, for C.
    pub fn as_ptr(self) -> *mut ngx_cache_manager_ctx_t {
        self.0.as_ptr()
    }

    fn get(&self) -> &ngx_cache_manager_ctx_t {
        // SAFETY: the pointer points to a live context (the invariant of
        // `HelperContext`).
        unsafe { self.0.as_ref() }
    }

    /// The name of the helper in process titles and log lines.
    pub fn name(self) -> Text {
        if self.get().name.is_null() {
            return Text::new(c"helper process");
        }

        // SAFETY: the name is NULL or a string (the invariant of
        // `HelperContext`).
        unsafe { Text::from_ptr(self.get().name) }
    }

    /// The function that the helper calls when its timer expires.
    pub fn handler(self) -> ngx_event_handler_pt {
        self.get().handler
    }

    /// The number of milliseconds until the helper's timer expires for the
    /// first time.
    pub fn delay(self) -> ngx_msec_t {
        self.get().delay
    }
}
