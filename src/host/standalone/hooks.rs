//! The functions of this host that the core and the event loop call, some of them
//! through `GLOBALS`.
//!
//! Many programs have no event loop and no messages. These parts set their functions
//! here when the program begins to use them. Otherwise each program that is linked with
//! `libngx_ipc.a` would contain both parts.

use std::os::fd::RawFd;

use super::posted;
use super::types::ngx_event_handler_pt;
use crate::config::{ngx_msec_t, ngx_pid_t};
use crate::host::messages::{inherited, shared};
use crate::log::Log;
use crate::status::Result;
use crate::sys::hook::Hook;
use crate::table::globals::Globals;
use crate::table::role;
use crate::table::slot::Slot;

/// Makes the event loop watch a descriptor, and call a handler when it is readable.
pub type Watch = fn(RawFd, ngx_event_handler_pt) -> Result;

/// The functions of messages.
pub struct Messages {
    /// A process of a slot is forked next, see [`starting`].
    pub starting: fn(&Globals, Log, Slot, bool),
    /// The process of a slot is dead, see [`gone`].
    pub gone: fn(Slot, bool),
    /// The event loop waits next, see [`prepare_to_wait`].
    pub prepare_to_wait: fn(Log, Watch) -> Option<ngx_msec_t>,
    /// The event loop has waited, see [`process_messages`].
    pub process: fn(Log),
}

/// The functions of messages. They are set before a type is registered, and before the
/// shared memory is made.
pub static MESSAGES: Hook<Messages> = Hook::new();

/// Removes a descriptor from the event loop. It is set before the event loop has a
/// connection.
pub static FORGET: Hook<fn(RawFd)> = Hook::new();

/// In a new child: closes the descriptors of the parent's event loop. Async-signal-safe.
/// It is set when the event loop is made.
pub static CLOSE_PARENTS: Hook<fn()> = Hook::new();

/// Releases the locks of zones that a dead process has held. Async-signal-safe. It is set
/// before the first zone gets its memory.
pub static UNLOCK: Hook<fn(ngx_pid_t)> = Hook::new();

/// Removes a descriptor from the event loop. The core calls this function
/// before it closes the descriptor.
pub fn closing(fd: RawFd) {
    if let Some(forget) = FORGET.get() {
        forget(fd);
    }
}

/// Closes what a new child has inherited of its parent's event loop, and drops the
/// parent's posted events. Async-signal-safe.
pub fn forked() {
    if let Some(close_parents) = CLOSE_PARENTS.get() {
        close_parents();
    }

    posted::forget();
}

/// A child has been reaped: releases the locks of zones that it has held. Async-signal-safe.
pub fn exited(_g: &Globals, _slot: Option<Slot>, pid: ngx_pid_t) {
    if let Some(unlock) = UNLOCK.get() {
        unlock(pid);
    }
}

/// Gives the process that is forked next a place among those that have messages. A
/// master without messages closes those of the binary that has executed it.
pub fn starting(g: &Globals, log: Log, slot: Slot, again: bool) {
    match MESSAGES.get() {
        Some(messages) => (messages.starting)(g, log, slot, again),
        None if role::acts_as_master(g) => inherited::close(),
        None => {}
    }
}

/// Recovers the messages of a process that is dead, or that could not be forked.
pub fn gone(slot: Slot, awaited: bool) {
    if let Some(messages) = MESSAGES.get() {
        (messages.gone)(slot, awaited);
    }
}

/// Before the event loop waits. Returns how many milliseconds it may wait because of
/// messages; `None` if there is no limit. `watch` is a function of the event loop, which
/// messages call for their wake-up descriptor.
#[inline]
pub fn prepare_to_wait(log: Log, watch: Watch) -> Option<ngx_msec_t> {
    if !shared::is_set() {
        return None;
    }

    (MESSAGES.get()?.prepare_to_wait)(log, watch)
}

/// After the event loop has waited: handles the messages that have arrived.
#[inline]
pub fn process_messages(log: Log) {
    if shared::is_set()
        && let Some(messages) = MESSAGES.get()
    {
        (messages.process)(log);
    }
}
