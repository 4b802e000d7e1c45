//! Kills processes that have not exited some time after `shutdown_timeout`, for example
//! because a handler of the program does not return.

use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::event::{Event, StaticEvent, ngx_event_t};
use super::types::flag;
use super::variables::ngx_current_msec;
use crate::config::{ngx_msec_t, ngx_pid_t};
use crate::host::globals::GLOBALS;
use crate::log::{Level, Log};
use crate::sys::{heap, process};
use crate::table::slot::Slot;
use crate::table::slots::{Flag, ngx_process_t};

/// The number of milliseconds after `shutdown_timeout` that a process has to exit.
const GRACE: ngx_msec_t = 2000;

/// The event whose timer expires when the next process is overdue. The timer only wakes
/// the master up.
static WAKE_UP: StaticEvent = StaticEvent::new();

unsafe extern "C" fn do_nothing(_event: *mut ngx_event_t) {}

/// A process that must have exited at a certain time.
struct Deadline {
    slot: Slot,
    pid: ngx_pid_t,
    /// The time, as in `ngx_current_msec`; `None` if the process has no time limit.
    msec: Option<ngx_msec_t>,
}

impl Deadline {
    fn is_of(&self, slot: Slot, entry: &ngx_process_t) -> bool {
        self.slot == slot && self.pid == entry.pid()
    }
}

/// The deadlines of the processes that the master has told to shut down.
pub struct Overdue {
    deadlines: Vec<Deadline>,
    timer: Event,
}

impl Overdue {
    /// Makes an empty list of deadlines.
    pub fn new() -> Self {
        let timer = WAKE_UP.init(Some(do_nothing), None);

        timer.set(flag::CANCELABLE);

        Self {
            deadlines: Vec::new(),
            timer,
        }
    }

    /// Adds the processes that the master has just told to shut down. `timeout` is their
    /// `shutdown_timeout`; with `None` they have no time limit. A process that is in the
    /// list already keeps its deadline. Without memory for a deadline, the function logs
    /// an alert, and the process has no time limit.
    pub fn add(&mut self, timeout: Option<ngx_msec_t>, log: Log) {
        let now = ngx_current_msec.load(Relaxed);
        let msec = timeout.map(|timeout| now.saturating_add(timeout).saturating_add(GRACE));

        for (slot, entry) in GLOBALS.table.iter().filter(|(_, entry)| is_exiting(entry)) {
            if !self.deadlines.iter().any(|known| known.is_of(slot, entry)) {
                let pid = entry.pid();

                if let Err(errno) = heap::push(&mut self.deadlines, Deadline { slot, pid, msec }) {
                    log_no_limit(log, pid, errno);
                }
            }
        }

        self.set_timer();
    }

    /// Sends SIGKILL to each process whose deadline has passed. The master calls this
    /// function after each wake-up.
    pub fn kill(&mut self, log: Log) {
        if self.deadlines.is_empty() {
            return;
        }

        let now = ngx_current_msec.load(Relaxed);

        self.deadlines.retain(|deadline| {
            let entry = GLOBALS.table.get(deadline.slot);
            let is_ours = || is_exiting(entry) && deadline.is_of(deadline.slot, entry);

            let is_due = deadline.msec.is_some_and(|msec| msec <= now);

            if is_ours() && is_due {
                kill(log, deadline.pid, is_ours);
            }

            is_ours() && !is_due
        });

        self.set_timer();
    }

    fn set_timer(&self) {
        let now = ngx_current_msec.load(Relaxed);
        let next = self
            .deadlines
            .iter()
            .filter_map(|deadline| deadline.msec)
            .min();

        if self.timer.has(flag::TIMER_SET) {
            self.timer.delete_timer();
        }

        if let Some(next) = next {
            self.timer.add_timer(next.saturating_sub(now));
        }
    }
}

fn log_no_limit(log: Log, pid: ngx_pid_t, errno: Errno) {
    log.error(
        Level::Alert,
        Some(errno),
        format_args!("process {pid} has no shutdown_timeout"),
    );
}

/// Whether the entry has a process that has been told to exit and has not exited.
fn is_exiting(entry: &ngx_process_t) -> bool {
    entry.occupied()
        && entry.is(Flag::Exiting)
        && !entry.is(Flag::Exited)
        && !entry.is(Flag::Detached)
}

fn kill(log: Log, pid: ngx_pid_t, is_ours: impl Fn() -> bool) {
    log.error(
        Level::Alert,
        None,
        format_args!("process {pid} is alive {GRACE} ms after shutdown_timeout, it gets SIGKILL"),
    );

    // The call fails if the process has just exited.
    let _ = process::kill_child(pid, libc::SIGKILL, is_ours);
}
