//! Messages in nginx's event loop.
//!
//! nginx's event loop calls no function before it waits. A worker counts as awake from the
//! time when it handles messages until the events that these have posted, such as light
//! threads of Lua, have run. Otherwise it counts as asleep: a sender makes its wake-up
//! descriptor readable, which the event loop watches. A timer of nginx does the rest:
//! requests that are too late, and periodic work.

use std::os::fd::RawFd;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicI32};

use super::message_conf::Changes;
use super::variables::{ngx_cycle, ngx_ipc_messages_set_timer};
use super::{doorbell, loaded};
use crate::config::{NGX_AGAIN, ngx_fd_t, ngx_int_t};
use crate::host::globals::GLOBALS;
use crate::host::logs::cycle_log;
use crate::host::messages::settings::{self, Settings};
use crate::host::messages::variables::has_member_as_master;
use crate::host::messages::{catch_up, deliver, local, orphans, region, shared};
use crate::log::{Level, Log};
use crate::table::globals::Globals;
use crate::table::state::State;
use crate::table::{own_slot, role, stats};

/// The process whose event loop watches its wake-up descriptor.
static WATCHES: AtomicI32 = AtomicI32::new(0);
/// Whether the timer is set.
static IS_SET: AtomicBool = AtomicBool::new(false);

/// The log of this process.
pub fn log() -> Log {
    // SAFETY: `ngx_cycle` is NULL or nginx's current cycle, whose log is valid
    // until nginx has set another cycle.
    unsafe { cycle_log(ngx_cycle.load(Relaxed)) }
}

/// Does nothing: nginx contains the library's messages, because its glue calls them. So
/// the core calls their functions from the start.
pub fn begin() {}

/// The wake-up descriptor of this process; `None` in the master, which has no
/// event loop.
pub fn descriptor() -> Option<RawFd> {
    local::descriptor().filter(|_| !doorbell::is_made())
}

/// What the event loop of this process watches.
pub enum Watched {
    /// The wake-up descriptor, from now on.
    Descriptor(RawFd),
    /// Nothing: this process has no messages.
    Nothing,
    /// Nothing yet: no slot is free. The caller tries again later.
    Later,
}

impl Watched {
    /// The value for C: the descriptor, -1 for `Nothing`, and `NGX_AGAIN` for `Later`.
    pub fn to_c(self) -> ngx_fd_t {
        match self {
            Self::Descriptor(fd) => fd,
            Self::Nothing => -1,
            Self::Later => NGX_AGAIN as ngx_fd_t,
        }
    }
}

/// Makes this process watch its wake-up descriptor. A single process, which is master and
/// worker in one, first makes the shared memory.
pub fn watch() -> Watched {
    if is_single() {
        region::prepare(log(), Some(0));
    } else if !has_member_as_master() && !loaded::join(log()) {
        return Watched::Later;
    }

    let Some(fd) = local::descriptor() else {
        return Watched::Nothing;
    };

    WATCHES.store(GLOBALS.own_pid(), Relaxed);

    Watched::Descriptor(fd)
}

fn is_single() -> bool {
    GLOBALS.process.load(Relaxed) == role::NGX_PROCESS_SINGLE
}

fn is_watched() -> bool {
    WATCHES.load(Relaxed) == GLOBALS.own_pid()
}

/// Makes this process handle messages soon: a type or a function was registered.
pub fn run_soon() {
    loaded::configured(log());
    ring_in_master();

    if is_watched() && !deliver::is_handling() {
        IS_SET.store(true, Relaxed);
        ngx_ipc_messages_set_timer(0);
    }
}

/// Makes the master handle messages when it waits next.
fn ring_in_master() {
    if doorbell::is_made() && !shared::has_left() && !deliver::is_handling() {
        IS_SET.store(true, Relaxed);
        doorbell::ring();
    }
}

/// Sets the timer, because a request was sent.
pub fn set_timer() {
    ring_in_master();

    if is_watched() && !deliver::is_handling() {
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

/// The wake-up descriptor is readable, or the timer has expired: handles the messages that
/// have arrived.
///
/// The descriptor is read only if there was no message, and in the periodic work. nginx's
/// epoll reports each wake-up once; poll and select call this function once more. But if
/// another process fills the counter, no sender can wake up this process until it is read.
pub fn process() {
    if shared::get().is_none() || deliver::is_handling() {
        return;
    }

    loaded::note_run();

    if !deliver::process(log()) {
        // `prepare_sleep` finds what a wake-up that is lost here was for.
        local::silence();
    }
}

/// After the messages, and what they have made the event loop do: senders wake up this
/// process from now on. Returns the milliseconds after which the event loop handles messages
/// all the same; -1 if there is no limit.
pub fn prepare_sleep() -> ngx_int_t {
    if shared::get().is_none() {
        return -1;
    }

    if deliver::is_handling() {
        return 0;
    }

    to_timer(catch_up::prepare_sleep().flatten())
}

/// Does both, for an event loop other than nginx's. It need not call this function twice.
pub fn process_foreign() -> ngx_int_t {
    if !deliver::is_handling() {
        local::silence();
    }

    process();
    prepare_sleep()
}

/// In the master, which a signal has interrupted while it waited: handles the
/// messages that have arrived, and gives back what an old binary has left. If more is
/// left than fits into a turn, or something has arrived meanwhile, the master is woken
/// up again after it has done its other work.
pub fn process_in_master(g: &Globals, log: Log) {
    // The socket can be that of another master, which needs what is in it.
    if !doorbell::is_made() || shared::has_left() {
        return;
    }

    orphans::look();
    orphans::look_again();

    let is_drained = doorbell::drain();

    deliver::process(log);

    let next = catch_up::prepare_sleep().flatten();

    IS_SET.store(next.is_some(), Relaxed);

    if g.terminate.load(Relaxed) != 0 {
        doorbell::mute();
        return;
    }

    doorbell::set_due_in(next);

    if !is_drained || next == Some(0) {
        doorbell::ring();
    }
}

/// Before a process exits: handles the messages that have arrived, unless its
/// replacement gets them.
pub fn finish() {
    if is_watched() {
        deliver::finish(log(), is_told_to_exit());
    }
}

/// Before the master exits: handles the messages that have arrived, and gives back
/// what it has in the memory.
pub fn leave() {
    region::finish(log());
    region::leave();
}

/// The process that was told to exit.
static TOLD: AtomicI32 = AtomicI32::new(0);

/// Whether this process gets no replacement. A single process never gets one.
fn is_told_to_exit() -> bool {
    if !has_member_as_master() {
        return is_single() || loaded::is_told_to_exit();
    }

    let (_, state) = stats::of(own_slot::get(&GLOBALS)).view();

    is_single() || TOLD.load(Relaxed) == GLOBALS.own_pid() || state == State::Exiting
}

/// The master tells this worker or helper to exit. A worker calls [`finish`] when it
/// exits. A helper exits in nginx's code as soon as its event loop returns, so it
/// handles its messages now.
pub fn told_to_exit() {
    TOLD.store(GLOBALS.own_pid(), Relaxed);

    if GLOBALS.process.load(Relaxed) == role::NGX_PROCESS_HELPER {
        finish();
    }
}

/// A configuration is complete, and the modules of the one before are not unloaded
/// yet: ends the requests of the master, and sets what the configuration says. The
/// sizes do not change once there is memory.
pub fn configure(wanted: Settings) {
    if shared::get().is_none() {
        settings::set(wanted);
        loaded::configured(log());
        return;
    }

    deliver::end_requests();

    if let Some(changes) = Changes::new(settings::get(), wanted) {
        log().error(
            Level::Warn,
            None,
            format_args!("the sizes of \"ipc_messages\" do not change before a restart: {changes}"),
        );
    }

    settings::set(Settings {
        spin: wanted.spin,
        ..settings::get()
    });
    loaded::configured(log());
}
