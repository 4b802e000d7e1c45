//! The program that the library lives in: its types and variables, and what
//! it does where the core leaves that to it.
//!
//! Either host has the same names; `abi` uses these and no others, wherever
//! both have the function.

#![allow(unsafe_code)]
#![allow(non_camel_case_types, non_upper_case_globals)]

pub mod call;
pub mod globals;
pub mod logs;
#[cfg(not(feature = "standalone"))]
pub mod nginx;
pub mod signal_handler;
#[cfg(feature = "standalone")]
pub mod standalone;

#[cfg(not(feature = "standalone"))]
pub use nginx as hooks;
#[cfg(feature = "standalone")]
pub use standalone::hooks;

pub use hooks::*;
