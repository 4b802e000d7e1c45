//! Descriptors that come with messages.
//!
//! A lane cannot carry descriptors. So they are sent as a datagram to a socket of
//! the receiver, just before the record is committed, and the record has a number
//! by which the receiver finds the datagram. The sockets are made before the first
//! fork, two for each slot, and only if a type has
//! NGX_IPC_MESSAGE_DESCRIPTORS. A datagram without a record, because its sender was
//! killed, is closed when a later one of the same process is taken, or after two
//! rounds of periodic work.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::OnceLock;

use nix::errno::Errno;

use crate::sys::descriptors::{self, Arrived};
use crate::sys::lock::Lock;
use crate::sys::{heap, socket};

/// The sockets of a slot: the one that its process reads, and the one that all
/// others write to.
struct Inbox {
    read: OwnedFd,
    write: OwnedFd,
}

static INBOXES: OnceLock<Vec<Inbox>> = OnceLock::new();

/// A datagram that was received, and whose record was not.
struct Stashed {
    label: Label,
    fds: Arrived,
    /// The number of rounds of periodic work since it was received.
    rounds: u32,
}

/// The largest number of datagrams that are kept.
const LARGEST_STASH: usize = 256;

static STASH: Lock<Vec<Stashed>> = Lock::new(Vec::new());

/// What a datagram says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// The slot of the sender.
    pub slot: u32,
    /// The number in the record. It differs from those of earlier processes of the
    /// slot.
    pub number: u32,
}

impl Label {
    fn bytes(self) -> [u8; 8] {
        let mut bytes = [0; 8];
        let parts = [self.slot, self.number];

        for (to, part) in bytes.chunks_exact_mut(4).zip(parts) {
            to.copy_from_slice(&part.to_ne_bytes());
        }

        bytes
    }

    fn from_bytes(bytes: [u8; 8]) -> Self {
        let part = |from: usize| {
            let bytes = bytes
                .get(from..from + 4)
                .and_then(|part| part.try_into().ok());

            bytes.map_or(0, u32::from_ne_bytes)
        };

        Self {
            slot: part(0),
            number: part(4),
        }
    }
}

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

fn inbox(slot: u32) -> Option<&'static Inbox> {
    INBOXES.get()?.get(slot as usize)
}

/// Sends descriptors to the process of a slot. Fails with `ENOTSUP` if the program
/// has no type with descriptors.
pub fn send(slot: u32, label: Label, fds: &[RawFd]) -> Result<(), Errno> {
    let inbox = inbox(slot).ok_or(Errno::ENOTSUP)?;

    descriptors::send(inbox.write.as_raw_fd(), &label.bytes(), fds)
}

/// Takes the descriptors of a record out of the datagrams of the slot `own`.
/// Returns `None` if they are lost.
pub fn take(own: u32, label: Label) -> Option<Arrived> {
    let inbox = inbox(own)?;

    loop {
        let mut stash = STASH.lock();

        if let Some(index) = stash.iter().position(|stashed| stashed.label == label) {
            let found = stash.remove(index);
            let mut before = index;

            // The records of a sender come in the order of its datagrams, so those
            // before this one have no record.
            stash.retain(|stashed| {
                let is_before = before > 0;

                before = before.saturating_sub(1);
                !(is_before && stashed.label.slot == label.slot)
            });

            return Some(found.fds);
        }

        let mut bytes = [0; 8];
        let (len, fds) = descriptors::receive(inbox.read.as_raw_fd(), &mut bytes).ok()?;

        if len == bytes.len() {
            let label = Label::from_bytes(bytes);

            if stash.len() >= LARGEST_STASH {
                stash.remove(0);
            }

            let stashed = Stashed {
                label,
                fds,
                rounds: 0,
            };

            heap::push(&mut stash, stashed).ok()?;
        }
    }
}

/// In a forked child: closes the descriptors of its parent's messages.
pub fn forget() {
    STASH.lock().clear();
}

/// Closes the descriptors whose records have not come.
pub fn tidy() {
    STASH.lock().retain_mut(|stashed| {
        stashed.rounds += 1;
        stashed.rounds <= 2
    });
}
