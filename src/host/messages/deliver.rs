//! Calls the functions of the program: for messages, and for other events.

use std::ffi::c_void;
use std::os::fd::{AsRawFd, IntoRawFd};
use std::ptr;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use super::label::Label;
use super::local::{self, Asked};
use super::types::{
    NGX_IPC_DIED, NGX_IPC_GAP_DAMAGED, NGX_IPC_GAP_DESCRIPTORS, NGX_IPC_GAP_HANDLED,
    NGX_IPC_GAP_NOT_FOR_US, NGX_IPC_REPLIED, NGX_IPC_TOO_LATE, ngx_ipc_gap_t, ngx_ipc_message_t,
    ngx_ipc_peer_t,
};
use super::variables::{ngx_parent, ngx_pid};
use super::watchers::{self, Told};
use super::{catch_up, descriptors, orphans, register, settings};
use crate::config::{AtomicPid, ngx_uint_t};
use crate::log::{Level, Log};
use crate::message::event::Message;
use crate::message::peers::Peer;
use crate::message::taken::{Cause, Gap};
use crate::messaging::address::Address;
use crate::messaging::exchange::Notice;
use crate::messaging::kind::WITH_DESCRIPTORS;
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
/// work. Does nothing if a handler of the program calls it.
pub fn process(log: Log) {
    let own = own_pid(&ngx_pid);

    if CALLING.swap(own, Relaxed) == own {
        return;
    }

    local::wake_up();

    if let Some((is_due, end)) =
        local::with(|own| (own.tidy_if_due(), own.now().saturating_add(TURN_TIME)))
    {
        if is_due {
            local::assert_pid();
            orphans::look_again();
        }

        handle_unasked();

        while handle_turn(log, end) && catch_up::begin() && handle_turn(log, end) {
            catch_up::end(handle_kept);
        }
    }

    CALLING.store(0, Relaxed);
}

/// Whether this process handles messages now.
pub fn is_handling() -> bool {
    CALLING.load(Relaxed) == own_pid(&ngx_pid)
}

/// Handles what has arrived until the time `end`, in nanoseconds. Then looks
/// again for a while, if the configuration says so and something has arrived.
/// Returns whether all messages were received.
fn handle_turn(log: Log, end: u64) -> bool {
    let spin = settings::get().spin;
    let mut left = TURN;
    let mut last = None;

    loop {
        if left.is_multiple_of(CLOCK) && now() >= end {
            return false;
        }

        if let Some(Some(notice)) = local::with(|own| own.next(&mut left)) {
            tell(log, notice);
            last = (spin > 0).then(now);
        } else if last.is_none_or(|last| now() >= last.saturating_add(spin)) || left == 0 {
            return left > 0;
        } else {
            // `next` has counted a message.
            left += 1;
            std::hint::spin_loop();
        }
    }
}

/// Handles the messages that were kept before this process has registered their
/// types.
fn handle_unasked() {
    while let Some(number) = register::take_unasked() {
        if let Some((kept, sender)) = local::with(|own| own.take_kept(number)).flatten() {
            handle_kept(number, kept, &sender);
        }
    }
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

fn now() -> u64 {
    local::with(|own| own.now()).unwrap_or(u64::MAX)
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

    let end = now().saturating_add(FINISH_TIME);

    while has_more() && now() < end {
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

fn tell(log: Log, notice: Notice<Asked>) {
    match notice {
        Notice::Message(message, sender) => handle(log, message, &peer(&sender)),
        Notice::Gap(gap, sender) => tell_gap(log, gap, &peer(&sender)),
        Notice::Room(sender) => watchers::tell(Told::Room, &peer(&sender)),
        Notice::Change(Change::Up(changed)) => watchers::tell(Told::Up, &peer(&changed)),
        Notice::Change(Change::Down(changed)) => watchers::tell(Told::Down, &peer(&changed)),
        Notice::Outcome(asked, outcome, reply) => tell_outcome(asked, outcome, reply),
    }
}

/// Makes C's structure of a process.
pub fn peer(peer: &Peer) -> ngx_ipc_peer_t {
    ngx_ipc_peer_t {
        to: Address::of_process(peer.slot, peer.incarnation),
        slot: peer.identity.place.map_or(-1, |place| place as isize),
        worker: peer.identity.worker.map_or(-1, |worker| worker as isize),
        generation: peer.identity.generation as usize,
        incarnation: peer.incarnation as usize,
        role: peer.identity.role as usize,
    }
}

/// Makes C's structure of a message.
fn message(message: &Message, ctx: *mut c_void, sender: &ngx_ipc_peer_t) -> ngx_ipc_message_t {
    let data = local::with(|own| own.payload(message)).flatten();

    ngx_ipc_message_t {
        ctx,
        data: data.map_or(ptr::null_mut(), |data| data.as_ptr().cast()),
        len: message.len as usize,
        sender,
        request: message.user as usize,
        fds: ptr::null_mut(),
        fds_n: 0,
    }
}

/// Takes the descriptors of a message. Returns an error if they are lost.
fn take_descriptors(found: &mut Message) -> Result<Option<Arrived>, ()> {
    if found.user & WITH_DESCRIPTORS == 0 {
        return Ok(None);
    }

    let label = Label {
        slot: found.sender,
        control: found.class.is_control(),
        number: found.user & !WITH_DESCRIPTORS,
    };

    found.user = 0;

    let arrived = local::with(|own| own.slot()).and_then(|own| descriptors::take(own, label));

    local::tell_waiters();
    arrived.map(Some).ok_or(())
}

fn handle(log: Log, mut found: Message, sender: &ngx_ipc_peer_t) {
    let Ok(arrived) = take_descriptors(&mut found) else {
        let why = "their descriptors are lost";

        local::with(|own| own.count_lost(&found));

        return report_gap(log, sender, (found.number, 1), NGX_IPC_GAP_DESCRIPTORS, why);
    };
    let registered = register::find(found.message_type);
    let handler = registered.and_then(|registered| registered.get().handler);

    let (Some(registered), Some(handler)) = (registered, handler) else {
        return drop_unknown(log, &found);
    };

    let mut m = message(&found, registered.get().ctx, sender);
    let mut arrived = arrived.unwrap_or_default();
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

/// Counts a message without a handler. Logs the first one.
fn drop_unknown(log: Log, message: &Message) {
    local::with(|own| own.count_unknown(message));

    if UNKNOWN.fetch_add(1, Relaxed) == 0 {
        log.error(
            Level::Warn,
            None,
            format_args!(
                "a message of the type number {} is dropped: this process has no handler for it",
                message.message_type
            ),
        );
    }
}

fn tell_outcome(asked: Asked, outcome: Outcome, reply: Option<(Message, Peer)>) {
    let Some(handler) = asked.handler else { return };
    let outcome = match outcome {
        Outcome::Answered => NGX_IPC_REPLIED,
        Outcome::TooLate => NGX_IPC_TOO_LATE,
        Outcome::Died => NGX_IPC_DIED,
    };

    let Some((found, sender)) = reply else {
        // SAFETY: the program has passed the function with its data.
        unsafe { handler(asked.data, outcome, ptr::null_mut()) };
        return;
    };
    let sender = peer(&sender);
    let mut m = ngx_ipc_message_t {
        request: 0,
        ..message(&found, ptr::null_mut(), &sender)
    };

    // SAFETY: the program has passed the function with its data. The structure
    // and the payload live until it returns.
    unsafe { handler(asked.data, outcome, &raw mut m) };
}

fn tell_gap(log: Log, gap: Gap, sender: &ngx_ipc_peer_t) {
    let (cause, why) = match gap.cause {
        Cause::Damaged => (NGX_IPC_GAP_DAMAGED, "they were overwritten"),
        Cause::ForAnother => (NGX_IPC_GAP_NOT_FOR_US, "they were for a dead process"),
        Cause::Handling => (
            NGX_IPC_GAP_HANDLED,
            "the previous process died while it handled them",
        ),
    };

    report_gap(log, sender, (gap.number, gap.count), cause, why);
}

fn report_gap(
    log: Log,
    sender: &ngx_ipc_peer_t,
    (first, count): (u32, u32),
    cause: ngx_uint_t,
    why: &str,
) {
    let told = watchers::tell_gap(&ngx_ipc_gap_t {
        sender,
        first: first as usize,
        count: count as usize,
        cause,
    });

    if !told {
        log.error(
            Level::Warn,
            None,
            format_args!("{count} messages from slot {} are lost: {why}", sender.slot),
        );
    }
}
