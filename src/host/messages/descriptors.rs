//! Descriptors that come with messages.
//!
//! A lane cannot carry descriptors. So they are sent as a datagram to a socket of
//! the receiver, just before the record is committed, and the record has a number
//! by which the receiver finds the datagram. The sockets are made before the first
//! fork, two for each slot, and only if a type has
//! NGX_IPC_MESSAGE_DESCRIPTORS.
//!
//! A datagram can have no record: its sender was killed before it committed one, or
//! the record was for another process only. The receiver closes the descriptors of
//! such a datagram when it takes a later one of the same lane. It also does so when
//! it has received all messages after a process has died, in three steps:
//!
//! 1. [`collect`] reads all datagrams.
//! 2. The process receives all messages, and takes the datagrams that have records.
//! 3. [`drop_stale`] closes the collected ones that are left, other than the last one
//!    of each lane whose sender was alive: it may be about to commit the record.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::OnceLock;

use nix::errno::Errno;

use super::label::Label;
use super::program;
use super::shared::{self, Region};
use crate::log::{Level, Log};
use crate::status;
use crate::sys::descriptors::{self, Arrived, Received};
use crate::sys::lock::Lock;
use crate::sys::{heap, socket};

/// The sockets of a slot: the one that its process reads, and the one that all
/// others write to.
struct Inbox {
    read: OwnedFd,
    write: OwnedFd,
}

static INBOXES: OnceLock<Vec<Inbox>> = OnceLock::new();

/// What [`collect`] has found out about the sender of a datagram.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sender {
    /// The datagram was not there yet.
    Unknown,
    /// The sender was dead.
    Dead,
    /// The sender was not dead.
    Alive,
}

/// A datagram that was received, and whose record was not.
struct Stashed {
    label: Label,
    fds: Arrived,
    sender: Sender,
}

/// The largest number of datagrams in [`STASH`]. A socket can hold fewer.
const LARGEST_STASH: usize = 1024;

static STASH: Lock<Vec<Stashed>> = Lock::new(Vec::new());

/// Makes the sockets of `slots` slots.
pub fn prepare(slots: usize) -> Result<(), Errno> {
    let mut inboxes = Vec::new();

    for _ in 0..slots {
        let [read, write] = socket::socketpair()?;

        heap::push(&mut inboxes, Inbox { read, write })?;
    }

    let _ = INBOXES.set(inboxes);

    Ok(())
}

/// A type with descriptors is registered. Makes the sockets, if the master has made the
/// memory for its first message, because another module has sent before, and has started
/// no process yet.
///
/// Returns an error, with an alert in the log, if they cannot be made.
pub fn add_sockets(log: Log) -> status::Result {
    let Some(region) = shared::get().filter(Region::is_mine) else {
        return Ok(());
    };

    if is_on() || shared::has_started() || !program::takes_sockets() {
        return Ok(());
    }

    prepare(region.layout.sizes.slots as usize).map_err(|err| {
        log.fail(
            Level::Alert,
            err,
            format_args!("no sockets for descriptors"),
        )
    })
}

/// Whether messages of this program can have descriptors.
pub fn is_on() -> bool {
    INBOXES.get().is_some()
}

/// Takes over the sockets of another program, two for each slot. Fails with
/// `ENOMEM`.
pub fn inherit(sockets: Vec<OwnedFd>) -> Result<(), Errno> {
    let mut inboxes = Vec::new();
    let mut sockets = sockets.into_iter();

    while let (Some(read), Some(write)) = (sockets.next(), sockets.next()) {
        heap::push(&mut inboxes, Inbox { read, write })?;
    }

    let _ = INBOXES.set(inboxes);

    Ok(())
}

/// All sockets, those of each slot together.
pub fn all() -> impl Iterator<Item = RawFd> {
    let inboxes = INBOXES.get().into_iter().flatten();

    inboxes.flat_map(|inbox| [inbox.read.as_raw_fd(), inbox.write.as_raw_fd()])
}

fn inbox(slot: u32) -> Option<&'static Inbox> {
    INBOXES.get()?.get(slot as usize)
}

/// Sends descriptors to the process of a slot. Fails with `ENOTSUP` if the program
/// had no type with descriptors when its master has made the shared memory.
pub fn send(slot: u32, label: Label, fds: &[RawFd]) -> Result<(), Errno> {
    let inbox = inbox(slot).ok_or(Errno::ENOTSUP)?;

    descriptors::send(inbox.write.as_raw_fd(), &label.bytes(fds.len()), fds)
}

/// Takes the descriptors of a record out of the datagrams of the slot `own`.
/// Returns `None` if they are lost.
pub fn take(own: u32, label: Label) -> Option<Arrived> {
    let inbox = inbox(own)?;
    let mut stash = STASH.lock();

    let index = loop {
        if let Some(index) = stash.iter().position(|stashed| stashed.label == label) {
            break index;
        }

        receive(inbox, &mut stash)?;
    };
    let found = stash.remove(index);
    let mut before = index;

    // The records of a lane come in the order of its datagrams, so those before this
    // one have no record.
    stash.retain(|stashed| {
        let is_before = before > 0;

        before = before.saturating_sub(1);
        !(is_before && stashed.label.is_of_lane_of(label))
    });

    Some(found.fds)
}

/// Receives one datagram. Returns `None` if there is none, or if there is no memory.
fn receive(inbox: &Inbox, stash: &mut Vec<Stashed>) -> Option<()> {
    let mut bytes = [0; Label::SIZE];
    let Received { len, fds, is_cut } =
        descriptors::receive(inbox.read.as_raw_fd(), &mut bytes).ok()?;

    // The kernel drops descriptors for which this process has no number left. The
    // message is then reported as lost.
    if len != bytes.len() || is_cut {
        return Some(());
    }

    let (label, count) = Label::from_bytes(bytes);

    if fds.iter().flatten().count() != count {
        return Some(());
    }

    if stash.len() >= LARGEST_STASH {
        stash.remove(0);
    }

    let stashed = Stashed {
        label,
        fds,
        sender: Sender::Unknown,
    };

    heap::push(stash, stashed).ok()
}

/// Reads all datagrams of the slot `own`. `is_alive` says whether a sender is not
/// dead. Returns whether there are some.
pub fn collect(own: u32, is_alive: impl Fn(Label) -> bool) -> bool {
    let Some(inbox) = inbox(own) else {
        return false;
    };
    let mut stash = STASH.lock();

    while receive(inbox, &mut stash).is_some() {}

    for stashed in stash.iter_mut() {
        stashed.sender = if is_alive(stashed.label) {
            Sender::Alive
        } else {
            Sender::Dead
        };
    }

    !stash.is_empty()
}

/// Closes the collected descriptors whose records have not come, although all
/// messages were received.
pub fn drop_stale() {
    let mut stash = STASH.lock();

    for at in (0..stash.len()).rev() {
        let is_stale = stash
            .get(at..)
            .and_then(<[Stashed]>::split_first)
            .is_some_and(|(stashed, later)| match stashed.sender {
                Sender::Unknown => false,
                Sender::Dead => true,
                Sender::Alive => later.iter().any(|later| {
                    later.sender == Sender::Alive && later.label.is_of_lane_of(stashed.label)
                }),
            });

        if is_stale {
            stash.remove(at);
        }
    }
}

/// In a forked child: closes the descriptors of its parent's messages.
pub fn forget() {
    STASH.lock().clear();
}
