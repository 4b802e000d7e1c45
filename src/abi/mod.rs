//! The exported C symbols, one file for each of nginx's headers.
//!
//! nginx has most of these itself; the first four are what replaces its own.
//!
//! Each function checks its arguments as far as that can be done, calls the
//! core or the standalone host, and turns the result into a return code.
//! `build.rs` generates the header `ngx_NAME.h` from `NAME.rs` and from the part
//! that is written by hand, `include/generator/NAME.h`.

#![allow(unsafe_code)]
#![allow(non_camel_case_types, non_upper_case_globals)]

pub mod channel;
#[cfg(feature = "standalone")]
pub mod connection;
#[cfg(feature = "standalone")]
pub mod cycle;
#[cfg(feature = "standalone")]
pub mod errno;
#[cfg(feature = "standalone")]
pub mod event;
#[cfg(feature = "standalone")]
pub mod event_timer;
pub mod introspect;
#[cfg(feature = "standalone")]
pub mod ipc;
#[cfg(feature = "standalone")]
pub mod log;
#[cfg(feature = "standalone")]
pub mod log_line;
#[cfg(feature = "standalone")]
pub mod palloc;
pub mod process;
#[cfg(feature = "standalone")]
pub mod process_cycle;
#[cfg(feature = "standalone")]
pub mod setproctitle;
pub mod shmem;
#[cfg(feature = "standalone")]
pub mod times;
