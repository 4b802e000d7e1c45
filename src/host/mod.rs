//! The host: the code between the core and the program in which the library
//! runs. A host has the program's variables and types, and the functions that
//! the core leaves to the host, such as adding a channel to an event loop.
//!
//! There are two hosts, `standalone` and `nginx`. Where `abi` needs a function
//! of both hosts, the function has the same name in each host, and `abi`
//! imports it from this file. The files of a host import from the file that
//! defines the function.

#![allow(unsafe_code)]
#![allow(non_camel_case_types, non_upper_case_globals)]

pub mod call;
pub mod execute;
pub mod globals;
pub mod introspect;
pub mod lock_owner;
pub mod logs;
pub mod messages;
#[cfg(not(feature = "standalone"))]
pub mod nginx;
pub mod pool_lock;
pub mod program;
pub mod shm_zone;
pub mod shmem;
pub mod signal_handler;
pub mod sized;
pub mod slab;
pub mod slab_call;
pub mod slab_evict;
mod slab_log;
pub mod spawn;
#[cfg(feature = "standalone")]
pub mod standalone;
pub mod status;
pub mod traffic;
pub mod zone_file;
pub mod zone_file_header;
pub mod zone_file_variable;
mod zone_root;
pub mod zone_structures;
pub mod zone_transaction;
pub mod zone_tree;
pub mod zone_type;
#[cfg(feature = "standalone")]
pub mod zone_view;

#[cfg(not(feature = "standalone"))]
pub use nginx::channel::{read as read_channel, write as write_channel};
#[cfg(not(feature = "standalone"))]
pub use nginx::message_loop;
#[cfg(not(feature = "standalone"))]
pub use nginx::typed_zones;
#[cfg(not(feature = "standalone"))]
pub use nginx::types::{ngx_cycle_t, ngx_log_t};
#[cfg(feature = "standalone")]
pub use standalone::channel::{read_channel, write_channel};
#[cfg(feature = "standalone")]
pub use standalone::message_loop;
#[cfg(feature = "standalone")]
pub use standalone::typed_zones;
#[cfg(feature = "standalone")]
pub use standalone::types::{ngx_cycle_t, ngx_log_t};
