//! Messages in an event loop: the library's own loop, or one of the program.

use std::os::fd::RawFd;
use std::sync::atomic::AtomicI32;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::connection::Connection;
use super::cycle::Cycle;
use super::event::ngx_event_t;
use super::hooks::{self, Messages, Watch};
use crate::config::{ngx_int_t, ngx_msec_t};
use crate::host::globals::GLOBALS;
use crate::host::messages::{catch_up, deliver, first, local, orphans, region, shared};
use crate::log::{Level, Log};
use crate::table::state::State;
use crate::table::{own_slot, role, stats};

/// The process whose event loop watches its wake-up descriptor.
static WATCHES: AtomicI32 = AtomicI32::new(0);

/// The log of this process.
pub fn log() -> Log {
    Cycle::log_of(Cycle::current())
}

/// Does nothing: [`hooks::prepare_to_wait`] looks before each wait whether there is
/// something to do.
pub fn run_soon() {}

/// Does nothing: [`hooks::prepare_to_wait`] finds out how long the event loop may wait.
pub fn set_timer() {}

/// Does nothing: [`hooks::prepare_to_wait`] finds out when periodic work is due.
#[inline]
pub fn sent() {}

/// The program begins to use messages. From now on the core calls their functions for
/// each process, and the event loop in each round. A caller does this before it
/// registers a type or makes the shared memory.
pub fn begin() {
    hooks::MESSAGES.set(&Messages {
        starting: region::starting,
        gone: region::gone,
        prepare_to_wait,
        process,
    });
}

/// A master that sends before it has started a process makes the shared memory.
pub fn prepare_first() {
    if role::acts_as_master(&GLOBALS) {
        first::prepare(log());
    }
}

/// Before the event loop waits, see [`hooks::prepare_to_wait`].
fn prepare_to_wait(log: Log, add: Watch) -> Option<ngx_msec_t> {
    watch(log, add);

    catch_up::prepare_sleep()?.map(|milliseconds| milliseconds as ngx_msec_t)
}

/// Makes the event loop of this process watch its wake-up descriptor, with the function
/// `add` of the event loop.
fn watch(log: Log, add: Watch) {
    let own = GLOBALS.own_pid();

    if WATCHES.load(Relaxed) == own {
        return;
    }

    if let Some(fd) = local::descriptor() {
        if add(fd, Some(woken)).is_err() {
            let _ = log.refuse(format_args!("the event loop cannot wait for messages"));
        }

        WATCHES.store(own, Relaxed);
    }
}

/// The wake-up descriptor is readable. The messages are handled at the end of the
/// round.
unsafe extern "C" fn woken(ev: *mut ngx_event_t) {
    // SAFETY: the event loop calls this handler with the read event of the
    // connection that `watch` has made.
    if unsafe { Connection::of_event(ev) }.is_some() {
        local::silence();
    }
}

/// After the event loop has waited: handles the messages that have arrived.
pub fn process(log: Log) {
    if shared::is_set() {
        orphans::look();
        deliver::process(log);
    }
}

/// The wake-up descriptor of this process, for an event loop of the program. A
/// master that has started no process yet makes the shared memory.
pub fn descriptor() -> Option<RawFd> {
    let log = log();

    begin();

    if role::acts_as_master(&GLOBALS) {
        region::prepare(log, None);
    }

    let fd = local::descriptor();

    if fd.is_none() && local::has_slot() {
        log.error(
            Level::Alert,
            Some(Errno::ENOMEM),
            format_args!("no messages in this process"),
        );
    }

    fd
}

/// Before a worker or helper exits: handles the messages that have arrived, unless its
/// replacement gets them.
pub fn finish(log: Log) {
    if shared::get().is_some() {
        let (_, state) = stats::of(own_slot::get(&GLOBALS)).view();
        // If the master cannot publish what it has told its processes, this process
        // handles what has arrived: no other one may get it.
        let is_told = state == State::Exiting || !stats::is_shared();

        deliver::finish(log, is_told);
    }
}

/// Handles messages in a program with an event loop of its own. Returns how many
/// milliseconds the loop may wait; -1 if there is no limit. Does nothing, and returns
/// 0, if a function of the program that handles something calls it.
pub fn process_foreign() -> ngx_int_t {
    if shared::get().is_none() {
        return -1;
    }

    if deliver::is_handling() {
        return 0;
    }

    local::silence();
    deliver::process(log());

    match catch_up::prepare_sleep() {
        Some(Some(milliseconds)) => milliseconds as ngx_int_t,
        _ => -1,
    }
}
