//! The handle [`Conf`]: what a program wants, `ngx_core_conf_t`.

use std::ffi::{CStr, OsStr, c_char, c_int};
use std::marker::PhantomData;
use std::mem::offset_of;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::{self, NonNull};

use nix::errno::Errno;

use super::addresses::{self, Addresses};
use super::types::{
    ngx_cache_manager_ctx_t, ngx_core_conf_t, ngx_event_handler_pt, ngx_listening_t, ngx_module_t,
};
use crate::config::{ngx_msec_t, ngx_uint_t};
use crate::host::sized;
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::text::Text;
use crate::sys::user;
use crate::table::slot::NGX_MAX_PROCESSES;

/// What `ngx_ipc_conf_init()` fills in.
pub const DEFAULTS: ngx_core_conf_t = ngx_core_conf_t {
    daemon: 0,
    master: 1,
    shutdown_timeout: 0,
    worker_processes: 0,
    debug_points: 0,
    rlimit_nofile: -1,
    rlimit_core: -1,
    priority: 0,
    cpu_affinity_auto: 0,
    username: ptr::null(),
    groupname: ptr::null(),
    working_directory: ptr::null(),
    pid: ptr::null(),
    error_log: ptr::null(),
    log_level: Level::Notice as ngx_uint_t,
    name: ptr::null(),
    modules: ptr::null_mut(),
    listening: ptr::null_mut(),
    listening_n: 0,
    helpers: ptr::null_mut(),
    helpers_n: 0,
    reconfigure: None,
    status_signal: 0,
    huge_pages: 0,
    orphans_stay: 0,
    size: size_of::<ngx_core_conf_t>(),
    listening_size: size_of::<ngx_listening_t>(),
};

/// The size of an `ngx_core_conf_t` in version 0.1.
pub const FIRST_SIZE: usize = offset_of!(ngx_core_conf_t, listening_size) + size_of::<usize>();

// No padding behind the last field, see `sized`.
const _: () = assert!(FIRST_SIZE == size_of::<ngx_core_conf_t>());

/// A configuration: that of a cycle, or one that a cycle is made of.
///
/// Invariant: the pointer is to an `ngx_core_conf_t` that lives for `'a` and has
/// all fields that the library knows. Its texts are NULL or NUL-terminated, its `modules` is NULL or an array that ends
/// with NULL, and its other arrays have as many elements as it says. Nothing
/// writes to it while a method runs.
#[derive(Clone, Copy)]
pub struct Conf<'a>(NonNull<ngx_core_conf_t>, PhantomData<&'a ngx_core_conf_t>);

impl<'a> Conf<'a> {
    /// A handle for a pointer from C; `None` for NULL.
    ///
    /// # Safety
    ///
    /// `conf` is NULL, or what it points to keeps the invariant of [`Conf`].
    pub unsafe fn from_ptr(conf: *const ngx_core_conf_t) -> Option<Self> {
        NonNull::new(conf.cast_mut()).map(|conf| Self(conf, PhantomData))
    }

    /// A handle for a reference.
    ///
    /// # Safety
    ///
    /// `conf` keeps the invariant of [`Conf`].
    pub unsafe fn from_ref(conf: &'a ngx_core_conf_t) -> Self {
        Self(NonNull::from(conf), PhantomData)
    }

    /// The configuration of a cycle that was made without one.
    pub fn defaults() -> Self {
        struct Shared(ngx_core_conf_t);

        // SAFETY: all its pointers are NULL, and it is never written to.
        unsafe impl Sync for Shared {}

        static SHARED: Shared = Shared(DEFAULTS);

        Self(NonNull::from(&SHARED.0), PhantomData)
    }

    fn get(&self) -> &ngx_core_conf_t {
        // SAFETY: the invariant of `Conf`.
        unsafe { self.0.as_ref() }
    }

    fn c_str(self, text: *const c_char) -> Option<&'a CStr> {
        // SAFETY: the invariant of `Conf`: a text that is not NULL is a string.
        (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })
    }

    /// A file or directory; an empty text is none.
    fn path(self, text: *const c_char) -> Option<&'a Path> {
        self.c_str(text)
            .map(CStr::to_bytes)
            .filter(|bytes| !bytes.is_empty())
            .map(|bytes| Path::new(OsStr::from_bytes(bytes)))
    }

    /// A copy of the structure, whose pointers are to the same texts and arrays.
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

    /// Milliseconds after which a graceful shutdown closes all connections.
    pub fn shutdown_timeout(self) -> Option<ngx_msec_t> {
        Some(self.get().shutdown_timeout).filter(|&timeout| timeout != 0)
    }

    /// How many workers to start.
    pub fn worker_processes(self) -> usize {
        match usize::try_from(self.get().worker_processes) {
            // The table has no room for more. The one that does not fit makes
            // the log say so.
            Ok(n) if n != 0 => n.min(NGX_MAX_PROCESSES + 1),
            _ => user::processors(),
        }
    }

    /// What `ngx_debug_point()` does.
    pub fn debug_points(self) -> ngx_uint_t {
        self.get().debug_points.unsigned_abs()
    }

    /// How many descriptors a worker may open, if that is limited here.
    pub fn rlimit_nofile(self) -> Option<u64> {
        u64::try_from(self.get().rlimit_nofile).ok()
    }

    /// How many bytes a worker's core file may have, if that is limited here.
    pub fn rlimit_core(self) -> Option<u64> {
        u64::try_from(self.get().rlimit_core).ok()
    }

    /// The nice value of the workers, if it is not the master's.
    pub fn priority(self) -> Option<c_int> {
        Some(self.get().priority).filter(|&priority| priority != 0)
    }

    /// Whether each worker runs on one processor only.
    pub fn cpu_affinity_auto(self) -> bool {
        self.get().cpu_affinity_auto != 0
    }

    /// The directory in which workers run, if it is not the master's.
    pub fn working_directory(self) -> Option<&'a Path> {
        self.path(self.get().working_directory)
    }

    /// The file for the master's pid.
    pub fn pid(self) -> Option<&'a Path> {
        self.path(self.get().pid)
    }

    /// The file of the log; without one the log is stderr.
    pub fn error_log(self) -> Option<&'a Path> {
        self.path(self.get().error_log)
    }

    /// What process titles begin with, if it is not the program's name.
    pub fn name(self) -> Option<&'a [u8]> {
        self.c_str(self.get().name).map(CStr::to_bytes)
    }

    /// The modules: NULL or an array that ends with NULL.
    pub fn modules(self) -> *mut *mut ngx_module_t {
        self.get().modules
    }

    /// How many modules there are.
    pub fn count_modules(self) -> usize {
        let modules = self.get().modules;

        if modules.is_null() {
            return 0;
        }

        // SAFETY: the invariant of `Conf`: the array ends with NULL, and no
        // element behind that is read.
        let is_module = |&i: &usize| unsafe { !(*modules.add(i)).is_null() };

        (0..).take_while(is_module).count()
    }

    /// The addresses that workers accept connections on.
    pub fn listening(self) -> Addresses {
        let conf = self.get();

        // SAFETY: the invariant of `Conf`: the array has `listening_n`
        // elements, of the size that the program was compiled with.
        unsafe { Addresses::new(conf.listening, conf.listening_n, conf.listening_size) }
    }

    /// The size that the structure has for the program.
    pub fn size(self) -> usize {
        self.get().size
    }

    /// The size that an element of `listening` has for the program.
    pub fn listening_size(self) -> usize {
        self.get().listening_size
    }

    /// Checks that the program has initialised the configuration, or what it
    /// has replaced it with, so that its sizes are those of the program.
    ///
    /// Returns an error, with an alert in the log, if it has not.
    pub fn check_sizes(self, log: Log) -> Result {
        check_initialised(self.size(), FIRST_SIZE, "ngx_core_conf_t", log)?;
        check_initialised(
            self.listening_size(),
            addresses::FIRST_SIZE,
            "ngx_listening_t",
            log,
        )
    }

    /// How many helpers there are.
    pub fn count_helpers(self) -> usize {
        self.get().helpers_n
    }

    /// The context of helper `n`.
    pub fn helper(self, n: usize) -> Option<HelperContext> {
        let conf = self.get();

        if n >= conf.helpers_n {
            return None;
        }

        // SAFETY: the invariant of `Conf`: the array has `helpers_n` elements.
        NonNull::new(unsafe { conf.helpers.add(n) }).map(HelperContext)
    }

    /// The signal that requests a list of the processes in the log.
    pub fn status_signal(self) -> Option<c_int> {
        Some(self.get().status_signal).filter(|&signo| signo != 0)
    }

    /// Whether shared memory is made of huge pages, for `ngx_ipc_huge_pages`.
    pub fn huge_pages(self) -> ngx_uint_t {
        self.get().huge_pages.unsigned_abs()
    }

    /// Whether workers continue when the master dies.
    pub fn orphans_stay(self) -> bool {
        self.get().orphans_stay != 0
    }

    /// The user and group that workers run as; `None`: the master's.
    pub fn identity(self) -> std::result::Result<Option<user::Identity>, Errno> {
        let Some(name) = self.c_str(self.get().username) else {
            return Ok(None);
        };

        user::find(name, self.c_str(self.get().groupname)).map(Some)
    }

    /// Checks that the user and the group exist.
    ///
    /// Returns an error, with an emergency in the log, if one does not, or if
    /// there is a group without a user.
    pub fn check_user(self, log: Log) -> Result {
        let conf = self.get();

        if conf.username.is_null() && !conf.groupname.is_null() {
            log.error(
                Level::Emerg,
                None,
                format_args!("a group needs a user to go with"),
            );
            return Err(Status::Error);
        }

        // SAFETY: the invariant of `Conf`: NULL or a string.
        let name = unsafe { Text::from_ptr(conf.username) };

        self.identity().map(drop).map_err(|err| {
            log.fail(
                Level::Emerg,
                err,
                format_args!("user \"{name}\" or its group not found"),
            )
        })
    }
}

/// Checks a size that `ngx_ipc_conf_init()` sets.
pub fn check_initialised(size: usize, first: usize, name: &str, log: Log) -> Result {
    if sized::is_valid(size, first) {
        return Ok(());
    }

    Err(log.refuse(format_args!(
        "invalid size {size} of {name}, call ngx_ipc_conf_init() first"
    )))
}

/// What a helper does. A helper is a process beside the workers.
///
/// Invariant: the pointer is to an `ngx_cache_manager_ctx_t` that lives as
/// long as the handle is used. Its name is NULL or a string.
#[derive(Clone, Copy)]
pub struct HelperContext(NonNull<ngx_cache_manager_ctx_t>);

impl HelperContext {
    /// A handle for a pointer from C; `None` for NULL.
    ///
    /// # Safety
    ///
    /// `ctx` is NULL, or what it points to keeps the invariant of
    /// [`HelperContext`].
    pub unsafe fn from_ptr(ctx: *mut ngx_cache_manager_ctx_t) -> Option<Self> {
        NonNull::new(ctx).map(Self)
    }

    /// The C pointer.
    pub fn as_ptr(self) -> *mut ngx_cache_manager_ctx_t {
        self.0.as_ptr()
    }

    fn get(&self) -> &ngx_cache_manager_ctx_t {
        // SAFETY: the invariant of `HelperContext`.
        unsafe { self.0.as_ref() }
    }

    /// How titles and log lines call the helper.
    pub fn name(self) -> Text {
        // SAFETY: the invariant of `HelperContext`: NULL or a string.
        unsafe { Text::from_ptr(self.get().name) }
    }

    /// The function that its timer calls.
    pub fn handler(self) -> ngx_event_handler_pt {
        self.get().handler
    }

    /// Milliseconds until its timer expires for the first time.
    pub fn delay(self) -> ngx_msec_t {
        self.get().delay
    }
}
