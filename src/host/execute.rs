//! Executes other programs, `ngx_execute()`.

use std::ffi::{CStr, c_char};

use super::globals::GLOBALS;
use super::messages::new_binary::NewBinary;
use crate::config::ngx_pid_t;
use crate::log::{Level, Log};
use crate::process::execute;
use crate::status::Result;
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

/// Executes a program in a detached process. Returns the pid of the process. A new
/// binary inherits the messages. The child calls `prepare` before `execve(2)`.
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
    let new_binary = NewBinary::new(log, work.name);
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
    // returns, and `with_messages` lives as long.
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

/// The environment `envp` with one variable more. `None`, with an alert in the log,
/// if there is no memory.
///
/// # Safety
///
/// The requirements of [`environment::add`].
unsafe fn add(log: Log, envp: *const *const c_char, variable: &CStr) -> Option<Vec<*const c_char>> {
    // SAFETY: the caller passes what `add` requires.
    unsafe { environment::add(envp, variable) }
        .inspect_err(|&err| {
            log.error(Level::Alert, Some(err), format_args!("malloc() failed"));
        })
        .ok()
}
