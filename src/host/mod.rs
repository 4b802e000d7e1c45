//! The program that the library lives in: its variables and types, and what it
//! does where the core leaves that to it.
//!
//! Either host, `standalone` or `nginx`, has functions with the same names for
//! what `abi` needs of both. `abi` takes them from here; files of a host import
//! from the file that has the function.

#![allow(unsafe_code)]
#![allow(non_camel_case_types, non_upper_case_globals)]

pub mod call;
pub mod globals;
pub mod introspect;
pub mod logs;
#[cfg(not(feature = "standalone"))]
pub mod nginx;
pub mod signal_handler;
pub mod sized;
pub mod spawn;
#[cfg(feature = "standalone")]
pub mod standalone;

#[cfg(not(feature = "standalone"))]
pub use nginx::channel::{read as read_channel, write as write_channel};
#[cfg(not(feature = "standalone"))]
pub use nginx::types::{ngx_cycle_t, ngx_log_t};
#[cfg(feature = "standalone")]
pub use standalone::channel::{read_channel, write_channel};
#[cfg(feature = "standalone")]
pub use standalone::types::{ngx_cycle_t, ngx_log_t};
