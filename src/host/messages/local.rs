//! The exchange of this process: it sends and receives messages.

use std::ffi::c_void;
use std::os::fd::RawFd;
use std::ptr::NonNull;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::shared::{self, Region};
use super::types::{ngx_ipc_message_watch_t, ngx_ipc_reply_pt};
use super::variables::{has_member_as_master, ngx_pid};
use super::{descriptors, register, settings, watchers};
use crate::config::ngx_pid_t;
use crate::message::endpoint::Endpoint;
use crate::message::mapped::Mapped;
use crate::message::peers;
use crate::messaging::exchange::Exchange;
use crate::sys::lock::Lock;
use crate::sys::process;
use crate::table::globals::own_pid;

/// The function of the program that is told the outcome of a request.
#[derive(Clone, Copy)]
pub struct Asked {
    /// The function.
    pub handler: ngx_ipc_reply_pt,
    /// Its first argument.
    pub data: *mut c_void,
}

// SAFETY: the static below needs a `Send` type. The program has one thread,
// which alone uses the pointer, to pass it to the function.
unsafe impl Send for Asked {}

/// The exchange of a process.
pub type Own = Exchange<&'static Mapped, Asked>;

struct Local {
    /// The pid of the process. A forked child has a copy of its parent's.
    owner: ngx_pid_t,
    exchange: Own,
    is_asleep: bool,
}

static LOCAL: Lock<Option<Local>> = Lock::new(None);
/// Whether [`at_exit`] is called when this process exits. Children inherit both.
static HAS_EXIT_HANDLER: AtomicBool = AtomicBool::new(false);

/// Calls `use_it` with the exchange of this process, which is made if there is
/// none. Returns `None` if this process has no messages.
///
/// `use_it` must not call a function of the program, which could send a message.
pub fn with<T>(use_it: impl FnOnce(&mut Own) -> T) -> Option<T> {
    with_local(|local| use_it(&mut local.exchange))
}

fn with_local<T>(use_it: impl FnOnce(&mut Local) -> T) -> Option<T> {
    let mut guard = LOCAL.lock();
    let owner = own_pid(&ngx_pid);

    if guard.as_ref().is_none_or(|local| local.owner != owner) {
        begin(&mut guard, owner)?;
    }

    guard.as_mut().map(use_it)
}

/// Makes the exchange of this process. Returns `None` if it has no messages.
#[cold]
fn begin(local: &mut Option<Local>, owner: ngx_pid_t) -> Option<()> {
    let region = shared::get()?;

    descriptors::forget();
    *local = Some(Local {
        owner,
        exchange: attach(&region)?,
        is_asleep: false,
    });

    Some(())
}

fn attach(region: &Region) -> Option<Own> {
    let own = region.own()?;

    if !enter(region, &own) {
        return None;
    }

    let endpoint = Endpoint::begin(region.member(&own)).ok()?;
    let mut exchange = Exchange::new(endpoint, region.board)?;

    exchange
        .endpoint()
        .set_max_payload(settings::get().largest());

    if watchers::want_changes() {
        exchange.watch();
    }

    if wants_to_catch_up() {
        exchange.follow();
    }

    if !has_member_as_master() {
        exchange.look_at_vacant();
    }

    if !HAS_EXIT_HANDLER.load(Relaxed) {
        HAS_EXIT_HANDLER.store(process::at_exit(at_exit).is_ok(), Relaxed);
    }

    Some(exchange)
}

/// Stores the numbers of a process that exits in the shared memory, because no other
/// process may continue them. An exit handler, because modules can send until then, and
/// nginx's helpers exit without a hook.
extern "C" fn at_exit() {
    // A program can call exit() in a signal handler, while the lock is held.
    let Some(mut guard) = LOCAL.try_lock() else {
        return;
    };

    // A child that the program has forked itself has a copy of `ngx_pid` too.
    if let Some(local) = guard.as_mut()
        && local.owner == process::getpid()
    {
        local.exchange.endpoint().publish();
    }
}

/// Whether this process uses its exchange at this moment, and a signal handler has
/// interrupted it.
#[cfg(not(feature = "standalone"))]
pub fn is_in_use() -> bool {
    LOCAL.try_lock().is_none()
}

/// The process that has made the exchange continues in a child, with another pid.
#[cfg(feature = "standalone")]
pub fn moved(pid: ngx_pid_t) {
    if let Some(local) = LOCAL.lock().as_mut() {
        local.owner = pid;
    }
}

/// Before the master gives back its own slot: stores its numbers, because another
/// process continues them then. Others cannot send to this process any more.
pub fn prepare_to_leave() {
    with(|own| {
        own.leave();
        own.endpoint().publish();
    });
}

/// The master has given back its own slot, which another process can have now: [`with`]
/// returns `None` from now on.
pub fn leave() {
    shared::leave();
    *LOCAL.lock() = None;
    descriptors::forget();
}

/// Records that this process runs in its slot. Returns false if another master has taken
/// the slot away. That is possible only if the master of this process is dead: if it runs, a
/// slot that looks taken was overwritten.
fn enter(region: &Region, own: &shared::Own) -> bool {
    let (memory, layout) = (&region.memory, &region.layout);
    let pid = own_pid(&ngx_pid);

    if peers::enter(memory, layout, own.slot, own.lineage.incarnation, pid) {
        return true;
    }

    if !region.is_mine() && process::getppid() != region.master_pid {
        return false;
    }

    peers::set_pid(memory, layout, own.slot, pid);

    true
}

/// Whether this process has something to do when another one has died, see
/// `catch_up`.
fn wants_to_catch_up() -> bool {
    descriptors::is_on() || register::has_kept_types()
}

/// Wakes up this process from now on when another one has died, if it has something
/// to do then.
pub fn follow_if_needed() {
    if wants_to_catch_up() {
        with(|own| own.follow());
    }
}

/// Tells the processes that wait for room for descriptors.
pub fn tell_waiters() {
    with(|own| own.endpoint().member().tell_waiters());
}

/// Whether this process has a slot. If it has one, [`with`] returns `None` only if
/// there is no memory.
pub fn has_slot() -> bool {
    shared::get().is_some_and(|region| region.own().is_some())
}

/// The descriptor that wakes up this process; `None` if it has no messages.
pub fn descriptor() -> Option<RawFd> {
    let slot = with(|own| own.slot())?;

    shared::get()?.memory.descriptor(slot)
}

/// Prepares to sleep. Returns how many milliseconds the caller may wait: 0 if
/// there is something to do now. The outer `None` means that this process has no
/// messages, the inner one that there is no limit.
pub fn prepare_sleep() -> Option<Option<u64>> {
    with_local(|local| {
        local.is_asleep = local.exchange.prepare_sleep();

        if local.is_asleep {
            local.exchange.next_deadline()
        } else {
            Some(0)
        }
    })
}

/// Milliseconds until the first request is too late or periodic work is due;
/// `None` if nothing is due.
#[cfg(not(feature = "standalone"))]
pub fn next_deadline() -> Option<u64> {
    with(|own| own.next_deadline()).flatten()
}

/// Ends a sleep.
pub fn wake_up() {
    with_local(|local| {
        if std::mem::replace(&mut local.is_asleep, false) {
            local.exchange.wake_up();
        }
    });
}

/// Makes the wake-up descriptor of this process unreadable.
pub fn silence() {
    if let (Some(slot), Some(region)) = (with(|own| own.slot()), shared::get()) {
        region.memory.silence(slot);
    }
}

/// Writes the pid of this process into its slot again, because another process can
/// have changed it.
pub fn assert_pid() {
    if let (Some(slot), Some(region)) = (with(|own| own.slot()), shared::get()) {
        peers::set_pid(&region.memory, &region.layout, slot, own_pid(&ngx_pid));
    }
}

/// The time in nanoseconds of a clock that is never set back.
pub fn now() -> u64 {
    with(|own| own.now()).unwrap_or(u64::MAX)
}

/// Makes periodic work due soon, see [`deliver`](super::deliver).
pub fn look_later() {
    with(|own| own.tick_soon());
}

/// In the master: tells the others that a process is dead.
pub fn announce_change() {
    with(|own| own.announce_change());
}

/// Adds functions of the program, see [`watchers::add`].
///
/// # Safety
///
/// The requirements of [`watchers::add`].
pub unsafe fn add_watch(watch: NonNull<ngx_ipc_message_watch_t>, size: usize) -> Result<(), Errno> {
    // SAFETY: the caller passes a structure as `add` requires it.
    let added = unsafe { watchers::add(watch, size) };

    if watchers::want_changes() {
        with(|own| own.watch());
    }

    added
}
