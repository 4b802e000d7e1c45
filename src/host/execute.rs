//! Executes other programs, `ngx_execute()`.

use std::ffi::{CStr, c_char};

use nix::errno::Errno;

use super::globals::GLOBALS;
use super::messages::new_binary::NewBinary;
#[cfg(not(feature = "standalone"))]
use super::nginx::kept_zones as zone_files;
#[cfg(feature = "standalone")]
use super::standalone::zone_files;
use super::zone_file_variable;
use crate::config::ngx_pid_t;
use crate::log::{Level, Log};
use crate::process::execute;
use crate::status::{Result, Status};
use crate::sys::environment;
use crate::sys::process::Program;
use crate::sys::text::Text;
use crate::table::slots::Work;

/// A program, as C describes it.
#[derive(Clone, Copy)]
pub struct Executable {
    /// The path of its file.
    pub path: Text,
    /// The arguments, an array that ends with NULL.
    pub argv: *const *const c_char,
    /// The environment, an array that ends with NULL.
    pub envp: *const *const c_char,
}

/// The name with which nginx, and the host of this library, execute a new binary.
/// Other programs that a module executes inherit nothing.
const NEW_BINARY: &[u8] = b"new binary process";

/// Executes a program in a detached process. Returns the pid of the process. A new
/// binary inherits the messages, and learns which files of zones this program uses: if there is
/// no memory for this, it is not executed. The child calls `prepare` before `execve(2)`.
///
/// # Safety
///
/// The path and the arrays are NULL, or valid until the function returns.
pub unsafe fn execute(
    log: Log,
    work: Work,
    executable: Executable,
    prepare: &mut dyn FnMut(),
) -> Result<ngx_pid_t> {
    let Executable { path, argv, envp } = executable;
    let is_new_binary = work.name.bytes() == Some(NEW_BINARY);
    let variable = if is_new_binary {
        variable_of_files().map_err(|err| no_memory(log, err))?
    } else {
        Vec::new()
    };
    let with_files = match CStr::from_bytes_until_nul(&variable) {
        // SAFETY: the caller passes NULL, or an array that is valid until the function
        // returns.
        Ok(text) => Some(unsafe { add(log, envp, text) }.ok_or(Status::Error)?),
        Err(_) => None,
    };
    let envp = with_files.as_ref().map_or(envp, |all| all.as_ptr());
    let new_binary = is_new_binary.then(|| NewBinary::new(log)).flatten();
    // SAFETY: the caller passes NULL, or an array that is valid until the function
    // returns.
    let with_messages = new_binary
        .as_ref()
        .and_then(|new_binary| unsafe { add(log, envp, new_binary.variable()) });
    let new_binary = match (new_binary, &with_messages) {
        (Some(new_binary), None) => {
            new_binary.withdraw();
            None
        }
        (new_binary, _) => new_binary,
    };
    let envp = with_messages.as_ref().map_or(envp, |all| all.as_ptr());

    // SAFETY: the caller passes a path and arrays that are valid until the function
    // returns, and `with_files` and `with_messages` live as long.
    let program = unsafe { Program::new(path.as_ptr(), argv, envp) };
    let enter = |place| {
        if let Some(new_binary) = &new_binary {
            new_binary.enter(place);
        }
    };
    let result = execute::execute(&GLOBALS, log, work, path, program, &enter, &mut || {
        prepare();

        if let Some(new_binary) = &new_binary {
            new_binary.hand_down();
        }
    });

    match (new_binary, result) {
        (Some(new_binary), Err(err)) => {
            new_binary.withdraw();
            Err(err)
        }
        (_, result) => result,
    }
}

/// The environment variable with the files of zones; empty if this program uses none. Fails with
/// ENOMEM.
fn variable_of_files() -> std::result::Result<Vec<u8>, Errno> {
    let files = zone_files::files()?;

    if files.is_empty() {
        return Ok(Vec::new());
    }

    zone_file_variable::write(&files)
}

fn no_memory(log: Log, err: Errno) -> Status {
    log.fail(Level::Alert, err, format_args!("malloc() failed"))
}

/// The environment `envp` with one variable more. `None`, with an alert in the log,
/// if there is no memory.
///
/// # Safety
///
/// The requirements of [`environment::add`].
unsafe fn add(log: Log, envp: *const *const c_char, variable: &CStr) -> Option<Vec<*const c_char>> {
    // SAFETY: the caller passes what `add` requires.
    unsafe { environment::add(envp, variable) }
        .map_err(|err| no_memory(log, err))
        .ok()
}
