//! The exported C functions, one file for each of nginx's headers.
//!
//! Each function checks its pointers, makes handles or references of them,
//! calls a function of the core or of the host, and converts the result to a
//! return code. A function of this layer decides nothing. If nginx is the host,
//! nginx itself has most of these functions, and the library exports only those
//! that both hosts need.
//!
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
pub mod ipc_counters;
pub mod ipc_message;
pub mod ipc_message_fds;
pub mod ipc_message_place;
pub mod ipc_zone;
#[cfg(feature = "standalone")]
pub mod ipc_zone_give;
pub mod ipc_zone_structures;
pub mod ipc_zone_tree;
#[cfg(feature = "standalone")]
pub mod log;
#[cfg(feature = "standalone")]
pub mod log_line;
pub mod message_counts;
#[cfg(not(feature = "standalone"))]
pub mod nginx_host;
#[cfg(feature = "standalone")]
pub mod palloc;
pub mod process;
#[cfg(feature = "standalone")]
pub mod process_cycle;
pub mod rwlock;
#[cfg(feature = "standalone")]
pub mod setproctitle;
pub mod shmem;
pub mod shmtx;
pub mod slab;
#[cfg(feature = "standalone")]
pub mod times;
