//! Hands new connections over to the program.

use std::sync::atomic::Ordering::Relaxed;

use super::connection::Connection;
use super::listening::Listening;
use super::types::flag;
use crate::config::AtomicUint;
use crate::log::{Debug, Log};

/// The number of connections that this process has accepted.
static ACCEPTED: AtomicUint = AtomicUint::new(0);

/// Calls the program's handler for new connections with `c`, which was accepted with
/// `listener`.
pub fn call_program(listener: Connection, c: Connection, log: Log) {
    c.set_listening(listener.listening());
    c.set_number(ACCEPTED.fetch_add(1, Relaxed) + 1);
    c.write().set(flag::READY);

    log.debug(
        Debug::Event,
        format_args!("*{} accept: fd:{}", c.number(), c.fd()),
    );

    match listener.listening().and_then(Listening::handler) {
        // SAFETY: the program has set the handler to be called with each new
        // connection, and this connection is open.
        Some(handler) => unsafe { handler(c.as_ptr()) },
        None => c.close(),
    }
}
