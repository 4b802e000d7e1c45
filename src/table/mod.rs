//! What this process knows of the other processes. The layers above read and
//! change it: `channel`, `process`, `process_cycle` and the hosts.
//!
//! - `slot`, `slots`: the process table, `ngx_processes[]`;
//! - `later`: slots of processes that are started later;
//! - `stats`, `state`: data of each slot that the processes share;
//! - `role`, `generation`: what a process is, and for which configuration;
//! - `restart`: when the process of a slot may be started again;
//! - `minus_one`: numbers that start as -1, for these tables;
//! - `globals`: references to nginx's variables.

pub mod generation;
pub mod globals;
mod later;
pub mod minus_one;
pub mod restart;
pub mod role;
pub mod slot;
pub mod slots;
pub mod state;
pub mod stats;
