//! Describes the program as a whole: its versions, its start, and its master.

use std::ffi::{CStr, c_char};
use std::mem::offset_of;
use std::ptr;
use std::sync::atomic::Ordering::Relaxed;

use super::globals::GLOBALS;
use super::sized;
use crate::config::{ngx_int_t, ngx_pid_t};
use crate::status::{Result, Status};
use crate::sys::text::Text;
use crate::sys::usage;
use crate::table::role::NGX_PROCESS_SINGLE;
use crate::table::stats;

/// The program, as ngx_ipc_program() describes it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ngx_ipc_program_t {
    /// The version of the program, the field `version` of its configuration; NULL if
    /// it has none.
    pub version: *const c_char,
    /// The version of the library.
    pub library: *const c_char,
    /// The pid of the master, or of the single process.
    pub master: ngx_pid_t,
    /// The time at which the program was started, in seconds since 1970. A reload
    /// does not change it; a new binary after SIGUSR2 is another program.
    pub started: libc::time_t,
    /// The seconds since then, also if the clock was set meanwhile.
    pub uptime: ngx_int_t,
    /// The time that the master has spent in user mode, in milliseconds; -1 if the
    /// caller cannot read /proc.
    pub cpu_user: ngx_int_t,
    /// The time that it has spent in the kernel, as cpu_user.
    pub cpu_system: ngx_int_t,
    /// The memory of the master that is resident, in bytes; -1 as cpu_user.
    pub rss: ngx_int_t,
}

// This constant is not public, because cbindgen would write a public constant
// to the header.
const FIRST_SIZE: usize = offset_of!(ngx_ipc_program_t, rss) + size_of::<ngx_int_t>();

// The structure must end with a field, not with padding, as `sized` explains.
const _: () = assert!(FIRST_SIZE == size_of::<ngx_ipc_program_t>());

/// The version of the library.
pub const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"",
    };

impl ngx_ipc_program_t {
    /// The version of the program.
    pub fn version(&self) -> Text {
        // SAFETY: `program` has set the version, which is NULL or a text of the
        // configuration. The library keeps these texts for ever.
        unsafe { Text::from_ptr(self.version) }
    }

    /// The version of the library.
    pub fn library(&self) -> Text {
        Text::new(VERSION)
    }
}

/// Writes the description to `to`, a structure of `size` bytes. Returns an error if
/// `to` is NULL or `size` is invalid.
///
/// # Safety
///
/// `to` is NULL or has `size` writable bytes.
pub unsafe fn fill(to: *mut ngx_ipc_program_t, size: usize) -> Result {
    if to.is_null() || !sized::is_valid(size, FIRST_SIZE) {
        return Err(Status::Error);
    }

    // SAFETY: the caller passes a structure with `size` bytes.
    unsafe { sized::write(to, size, &program()) };

    Ok(())
}

/// Describes the program.
pub fn program() -> ngx_ipc_program_t {
    let data = stats::program();
    let master = match GLOBALS.process.load(Relaxed) {
        NGX_PROCESS_SINGLE => GLOBALS.own_pid(),
        // In an unmodified nginx the master does not record its pid.
        _ if data.master() <= 0 => GLOBALS.parent.load(Relaxed),
        _ => data.master(),
    };
    let used = usage::of(master);
    let known = |number: Option<usize>| number.map_or(-1, usize::cast_signed);

    ngx_ipc_program_t {
        version: version(),
        library: VERSION.as_ptr(),
        master,
        started: data.started(),
        uptime: data.uptime() as ngx_int_t,
        cpu_user: known(used.map(|used| used.own.user)),
        cpu_system: known(used.map(|used| used.own.system)),
        rss: known(used.map(|used| used.resident)),
    }
}

#[cfg(feature = "standalone")]
fn version() -> *const c_char {
    super::standalone::cycle::Cycle::current()
        .and_then(|cycle| cycle.conf().version().map(CStr::as_ptr))
        .unwrap_or(ptr::null())
}

#[cfg(not(feature = "standalone"))]
fn version() -> *const c_char {
    ptr::null()
}
