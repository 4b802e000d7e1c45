//! Channels: messages of fixed size between processes, nginx's
//! `ngx_channel.c`.
//!
//! - `message`, `command`: the message and its commands;
//! - `write`, `read`: send and receive one message, whole or not at all;
//! - `partial`: keeps a part of a message until the rest arrives;
//! - `queue`: keeps control messages while a socket is full;
//! - `close`: closes the descriptors of channels.

pub mod close;
pub mod command;
pub mod message;
pub mod partial;
pub mod queue;
pub mod read;
pub mod write;

#[cfg(test)]
mod tests;
