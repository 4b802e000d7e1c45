//! What the library's C code finds out about the machine: the size of a page, the
//! number of processors. And the random numbers of the program.

use std::ffi::{c_uint, c_void};

use super::process::getpid;
use super::time::realtime;

unsafe extern "C" {
    fn ngx_os_init(log: *mut c_void) -> isize;
    safe fn srandom(seed: c_uint);
}

/// Sets the variables about the machine: `ngx_pagesize`, `ngx_ncpu` and others.
/// Returns false, with an alert in the log, if the limit of descriptors is unknown.
///
/// # Safety
///
/// `log` is NULL or an `ngx_log_t` of the program.
pub unsafe fn init(log: *mut c_void) -> bool {
    // SAFETY: the caller passes NULL or a log, and the function uses no other memory of the
    // program.
    unsafe { ngx_os_init(log) == 0 }
}

/// Begins a new sequence of random numbers, `srandom()` of random(3). Without a new
/// sequence all workers have that of the master.
///
/// Processes that begin at the same time have different pids, and processes with the
/// same pid begin at different times.
pub fn seed_random() {
    let pid = getpid().cast_unsigned();
    let msec = c_uint::try_from(realtime().as_msec() % (1 << 32)).unwrap_or_default();

    srandom((pid << 16) ^ msec);
}
