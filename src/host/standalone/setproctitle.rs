//! `ngx_setproctitle.h`: what ps shows.

use std::ffi::{CStr, c_char};
use std::sync::atomic::Ordering::Relaxed;

use super::conf::conf_of;
use super::cycle::{ngx_cycle, ngx_cycle_t};
use super::log::ngx_log_t;
use crate::config::{NGX_OK, ngx_int_t};
use crate::host::globals::ngx_os_argv;
use crate::sys::{daemon, text};

/// Makes room for titles where `ngx_os_argv`, set by the program, points to.
///
/// The arguments of main() must have been copied before. Returns NGX_OK.
///
/// # Safety
///
/// `ngx_os_argv` is NULL or what main() was given.
///
/// # References
///
/// nginx's `src/os/unix/ngx_setproctitle.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_init_setproctitle(log: *mut ngx_log_t) -> ngx_int_t {
    let _ = log;

    // SAFETY: promised by the caller.
    unsafe { daemon::init_title(ngx_os_argv.load(Relaxed)) };

    NGX_OK
}

/// Shows the title "NAME: TITLE" instead of the program's arguments.
///
/// # Safety
///
/// `title` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_setproctitle(title: *mut c_char) {
    // SAFETY: promised by the caller; ngx_cycle is NULL or valid.
    unsafe {
        if !title.is_null() {
            let title = CStr::from_ptr(title).to_string_lossy();

            set_title(ngx_cycle.load(Relaxed), &title);
        }
    }
}

/// The same with the name that a cycle is configured with.
///
/// # Safety
///
/// `cycle` is NULL or valid.
pub unsafe fn set_title(cycle: *const ngx_cycle_t, title: &str) {
    // SAFETY: promised by the caller.
    let conf = unsafe { conf_of(cycle) };

    let name = if conf.name.is_null() {
        text::program_name()
    } else {
        // SAFETY: a name that is not NULL is a string.
        unsafe { CStr::from_ptr(conf.name) }.to_bytes()
    };

    let mut line = name.to_vec();

    line.extend_from_slice(b": ");
    line.extend_from_slice(title.as_bytes());

    daemon::set_title(&line);
}
