//! Messages between processes, in memory that they share.
//!
//! Each pair of sender and receiver has a lane. Only the sender writes to it, and
//! only the receiver reads it. So no process waits for another one that is stopped
//! or killed. `docs/messages.md` explains the algorithm.
//!
//! - [`layout`], [`words`], [`class`]: what lies where in the region
//! - [`memory`], [`mapped`]: the access to the region, and the wake-up
//! - [`peers`], [`identity`], [`used`]: which process is in which slot; [`lineage`]: the
//!   numbers of processes
//! - [`lane`], [`known`], [`walk`], [`incarnation`], [`pool`], [`member`]: records, chunks,
//!   wake-ups
//! - [`out_lane`], [`out_records`], [`out_small`], [`out_held`], [`spares`],
//!   [`out_counts`], [`ahead`], [`send`], [`broadcast`], [`shared_block`]: the sender's
//!   side
//! - [`in_load`], [`in_lane`], [`in_small`], [`in_counts`], [`taken`], [`receive`], [`sleep`],
//!   [`senders`]: the receiver's side
//! - [`lanes`], [`bits`], [`chunks`]: tables with an entry for each slot, and sets
//! - [`letter`]: the arguments and results of functions that send; [`event`]: what a
//!   receiver gets
//! - [`endpoint`]: all of it for one process
//! - [`idle`]: gives memory back; [`statistics`]: counters
//! - [`in_repair`], [`out_repair`], [`sweep`]: repairs what another process has
//!   overwritten
//! - [`recover`]: gives back what a dead process had claimed; [`orphans`]: finds the
//!   slots of dead processes whose master is dead, too
//! - [`verify`]: a check of the whole region
//! - `interrupted`: a memory for unit tests

pub mod ahead;
pub mod bits;
pub mod broadcast;
pub mod chunks;
pub mod class;
pub mod endpoint;
pub mod event;
pub mod identity;
pub mod idle;
pub mod in_counts;
pub mod in_lane;
pub mod in_load;
pub mod in_repair;
pub mod in_small;
pub mod incarnation;
#[cfg(test)]
pub mod interrupted;
pub mod known;
pub mod lane;
pub mod lanes;
pub mod layout;
pub mod leftover;
pub mod letter;
pub mod lineage;
pub mod mapped;
pub mod member;
pub mod memory;
pub mod orphans;
pub mod out_counts;
pub mod out_held;
pub mod out_lane;
pub mod out_records;
pub mod out_repair;
pub mod out_small;
pub mod peers;
pub mod pool;
pub mod receive;
pub mod recover;
pub mod send;
pub mod senders;
pub mod shared_block;
pub mod sleep;
pub mod spares;
pub mod statistics;
pub mod sweep;
pub mod taken;
pub mod used;
pub mod verify;
pub mod walk;
pub mod words;
