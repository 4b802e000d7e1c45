//! Changing the binary without closing the listening sockets.

use std::ffi::{CString, c_char};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::ptr;
use std::sync::atomic::Ordering::Relaxed;

use super::cycle::{listening, ngx_cycle_t};
use super::pidfile;
use super::pidfile::When;
use crate::config::{NGX_INVALID_PID, ngx_pid_t};
use crate::host::globals::{GLOBALS, ngx_argv};
use crate::host::logs::cycle_log;
use crate::log::{Level, Log};
use crate::process::execute::execute;
use crate::sys::listen;
use crate::sys::process::Program;
use crate::sys::text::Text;
use crate::table::slots::Work;

/// The variable that names the sockets: their numbers, each with a ";".
const VARIABLE: &str = "NGINX";

/// Starts the program anew with the listening sockets of this one.
///
/// # Safety
///
/// `cycle` is valid, `ngx_argv` the program's arguments.
pub unsafe fn exec_new_binary(cycle: *mut ngx_cycle_t) -> ngx_pid_t {
    // SAFETY: promised by the caller.
    unsafe {
        let log = cycle_log(cycle);
        let argv = ngx_argv.load(Relaxed);

        if argv.is_null() || (*argv).is_null() {
            log.refuse(format_args!("the program's arguments are not known"));
            return NGX_INVALID_PID;
        }

        let sockets: Vec<RawFd> = listening(cycle)
            .map(|ls| (*ls).fd)
            .filter(|&fd| fd != -1)
            .collect();
        let environment = environment(&sockets);
        let mut envp: Vec<*const c_char> = environment.iter().map(|text| text.as_ptr()).collect();

        envp.push(ptr::null());

        if !pidfile::make_room(cycle, log, Text::from_ptr(*argv)) {
            return NGX_INVALID_PID;
        }

        let work = Work {
            proc: ptr::null_mut(),
            data: ptr::null_mut(),
            name: Text::new(c"new binary process"),
        };

        let started = execute(
            &GLOBALS,
            log,
            work,
            Text::from_ptr(*argv),
            Program::new(*argv, argv.cast(), envp.as_ptr()),
            &mut || sockets.iter().copied().for_each(listen::hand_down),
        );

        if started.is_err() {
            pidfile::take_back(cycle, log, When::NotExecuted, Text::from_ptr(*argv));
        }

        started.unwrap_or(NGX_INVALID_PID)
    }
}

/// This process's environment, and the sockets.
fn environment(sockets: &[RawFd]) -> Vec<CString> {
    let mut list = format!("{VARIABLE}=");

    for fd in sockets {
        list += &format!("{fd};");
    }

    std::env::vars_os()
        .filter(|(name, _)| name != VARIABLE)
        .filter_map(|(name, value)| {
            CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).ok()
        })
        .chain(CString::new(list).ok())
        .collect()
}

/// Takes over the sockets of the binary that has started this one; `None` if
/// none has.
pub fn inherited_sockets(log: Log) -> Option<Vec<OwnedFd>> {
    let list = std::env::var(VARIABLE).ok()?;

    log.error(
        Level::Notice,
        None,
        format_args!("using inherited sockets from \"{list}\""),
    );

    let mut sockets = Vec::new();

    for number in list.split([';', ':']).filter(|number| !number.is_empty()) {
        let fd: Option<RawFd> = number.parse().ok();
        let taken = |fd: &RawFd| sockets.iter().any(|sock: &OwnedFd| sock.as_raw_fd() == *fd);

        match fd.filter(|fd| !taken(fd)).and_then(listen::inherit) {
            Some(fd) => sockets.push(fd),
            None => {
                log.error(
                    Level::Emerg,
                    None,
                    format_args!(
                        "invalid socket number \"{number}\" in {VARIABLE} environment variable, \
                         ignoring the rest of the variable"
                    ),
                );
                break;
            }
        }
    }

    Some(sockets)
}
