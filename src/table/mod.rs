//! The process table and what goes with each slot; every layer above reads it.

pub mod globals;
pub mod info;
pub mod restart;
pub mod role;
pub mod slots;
