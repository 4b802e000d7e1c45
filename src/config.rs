//! nginx's basic C types and return codes, by nginx's own names.

#![allow(non_camel_case_types)]

use std::sync::atomic::{AtomicI32, AtomicIsize, AtomicUsize};

/// `intptr_t`, the integer nginx counts with.
pub type ngx_int_t = isize;
/// `uintptr_t`, the unsigned integer nginx counts with.
pub type ngx_uint_t = usize;
/// A yes or no of a configuration, or -1 for neither.
pub type ngx_flag_t = isize;
/// A process id, `pid_t`.
pub type ngx_pid_t = i32;
/// A socket's descriptor.
pub type ngx_socket_t = i32;
/// A file's descriptor.
pub type ngx_fd_t = i32;
/// An `errno`.
pub type ngx_err_t = i32;
/// Milliseconds.
pub type ngx_msec_t = usize;
/// `unsigned char`.
pub type u_char = u8;

/// A counted string.
#[repr(C)]
pub struct ngx_str_t {
    /// Its length in bytes.
    pub len: usize,
    /// Its bytes, not NUL-terminated.
    pub data: *mut u_char,
}

/// A `ngx_pid_t` that a signal handler may read or write at any time.
pub type AtomicPid = AtomicI32;
/// A `ngx_socket_t` that a signal handler may read at any time.
pub type AtomicSocket = AtomicI32;
/// A `ngx_int_t` that a signal handler may read at any time.
pub type AtomicInt = AtomicIsize;
/// A `ngx_uint_t` that a signal handler may read at any time.
pub type AtomicUint = AtomicUsize;
/// A `sig_atomic_t`.
pub type AtomicSig = AtomicI32;

/// The numbers and bit-fields that C headers have by hand: `build.rs` makes the
/// constants from `include/ngx_core.h` and `include/generator/*.h`.
#[allow(missing_docs)]
pub mod numbers {
    include!(concat!(env!("OUT_DIR"), "/numbers.rs"));
}

/// Success.
pub const NGX_OK: ngx_int_t = numbers::NGX_OK as ngx_int_t;
/// Failure; whoever met it has logged it.
pub const NGX_ERROR: ngx_int_t = numbers::NGX_ERROR as ngx_int_t;
/// Nothing was done; the same call may succeed later.
pub const NGX_AGAIN: ngx_int_t = numbers::NGX_AGAIN as ngx_int_t;
/// Not meant for the callee; the caller decides.
pub const NGX_DECLINED: ngx_int_t = numbers::NGX_DECLINED as ngx_int_t;

/// No process.
pub const NGX_INVALID_PID: ngx_pid_t = numbers::NGX_INVALID_PID as ngx_pid_t;
