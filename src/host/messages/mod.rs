//! The messages of one program: makes the shared memory before the first fork,
//! gives each process its slot, and calls the functions of the program.
//!
//! - [`types`]: the structures and constants of C
//! - [`settings`]: what the configuration says
//! - [`shared`]: the shared memory, and the slot of this process
//! - [`register`]: the types of messages that the program has registered
//! - [`epoch`]: which configuration a registration belongs to
//! - [`watchers`]: the functions that are called for other events than messages
//! - [`local`]: the exchange with which this process sends and receives
//! - [`region`]: makes the shared memory, and gives slots to processes; [`claim`]: claims
//!   slots
//! - `reserve`: in nginx's master, gives slots to all processes of a configuration
//! - [`new_binary`], [`handed_down`], [`inherited`]: hands the shared memory down to a new
//!   binary, and takes it over there
//! - [`orphans`]: when a master recovers slots of dead processes whose master is dead, too
//! - [`slot_lock`]: keeps processes apart that change slots of others
//! - [`leftover`]: what waits in a slot without a process
//! - [`send`]: sends messages; [`reservations`]: those that are built in place;
//!   [`attached`]: those with descriptors
//! - [`descriptors`], [`label`]: descriptors that come with messages
//! - [`table`]: in a master, which slot of the region each of its processes has
//! - [`variables`]: the variables of the host
//! - [`statistics`]: the numbers of messages; [`counts`]: their structures of C;
//!   [`listing`]: the lines of a log
//! - `first`, [`program`]: messages of a master before it starts a process
//! - [`catch_up`]: kept messages and descriptors that no record mentions
//! - [`deliver`]: calls the functions of the program; [`lost`]: for lost messages

pub mod attached;
pub mod catch_up;
pub mod claim;
pub mod counts;
pub mod deliver;
pub mod descriptors;
pub mod epoch;
#[cfg(feature = "standalone")]
pub mod first;
pub mod handed_down;
pub mod inherited;
pub mod label;
pub mod leftover;
pub mod listing;
pub mod local;
pub mod lost;
pub mod new_binary;
pub mod orphans;
pub mod program;
pub mod region;
pub mod register;
pub mod reservations;
#[cfg(not(feature = "standalone"))]
pub mod reserve;
pub mod send;
pub mod settings;
pub mod shared;
pub mod slot_lock;
pub mod statistics;
pub mod table;
pub mod types;
pub mod variables;
pub mod watchers;
