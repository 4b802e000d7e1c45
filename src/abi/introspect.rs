//! Part of `ngx_ipc.h` for both hosts: the list of processes.

use std::ffi::{CStr, c_char, c_void};
use std::ptr::NonNull;

use crate::config::{NGX_DECLINED, NGX_OK, ngx_int_t, ngx_uint_t};
use crate::host::introspect::{self, ngx_ipc_process_t};
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

/// Returns which configuration this process was started for, counted from 1;
/// 0 if the program has none.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_generation() -> ngx_uint_t {
    generation::current()
}

/// Returns 1 in the leader of a generation, else 0.
///
/// The leader is the first worker, or the single process: the one that does
/// what only one process of a generation must do.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_is_leader() -> ngx_uint_t {
    introspect::is_leader().into()
}

/// Fills `process` with the next process of the table: the first one in a slot
/// behind `process->slot`. Set that to -1 for the first process.
///
/// Returns NGX_OK, or NGX_DECLINED if no process is left. Every process of a
/// program sees what the master knows. If there is no memory for that, a
/// worker sees the processes that the master has announced to it.
///
/// In C a macro with this name passes the size that the structure has for the
/// program to ngx_ipc_next_process_size(). The function itself takes the size of
/// version 0.1.
///
/// # Safety
///
/// `process` is NULL or points to a valid ngx_ipc_process_t.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_next_process(process: *mut ngx_ipc_process_t) -> ngx_int_t {
    // SAFETY: the contract of this function: NULL or a structure of this size.
    unsafe { ngx_ipc_next_process_size(process, introspect::first_size()) }
}

/// Does the same for a structure of `size` bytes. Fields that this version does
/// not have are cleared.
///
/// Returns NGX_ERROR if the structure is smaller than in version 0.1.
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

    // SAFETY: the contract of this function: the structure has `size` bytes.
    let found = unsafe { introspect::fill_next(process, size) };

    found.map_or_else(
        ngx_int_t::from,
        |found| if found { NGX_OK } else { NGX_DECLINED },
    )
}

/// Takes `len` bytes of text; `data` is what ngx_ipc_print_processes() got.
pub type ngx_ipc_print_pt =
    Option<unsafe extern "C" fn(data: *mut c_void, text: *const c_char, len: usize)>;

/// Calls `print` with a line for each process, line feed included.
///
/// # Safety
///
/// `print` is NULL or may be called with `data`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_print_processes(print: ngx_ipc_print_pt, data: *mut c_void) {
    let Some(print) = print else { return };

    introspect::print(|line| {
        let line = format!("{line}\n");

        // SAFETY: the contract of this function; `line` has `len` bytes.
        unsafe { print(data, line.as_ptr().cast(), line.len()) };
    });
}
