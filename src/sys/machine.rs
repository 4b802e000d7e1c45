//! What the library's C code finds out about the machine: the size of a page, the
//! number of processors. And the random numbers of the program.

use std::ffi::c_void;

unsafe extern "C" {
    fn ngx_os_init(log: *mut c_void) -> isize;
    safe fn ngx_ipc_seed_random();
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

/// Begins a new sequence of random numbers, `srandom()` of random(3): a worker has
/// otherwise the sequence of the other workers.
pub fn seed_random() {
    ngx_ipc_seed_random();
}
