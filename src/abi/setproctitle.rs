//! `ngx_setproctitle.h`: process titles.

use std::ffi::c_char;

use crate::config::{NGX_OK, ngx_int_t};
use crate::host::standalone::cycle::Cycle;
use crate::host::standalone::setproctitle;
use crate::host::standalone::types::ngx_log_t;
use crate::sys::text::Text;

/// Prepares for process titles. The program sets `ngx_os_argv` to the arguments
/// of main() before.
///
/// The kernel shows memory of the library as the arguments of the process, so the
/// arguments and the environment of the program do not change. Where the kernel
/// refuses this, titles overwrite the arguments, as in nginx. Returns NGX_OK.
///
/// # Safety
///
/// `ngx_os_argv` is NULL or the argument of main().
///
/// # References
///
/// nginx's `src/os/unix/ngx_setproctitle.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_init_setproctitle(log: *mut ngx_log_t) -> ngx_int_t {
    let _ = log;

    // SAFETY: C has set `ngx_os_argv` to NULL or the argument of main().
    unsafe { setproctitle::init() };

    NGX_OK
}

/// Makes ps show "NAME: TITLE" in place of the program's arguments.
///
/// NAME is the `name` of the configuration, or else the name of the program.
/// Does nothing if `title` is NULL.
///
/// # Safety
///
/// `title` is NULL or a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_setproctitle(title: *mut c_char) {
    // SAFETY: C passes NULL or a string.
    let title = unsafe { Text::from_ptr(title) };

    if let Some(title) = title.bytes() {
        let cycle = Cycle::current().unwrap_or_else(Cycle::empty);

        setproctitle::set_title(cycle, title);
    }
}
