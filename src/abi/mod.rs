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
pub mod introspect;
pub mod process;
pub mod shmem;
