//! Replaces the binary of a program while the program runs. The new binary
//! inherits the listening sockets, which stay open.

use std::ffi::c_char;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::atomic::Ordering::Relaxed;

use super::arguments;
use super::cycle::Cycle;
use super::listening::Listening;
use super::pidfile::{self, Reason};
use crate::config::ngx_pid_t;
use crate::host::globals::{GLOBALS, ngx_argv};
use crate::log::{Level, Log};
use crate::process::execute::execute;
use crate::status::{Result, Status};
use crate::sys::process::Program;
use crate::sys::text::Text;
use crate::sys::{environment, listen};
use crate::table::slots::Work;

/// The environment variable with the descriptors of the inherited sockets: for
/// each socket its number and ";".
const VARIABLE: &str = "NGINX";

/// Executes the program's file again, which is now the new binary, and hands
/// down the listening sockets of `cycle`. Returns the pid of the new master.
///
/// The pid file is renamed before the execution. If the file cannot be
/// executed, the function gives the pid file its name back, and logs an alert.
pub fn exec_new_binary(cycle: Cycle) -> Result<ngx_pid_t> {
    let log = cycle.log();

    let program = arguments::program();

    if program.bytes().is_none() {
        return Err(log.refuse(format_args!("the program's arguments are not known")));
    }

    if !pidfile::rename_to_old(cycle, log, program) {
        return Err(Status::Error);
    }

    execute_with_sockets(log, program, &open_sockets(cycle))
        .inspect_err(|_| pidfile::rename_back(cycle, log, Reason::NotExecuted, program))
}

fn open_sockets(cycle: Cycle) -> Vec<RawFd> {
    cycle
        .listening()
        .map(Listening::fd)
        .filter(|&fd| fd != -1)
        .collect()
}

fn execute_with_sockets(log: Log, program: Text, sockets: &[RawFd]) -> Result<ngx_pid_t> {
    let list: String = sockets.iter().map(|fd| format!("{fd};")).collect();
    let environment = environment::with(VARIABLE, &list);
    let envp: Vec<*const c_char> = environment
        .iter()
        .map(|text| text.as_ptr())
        .chain([ptr::null()])
        .collect();

    let work = Work {
        proc: ptr::null_mut(),
        data: ptr::null_mut(),
        name: Text::new(c"new binary process"),
    };

    // SAFETY: `ngx_argv` and `envp` are arrays of strings that end with NULL,
    // and `envp` lives until the new binary has been executed.
    let exec = unsafe {
        Program::new(
            program.as_ptr(),
            ngx_argv.load(Relaxed).cast(),
            envp.as_ptr(),
        )
    };

    execute(&GLOBALS, log, work, program, exec, &mut || {
        sockets.iter().copied().for_each(listen::hand_down);
    })
}

/// Takes the listening sockets that an old binary has handed down to this
/// program; `None` if no old binary has executed this program.
pub fn inherited_sockets(log: Log) -> Option<Vec<OwnedFd>> {
    let list = environment::get(VARIABLE)?;

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
