//! Messages in nginx's event loop.
//!
//! nginx's event loop calls no function before it waits. So a worker counts as
//! asleep whenever it does not handle messages: a sender makes its wake-up
//! descriptor readable, which the event loop watches. A timer of nginx does the
//! rest: requests that are too late, and periodic work.

use std::os::fd::RawFd;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicI32};

use super::variables::{ngx_cycle, ngx_ipc_messages_set_timer};
use crate::config::ngx_int_t;
use crate::host::globals::GLOBALS;
use crate::host::logs::cycle_log;
use crate::host::messages::{deliver, local, region, register, shared};
use crate::log::Log;
use crate::table::state::State;
use crate::table::{own_slot, role, stats};

/// The process whose event loop watches its wake-up descriptor.
static WATCHES: AtomicI32 = AtomicI32::new(0);
/// Whether the timer expires at once.
static IS_SOON: AtomicBool = AtomicBool::new(false);
/// Whether the timer is set.
static IS_SET: AtomicBool = AtomicBool::new(false);

/// The log of this process.
pub fn log() -> Log {
    // SAFETY: `ngx_cycle` is NULL or nginx's current cycle, whose log is valid
    // until nginx has set another cycle.
    unsafe { cycle_log(ngx_cycle.load(Relaxed)) }
}

/// The wake-up descriptor of this process. A master that has started no process
/// yet makes the shared memory.
pub fn descriptor() -> Option<RawFd> {
    if role::acts_as_master(&GLOBALS) {
        region::prepare(log(), None);
    }

    local::descriptor()
}

/// The wake-up descriptor of this process, which its event loop watches from now
/// on.
pub fn watch() -> Option<RawFd> {
    let fd = local::descriptor()?;

    WATCHES.store(GLOBALS.own_pid(), Relaxed);

    Some(fd)
}

fn is_watched() -> bool {
    WATCHES.load(Relaxed) == GLOBALS.own_pid()
}

/// Makes the event loop handle messages in its next turn: a type or a function
/// was registered.
pub fn run_soon() {
    if is_watched() && !deliver::is_handling() {
        IS_SOON.store(true, Relaxed);
        IS_SET.store(true, Relaxed);
        ngx_ipc_messages_set_timer(0);
    }
}

/// Sets the timer, because a request was sent.
pub fn set_timer() {
    if is_watched() && !deliver::is_handling() && !IS_SOON.load(Relaxed) {
        ngx_ipc_messages_set_timer(to_timer(local::next_deadline()));
    }
}

/// Sets the timer for the periodic work, if it is not set, because a message was
/// sent.
pub fn sent() {
    if !IS_SET.load(Relaxed) {
        set_timer();
    }
}

/// The argument of the timer for so many milliseconds; `None`: no limit. The
/// caller sets the timer to it.
fn to_timer(milliseconds: Option<u64>) -> ngx_int_t {
    IS_SET.store(milliseconds.is_some(), Relaxed);

    milliseconds.map_or(-1, |milliseconds| milliseconds as ngx_int_t)
}

/// The wake-up descriptor is readable, or the timer has expired: handles the
/// messages that have arrived. Returns the milliseconds after which the event
/// loop calls this function again; -1 if there is no limit.
pub fn process_foreign() -> ngx_int_t {
    if shared::get().is_none() {
        return -1;
    }

    IS_SOON.store(false, Relaxed);
    // A sender that rings later does it after `prepare_sleep`, or for a message
    // that is handled here.
    local::silence();
    deliver::process(log());

    if register::has_unasked() {
        return to_timer(Some(0));
    }

    to_timer(local::prepare_sleep().flatten())
}

/// In the master, which a signal has interrupted while it waited: handles the
/// messages that have arrived.
pub fn process_in_master(log: Log) {
    if shared::get().is_some_and(|region| region.is_mine()) {
        local::silence();
        deliver::process(log);
        let _ = local::prepare_sleep();
    }
}

/// Before a worker or helper exits: handles the messages that have arrived, if
/// the master has told it to exit. Otherwise its replacement gets them.
pub fn finish() {
    if is_watched() {
        let (_, state) = stats::of(own_slot::get(&GLOBALS)).view();

        deliver::finish(log(), state != State::Exiting);
    }
}
