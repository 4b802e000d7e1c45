//! The part of `ngx_ipc.h` that both hosts export: the list of processes.

use std::ffi::{CStr, c_char, c_void};
use std::fmt::Write;
use std::ptr::NonNull;

use crate::config::{NGX_DECLINED, NGX_OK, ngx_int_t, ngx_uint_t};
use crate::host::introspect::{self, ngx_ipc_process_t};
use crate::log::Line;
use crate::table::generation;

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"",
    };

/// Returns the version of the library that is in use, such as "0.1.0".
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_version() -> *const c_char {
    VERSION.as_ptr()
}

/// Returns the number of the configuration for which this process was started,
/// counted from 1; 0 if the program has no configuration.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_generation() -> ngx_uint_t {
    generation::current()
}

/// Returns 1 if this process is the leader of its generation, else 0.
///
/// The leader is the first worker, or the single process. The leader does the
/// work that only one process of a generation must do.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_is_leader() -> ngx_uint_t {
    introspect::is_leader().into()
}

/// Fills `process` with data about the next process of the process table: the
/// process in the first used slot after `process->slot`. For the first process,
/// set `process->slot` to -1.
///
/// Returns NGX_OK, or NGX_DECLINED if there is no further process. Every
/// process of a program sees the data of the master, which is in shared memory.
/// If that memory could not be allocated, a worker sees only the processes that
/// the master has announced to it.
///
/// In C, ngx_ipc_next_process() is a macro that calls
/// ngx_ipc_next_process_size() with the size of the structure in the program's
/// headers. The function ngx_ipc_next_process() uses the size of version 0.1.
///
/// # Safety
///
/// `process` is NULL or points to a valid ngx_ipc_process_t.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_next_process(process: *mut ngx_ipc_process_t) -> ngx_int_t {
    // SAFETY: C passes NULL or a structure of the size in version 0.1.
    unsafe { ngx_ipc_next_process_size(process, introspect::first_size()) }
}

/// Fills `process`, a structure of `size` bytes, with data about the next
/// process, as ngx_ipc_next_process() does. Fields that this version of the
/// library does not have are cleared. Programs call the macro
/// ngx_ipc_next_process().
///
/// Returns NGX_OK, NGX_DECLINED if there is no further process, or NGX_ERROR if
/// `size` is less than in version 0.1.
///
/// # Safety
///
/// `process` is NULL or points to a structure with `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_next_process_size(
    process: *mut ngx_ipc_process_t,
    size: usize,
) -> ngx_int_t {
    let Some(process) = NonNull::new(process) else {
        return NGX_DECLINED;
    };

    // SAFETY: C passes a structure of `size` bytes, whose field `slot` is set.
    let found = unsafe { introspect::fill_next(process, size) };

    found.map_or_else(
        ngx_int_t::from,
        |found| if found { NGX_OK } else { NGX_DECLINED },
    )
}

/// A function of the program that prints `len` bytes of text. `data` is the
/// argument of ngx_ipc_print_processes().
pub type ngx_ipc_print_pt =
    Option<unsafe extern "C" fn(data: *mut c_void, text: *const c_char, len: usize)>;

/// Calls `print` with `data` once for each process, with a line of text about
/// the process that ends with a line feed. A line has at most 2048 bytes. If the
/// program has messages of ngx_ipc_message.h, there follows a line for each type of
/// messages, and for each pair of processes between which messages wait, were
/// refused or were lost.
///
/// # Safety
///
/// `print` is NULL or can be called with `data`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_print_processes(print: ngx_ipc_print_pt, data: *mut c_void) {
    let Some(print) = print else { return };

    introspect::print(|text| {
        let mut line = Line::new();

        // A text that is longer than a line of a log is cut.
        let _ = line.write_fmt(text);
        let line = line.end();

        // SAFETY: C passes a function that can be called with `data`, and
        // `line` has `line.len()` bytes.
        unsafe { print(data, line.as_ptr().cast(), line.len()) };
    });
}
