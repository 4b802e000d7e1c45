//! Calls the functions of the program: for messages, and for other events.

use std::ffi::c_void;
use std::os::fd::{AsRawFd, IntoRawFd};
use std::ptr;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use super::label::Label;
use super::local::{self, Asked};
use super::register::asking;
use super::types::{
    NGX_IPC_DIED, NGX_IPC_GAP_DESCRIPTORS, NGX_IPC_REPLIED, NGX_IPC_TOO_LATE,
    ngx_ipc_message_handler_pt, ngx_ipc_message_t, ngx_ipc_peer_t,
};
use super::variables::{ngx_parent, ngx_pid};
use super::watchers::{self, Told, peer};
use super::{catch_up, descriptors, leftover, lost, orphans, register, settings, shared};
use crate::config::AtomicPid;
use crate::log::{Level, Log};
use crate::message::event::Message;
use crate::message::peers::Peer;
use crate::messaging::exchange::Notice;
use crate::messaging::kind::WITH_DESCRIPTORS;
use crate::messaging::names::{self, Name};
use crate::messaging::presence::Change;
use crate::messaging::requests::Outcome;
use crate::messaging::retained::Kept;
use crate::sys::descriptors::Arrived;
use crate::sys::process;
use crate::table::globals::own_pid;

/// The number of messages that are handled before the event loop goes on.
const TURN: u32 = 256;
/// The time in nanoseconds after which the event loop goes on.
const TURN_TIME: u64 = 2_000_000;
/// The time in nanoseconds for which a process that exits handles messages.
const FINISH_TIME: u64 = 1_000_000_000;
/// The number of messages after which the clock is read again.
const CLOCK: u32 = 8;

/// The process in which a function of the program is being called. A function can
/// fork a child, which has a copy of this variable.
static CALLING: AtomicPid = AtomicPid::new(0);
/// The number of messages whose type this process has not registered.
static UNKNOWN: AtomicUsize = AtomicUsize::new(0);

/// Handles what has arrived, at most about `TURN` messages, and does the periodic
/// work. Does nothing if a handler of the program calls it. Returns whether a message or
/// another notice was handled, and no periodic work was due.
pub fn process(log: Log) -> bool {
    let own = own_pid(&ngx_pid);
    let (mut count, mut was_due) = (0, false);

    if CALLING.swap(own, Relaxed) == own {
        return false;
    }

    local::wake_up();

    if let Some((is_due, end)) =
        local::with(|own| (own.tidy_if_due(), own.now().saturating_add(TURN_TIME)))
    {
        was_due = is_due;

        if is_due {
            local::assert_pid();
            orphans::look_again();
        }

        handle_unasked();

        let mut turn = || handle_turn(log, end, &mut count);

        while turn() && catch_up::begin() && turn() {
            catch_up::end(handle_kept);
        }

        leftover::report(log, end);
    }

    CALLING.store(0, Relaxed);

    count > 0 && !was_due
}

/// Whether this process handles messages now.
pub fn is_handling() -> bool {
    CALLING.load(Relaxed) == own_pid(&ngx_pid)
}

/// Handles what has arrived until the time `end`, in nanoseconds. Then looks
/// again for a while, if the configuration says so and something has arrived.
/// Adds to `count` what was handled. Returns whether all messages were received.
fn handle_turn(log: Log, end: u64, count: &mut usize) -> bool {
    let spin = settings::get().spin;
    let mut left = TURN;
    let mut last = None;

    loop {
        if left.is_multiple_of(CLOCK) && local::now() >= end {
            local::with(local::Own::end_turn);
            return false;
        }

        if let Some(found) = local::with(|own| next(own, &mut left)).flatten() {
            tell(log, found);
            *count += 1;
            last = (spin > 0).then(local::now);
        } else if last.is_none_or(|last| local::now() >= last.saturating_add(spin)) || left == 0 {
            return left > 0;
        } else {
            // `next` has counted a message.
            left += 1;
            std::hint::spin_loop();
        }
    }
}

/// What has arrived.
struct Found {
    notice: Notice<Asked>,
    /// The address of the payload, if a message has arrived.
    data: *mut c_void,
}

/// The next notice of this process.
#[inline]
fn next(own: &mut local::Own, left: &mut u32) -> Option<Found> {
    let notice = own.next(left)?;
    let data = match &notice {
        Notice::Message(message, _) | Notice::Outcome(_, _, Some((message, _))) => {
            own.payload(message)
        }
        _ => None,
    };

    Some(Found {
        data: data.map_or(ptr::null_mut(), |data| data.as_ptr().cast()),
        notice,
    })
}

/// Handles the messages that were kept before this process has registered their
/// types.
fn handle_unasked() {
    asking::ask_for_kept(|number| {
        let found = local::with(|own| own.take_kept(number)).transpose()?;

        if let Some((kept, sender)) = found.flatten() {
            handle_kept(number, kept, &sender);
        }

        Ok(())
    });
}

/// Handles a message that was kept.
fn handle_kept(number: u16, mut kept: Kept, sender: &Peer) {
    let Some(registered) = register::find(number) else {
        return;
    };

    if let Some(handler) = registered.get().handler {
        let sender = peer(sender);
        let mut m = ngx_ipc_message_t {
            ctx: registered.get().ctx,
            data: kept.payload.as_mut_ptr().cast(),
            len: kept.payload.len(),
            sender: &raw const sender,
            request: 0,
            fds: ptr::null_mut(),
            fds_n: 0,
        };

        // SAFETY: the program has registered the handler for messages, and the
        // structure and the payload live until it returns.
        unsafe { handler(&raw mut m) };
    }
}

/// Ends all requests of this process with the outcome "too late", because the module
/// that has sent them can be unloaded soon.
#[cfg(not(feature = "standalone"))]
pub fn end_requests() {
    for asked in local::with(local::Own::end_requests).into_iter().flatten() {
        tell_outcome(asked, Outcome::TooLate, None);
    }
}

/// Before this process exits: handles what has been sent to it, unless a replacement
/// gets what is left: `is_told` says whether this process was told to exit. Others
/// cannot send to it any more. Gives up after a while.
pub fn finish(log: Log, is_told: bool) {
    if is_replaced(is_told) {
        return;
    }

    local::with(|own| own.leave());

    let end = local::now().saturating_add(FINISH_TIME);

    while has_more() && local::now() < end {
        process(log);
    }
}

/// Whether the master starts a replacement for this process, which exits. It does
/// not if it has told the process to exit, or if it is dead itself.
fn is_replaced(is_told: bool) -> bool {
    !is_told && process::getppid() == ngx_parent.load(Relaxed)
}

/// Whether something has arrived.
fn has_more() -> bool {
    let is_asleep = matches!(catch_up::prepare_sleep(), None | Some(None | Some(1..)));

    local::wake_up();

    !is_asleep
}

fn tell(log: Log, Found { notice, data }: Found) {
    match notice {
        Notice::Message(message, sender) => handle(log, &message, data, &peer(&sender)),
        Notice::Gap(gap, sender) => lost::tell(log, gap, &peer(&sender)),
        Notice::Room(sender) => watchers::tell(Told::Room, &peer(&sender)),
        Notice::Change(Change::Up(changed)) => watchers::tell(Told::Up, &peer(&changed)),
        Notice::Change(Change::Down(changed)) => watchers::tell(Told::Down, &peer(&changed)),
        Notice::Outcome(asked, outcome, reply) => {
            let reply = reply
                .as_ref()
                .map(|(message, sender)| (message, data, sender));

            tell_outcome(asked, outcome, reply);
        }
    }
}

/// Takes the descriptors of a message. Returns `None` if they are lost.
fn take_descriptors(found: &Message) -> Option<Arrived> {
    let label = Label {
        slot: found.sender,
        control: found.class.is_control(),
        number: found.user & !WITH_DESCRIPTORS,
    };

    let arrived = local::with(|own| own.slot()).and_then(|own| descriptors::take(own, label));

    local::tell_waiters();
    arrived
}

/// Handles a message whose payload is at `data`.
#[inline]
fn handle(log: Log, found: &Message, data: *mut c_void, sender: &ngx_ipc_peer_t) {
    let has_descriptors = found.user & WITH_DESCRIPTORS != 0;
    let registered = register::find(found.message_type);
    let handler = registered.and_then(|registered| registered.get().handler);
    let mut m = ngx_ipc_message_t {
        ctx: registered.map_or(ptr::null_mut(), |registered| registered.get().ctx),
        data,
        len: found.len as usize,
        sender,
        request: if has_descriptors {
            0
        } else {
            found.user as usize
        },
        fds: ptr::null_mut(),
        fds_n: 0,
    };

    match handler {
        _ if has_descriptors => handle_with_descriptors(log, (found, sender), m, handler),
        // SAFETY: the program has registered the handler for messages. The structure
        // and the payload live until it returns.
        Some(handler) => unsafe { handler(&raw mut m) },
        None => drop_unknown(log, found),
    }
}

/// Counts a message without a handler. Logs the first one.
#[cold]
fn drop_unknown(log: Log, found: &Message) {
    local::with(|own| own.count_unknown(found));

    if UNKNOWN.fetch_add(1, Relaxed) == 0 {
        let number = found.message_type;
        let name = shared::get().and_then(|region| names::name(&region.board, number));

        log.error(
            Level::Warn,
            None,
            format_args!(
                "a message of the type \"{}\", number {number}, is dropped: this process has no \
                 handler for it",
                name.as_ref().map_or(&b""[..], Name::bytes).escape_ascii()
            ),
        );
    }
}

/// Handles a message that has come with descriptors. `m` has all but these.
#[cold]
fn handle_with_descriptors(
    log: Log,
    (found, sender): (&Message, &ngx_ipc_peer_t),
    mut m: ngx_ipc_message_t,
    handler: ngx_ipc_message_handler_pt,
) {
    let Some(mut arrived) = take_descriptors(found) else {
        let why = "their descriptors are lost";

        local::with(|own| own.count_lost(found));

        return lost::report(log, sender, (found.number, 1), NGX_IPC_GAP_DESCRIPTORS, why);
    };
    let Some(handler) = handler else {
        return drop_unknown(log, found);
    };
    let mut fds = arrived
        .each_ref()
        .map(|fd| fd.as_ref().map_or(-1, AsRawFd::as_raw_fd));

    m.fds_n = arrived.iter().flatten().count();

    if m.fds_n > 0 {
        m.fds = fds.as_mut_ptr();
    }

    // SAFETY: the program has registered the handler for messages. The
    // structure, the payload and the descriptors live until it returns.
    unsafe { handler(&raw mut m) };

    for (fd, kept) in arrived.iter_mut().zip(fds) {
        if kept == -1 {
            // The handler owns the descriptor now.
            let _ = fd.take().map(IntoRawFd::into_raw_fd);
        }
    }
}

fn tell_outcome(asked: Asked, outcome: Outcome, reply: Option<(&Message, *mut c_void, &Peer)>) {
    let Some(handler) = asked.handler else { return };
    let outcome = match outcome {
        Outcome::Answered => NGX_IPC_REPLIED,
        Outcome::TooLate => NGX_IPC_TOO_LATE,
        Outcome::Died => NGX_IPC_DIED,
    };

    let Some((found, data, sender)) = reply else {
        // SAFETY: the program has passed the function with its data.
        unsafe { handler(asked.data, outcome, ptr::null_mut()) };
        return;
    };
    let sender = peer(sender);
    let mut m = ngx_ipc_message_t {
        ctx: ptr::null_mut(),
        data,
        len: found.len as usize,
        sender: &raw const sender,
        request: 0,
        fds: ptr::null_mut(),
        fds_n: 0,
    };

    // SAFETY: the program has passed the function with its data. The structure
    // and the payload live until it returns.
    unsafe { handler(asked.data, outcome, &raw mut m) };
}
