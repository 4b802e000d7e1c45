//! Data about processes: the process table and what belongs to it. The layers
//! above read and change this data: `channel`, `process`, `process_cycle` and
//! the hosts.
//!
//! - `slot`, `slots`: the process table, `ngx_processes[]`;
//! - `later`: slots of processes that are started later;
//! - `stats`, `state`: per-slot data in shared memory;
//! - `program`: the start of the program, in that data;
//! - `places`: counters of all processes that have had a place, in that data;
//! - `role`, `generation`: the role of a process, and the configuration for
//!   which it was started;
//! - `own_slot`: the slot of this process;
//! - `children`: the processes that this process has started;
//! - `restart`: the time at which the process of a slot can be started again;
//! - `name`: the name of a process in that data;
//! - `minus_one`: atomic integers that start as -1, for the tables above;
//! - `globals`: references to nginx's variables.

#[cfg(feature = "standalone")]
pub mod children;
pub mod generation;
pub mod globals;
mod later;
pub mod minus_one;
mod name;
pub mod own_slot;
pub mod places;
pub mod program;
pub mod restart;
pub mod role;
pub mod slot;
pub mod slots;
pub mod state;
pub mod stats;
