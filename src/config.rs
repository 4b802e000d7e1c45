//! nginx's basic C types and return codes, with nginx's own names.

#![allow(non_camel_case_types)]

use std::sync::atomic::{AtomicI32, AtomicIsize, AtomicU64, AtomicUsize};

/// nginx's signed integer, `intptr_t`.
pub type ngx_int_t = isize;
/// nginx's unsigned integer, `uintptr_t`.
pub type ngx_uint_t = usize;
/// A flag of a configuration: 0, 1, or -1 if the flag is not set.
pub type ngx_flag_t = isize;
/// A process id, `pid_t`.
pub type ngx_pid_t = i32;
/// A socket's descriptor.
pub type ngx_socket_t = i32;
/// A file's descriptor.
pub type ngx_fd_t = i32;
/// An error number, `errno(3)`.
pub type ngx_err_t = i32;
/// A time or a delay in milliseconds.
pub type ngx_msec_t = usize;
/// `unsigned char`.
pub type u_char = u8;

/// A string with its length.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ngx_str_t {
    /// The length in bytes.
    pub len: usize,
    /// The bytes. A NUL need not follow the last byte.
    pub data: *mut u_char,
}

impl ngx_str_t {
    /// The string without bytes, which has a terminating NUL all the same.
    pub const fn empty() -> Self {
        Self {
            len: 0,
            data: c"".as_ptr().cast_mut().cast(),
        }
    }
}

/// A word of shared memory that processes access with atomic instructions.
pub type ngx_atomic_t = AtomicU64;

/// A `ngx_pid_t` as an atomic, because a signal handler can read or write it at
/// any time.
pub type AtomicPid = AtomicI32;
/// A `ngx_socket_t` as an atomic, because a signal handler can read it at any
/// time.
pub type AtomicSocket = AtomicI32;
/// A `ngx_int_t` as an atomic, because a signal handler can read it at any
/// time.
pub type AtomicInt = AtomicIsize;
/// A `ngx_uint_t` as an atomic, because a signal handler can read it at any
/// time.
pub type AtomicUint = AtomicUsize;
/// A `sig_atomic_t` as an atomic, because a signal handler sets it.
pub type AtomicSig = AtomicI32;

/// The constants and bit-fields of the C headers that are written by hand.
/// `build.rs` generates this module from `include/ngx_core.h` and
/// `include/generator/*.h`, so that each number is written only once.
#[allow(missing_docs)]
pub mod numbers {
    include!(concat!(env!("OUT_DIR"), "/numbers.rs"));
}

/// The function succeeded.
pub const NGX_OK: ngx_int_t = numbers::NGX_OK as ngx_int_t;
/// The function failed and logged why.
pub const NGX_ERROR: ngx_int_t = numbers::NGX_ERROR as ngx_int_t;
/// The function did nothing, because it would have blocked. The same call can
/// succeed later.
pub const NGX_AGAIN: ngx_int_t = numbers::NGX_AGAIN as ngx_int_t;
/// The function did nothing, because it does not handle this command, or
/// because it has no further result.
pub const NGX_DECLINED: ngx_int_t = numbers::NGX_DECLINED as ngx_int_t;

/// The pid in a slot that has no process.
pub const NGX_INVALID_PID: ngx_pid_t = numbers::NGX_INVALID_PID as ngx_pid_t;
