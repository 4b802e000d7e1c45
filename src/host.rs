//! The program that the library lives in: its types and variables, and what
//! it does where the core leaves that to it.
//!
//! Either host has the same names; `abi` uses these and no others, wherever
//! both have the function.

#[cfg(feature = "standalone")]
pub use crate::standalone::host::*;

#[cfg(not(feature = "standalone"))]
pub use crate::nginx::*;
