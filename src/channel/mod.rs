//! Channels: messages of fixed size between processes, nginx's
//! `ngx_channel.c`.
//!
//! - `message`, `command`: the message and its commands;
//! - `write`, `read`: send and receive one message, whole or not at all;
//! - `turn`: bounds the messages that are received one after the other;
//! - `wait`: tells whether a call on a socket may wait;
//! - `queue`: queues control messages while a socket is full, and sends them;
//! - `waiting`: the queues;
//! - `lacking`: control messages that could not be queued for lack of memory;
//! - `close`: closes the descriptors of channels.

pub mod close;
pub mod command;
pub mod lacking;
pub mod message;
pub mod queue;
pub mod read;
pub mod turn;
pub mod wait;
pub mod waiting;
pub mod write;

#[cfg(test)]
mod tests;
