//! The part of `ngx_ipc.h` that both hosts export: the list of processes.

use std::ffi::{c_char, c_void};
use std::ptr::NonNull;

use crate::config::{NGX_DECLINED, ngx_int_t, ngx_uint_t};
use crate::host::introspect::{self, ngx_ipc_process_t};
use crate::host::program::{self, ngx_ipc_program_t};
use crate::host::status::{self, OwnNumbers, Printer, ngx_ipc_number_t, ngx_ipc_print_pt};
use crate::status::{code, found};
use crate::table::generation;

/// Returns the version of the library that is in use, such as "0.1.0".
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_version() -> *const c_char {
    program::VERSION.as_ptr()
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
    found(unsafe { introspect::fill_next(process, size) })
}

/// Fills `program`, a structure of `size` bytes, with data about the program. Programs
/// call the macro ngx_ipc_program(), in any process.
///
/// Returns NGX_OK, or NGX_ERROR if `program` is NULL or `size` is too small.
///
/// # Safety
///
/// `program` is NULL or has `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_program_size(
    program: *mut ngx_ipc_program_t,
    size: usize,
) -> ngx_int_t {
    // SAFETY: C passes NULL or a structure of `size` bytes.
    code(unsafe { program::fill(program, size) })
}

/// Calls `print` with `data` once for each process, with a line of text about
/// the process that ends with a line feed. A line of more than 2048 bytes is passed in
/// parts, with a call for each. If the program has messages of ngx_ipc_message.h, there
/// follows a line for each type of messages, and for each pair of processes between
/// which messages wait, were refused or were lost.
///
/// # Safety
///
/// `print` is NULL or can be called with `data`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_print_processes(print: ngx_ipc_print_pt, data: *mut c_void) {
    // SAFETY: C passes NULL, or a function that can be called with `data`.
    if let Some(printer) = unsafe { Printer::new(print, data) } {
        introspect::print(|text| printer.line(text));
    }
}

/// Calls `print` with `data` for each line of a page about the program, its processes, its
/// zones and its messages, in the format NGX_IPC_TEXT, NGX_IPC_JSON, NGX_IPC_JSON_SUMMARY or
/// NGX_IPC_PROMETHEUS. The page has the `n` numbers of the program too. A line of more than
/// 2048 bytes is passed in parts, with a call for each.
///
/// Returns NGX_OK. Returns NGX_ERROR, and prints nothing, if `print` is NULL, if there
/// is no such format, or if there is no memory.
///
/// # Safety
///
/// `numbers` has `n` elements whose texts are NULL or strings, and `print` is NULL or
/// can be called with `data`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_print_status(
    format: ngx_uint_t,
    numbers: *const ngx_ipc_number_t,
    n: ngx_uint_t,
    print: ngx_ipc_print_pt,
    data: *mut c_void,
) -> ngx_int_t {
    // SAFETY: C passes `n` numbers, and NULL or a function that can be called with
    // `data`.
    let (own, printer) = unsafe { (OwnNumbers::from_ptr(numbers, n), Printer::new(print, data)) };

    code(status::print(format, own, printer))
}
