//! What the C interface of messages needs on top of [`message`](crate::message):
//! types by name, targets, requests, and which processes run.
//!
//! `docs/messages.md` explains the interface.
//!
//! - [`board`]: a second shared memory, for what all processes must agree on
//! - [`names`]: the number of each type, in the board
//! - [`address`]: to which process, or to which processes, a message goes
//! - [`choosing`]: which process has an address
//! - [`presence`]: which processes have started and which are dead
//! - [`keys`]: a message with a key is dropped while another one with this key waits;
//!   [`siphash`] is the hash of the keys
//! - [`retained`]: the last message of a type, in the board, for processes that start
//!   later
//! - [`keeping`], [`versions`]: what one process keeps there and takes from there, and
//!   which of these messages it has handled
//! - [`requests`]: requests that have no outcome yet
//! - [`rows`], [`counting`], [`statistics`]: the numbers of each type in the board
//! - [`leftover`]: in a master, the slots without a process
//! - [`ticks`]: when periodic work is due
//! - `unhandled`: how much work a process has
//! - [`kind`]: what a message is, apart from its payload
//! - [`exchange`]: sends and receives for one process; [`sending`], [`posting`],
//!   [`receiving`] and [`reading`] are parts of it

pub mod address;
pub mod board;
pub mod choosing;
pub mod counting;
pub mod exchange;
pub mod keeping;
pub mod keys;
pub mod kind;
pub mod leftover;
pub mod names;
pub mod posting;
pub mod presence;
pub mod reading;
pub mod receiving;
pub mod requests;
pub mod retained;
pub mod rows;
pub mod sending;
pub mod siphash;
pub mod statistics;
pub mod ticks;
mod unhandled;
pub mod versions;
