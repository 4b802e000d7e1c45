//! The interface for Rust programs: processes, channels, shared memory, messages and
//! servers, without `unsafe` code in the program.
//!
//! | Type | Subject |
//! | --- | --- |
//! | [`Server`] | a master and workers that serve clients, with reload and graceful exit |
//! | [`Program`], [`Process`], [`Worker`] | processes that run a closure |
//! | [`Channel`] | typed messages and descriptors between two processes |
//! | [`MessageType`] | messages, broadcasts and requests in shared memory between all processes |
//! | [`SharedMemory`] | atomics that processes share if they are started after it was made |
//!
//! A program has one [`Server`] or one [`Program`]. The library is for programs with one
//! thread: see [Fork](Program#fork). The functions fail in other threads than the first
//! that has called one of them. All threads can use a [`Channel`] and a [`SharedMemory`]
//! that exist; only the first thread can make a `SharedMemory`.
//!
//! ```
//! use std::time::Duration;
//!
//! use ngx_ipc::api::{MessageType, Outcome, Program, To};
//!
//! # fn main() -> std::io::Result<()> {
//! let program = Program::init()?;
//! let double = MessageType::<u64>::register(c"double", |m| {
//!     m.reply(&(m.payload() * 2)).expect("a reply");
//! })?;
//!
//! // The master answers the requests of its worker while it waits for it.
//! program.spawn(c"worker process", move |worker| -> std::io::Result<()> {
//!     double.request(To::MASTER, &21, Duration::from_secs(5), |outcome| {
//!         assert_eq!(outcome, Outcome::Replied(42_u64));
//!         std::process::exit(0);
//!     })?;
//!
//!     while !worker.is_told_to_exit() {
//!         worker.turn()?;
//!     }
//!
//!     Ok(())
//! })?;
//!
//! program.wait()
//! # }
//! ```
//!
//! The C functions of the same subject and the host's own structures are in other modules
//! of this crate. They are not for Rust programs: they can change in each version.

#![allow(unsafe_code)]

mod address;
mod channel;
mod commands;
mod connection;
mod error;
mod exit;
mod message;
mod payload;
mod process;
mod program;
mod request;
mod server;
mod shm;
mod thread;
mod unsent;
mod worker;

pub use address::{Peer, Set, To};
pub use channel::Channel;
pub use connection::Connection;
pub use exit::{Exit, IntoExitCode};
pub use message::{Message, MessageType};
pub use payload::Payload;
pub use process::Process;
pub use program::Program;
pub use request::Outcome;
pub use server::{Builder, Level, Server};
pub use shm::{Atomic, SharedMemory};
pub use worker::Worker;
