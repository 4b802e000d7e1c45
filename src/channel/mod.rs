//! Channels: messages of fixed size between processes, nginx's
//! `ngx_channel.c`.
//!
//! - `message`, `command`: the message and its commands;
//! - `write`, `read`: send and receive one message, whole or not at all;
//! - `wait`: tells whether a call on a socket may wait;
//! - `queue`: keeps control messages while a socket is full;
//! - `close`: closes the descriptors of channels.

pub mod close;
pub mod command;
pub mod message;
pub mod queue;
pub mod read;
pub mod wait;
pub mod write;

#[cfg(test)]
mod tests;
