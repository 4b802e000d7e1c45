//! Sends messages with descriptors.
//!
//! The record is reserved before the datagram with the descriptors is sent, so that
//! it cannot be refused afterwards. If this process is killed before it commits the
//! record, the receiver closes the descriptors of the datagram, see `catch_up`.

use std::os::fd::RawFd;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::descriptors;
use super::label::Label;
use super::local::Own;
use crate::message::letter::{Refused, Target};
use crate::message::memory::Memory;
use crate::messaging::kind::{Kind, WITH_DESCRIPTORS};
use crate::sys::descriptors::MAX;

/// The number of messages with descriptors that this process has sent.
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Descriptors of which copies are sent.
#[derive(Clone, Copy)]
pub struct Attached<'a>(&'a [RawFd]);

impl<'a> Attached<'a> {
    /// Returns `None` if no descriptors can come with messages of a kind, or if they
    /// are too few or too many.
    pub fn new(kind: Kind, fds: &'a [RawFd]) -> Option<Self> {
        (kind.descriptors && (1..=MAX).contains(&fds.len())).then_some(Self(fds))
    }

    /// Sends a message with the descriptors. If a system call fails for another
    /// reason than lack of room, its errno is in `failed`.
    pub fn send(
        self,
        own: &mut Own,
        kind: Kind,
        target: Target,
        payload: &[u8],
        failed: &mut Option<Errno>,
    ) -> Result<(), Refused> {
        let mut reservation = own.reserve_at(target, kind, payload.len())?;
        let member = own.endpoint().member();
        let label = Label::new(
            member.slot,
            kind.control,
            member.incarnation,
            NUMBER.fetch_add(1, Relaxed),
        );

        member.memory.write(reservation.payload(), payload);
        reservation.envelope.user = label.number | WITH_DESCRIPTORS;

        match self.send_datagram(own, target.slot, label) {
            Ok(()) => own.commit(reservation, payload.len() as u32),
            Err(err) => {
                own.endpoint().cancel(reservation);

                if is_full(err) {
                    return Err(Refused::Again);
                }

                *failed = Some(err);
                Err(Refused::NoMemory)
            }
        }
    }

    /// Sends the datagram. If the socket of the receiver is full, makes the receiver
    /// tell this process when there is room. Then sends once more, because the receiver
    /// may have read a datagram in between.
    fn send_datagram(self, own: &mut Own, slot: u32, label: Label) -> Result<(), Errno> {
        match descriptors::send(slot, label, self.0) {
            Err(err) if is_full(err) => {
                own.endpoint().await_room(slot);
                descriptors::send(slot, label, self.0)
            }
            result => result,
        }
    }
}

/// Whether there is no room for a datagram. ETOOMANYREFS of `unix(7)`: too many
/// descriptors of this user are on the way.
fn is_full(err: Errno) -> bool {
    matches!(err, Errno::EAGAIN | Errno::ETOOMANYREFS)
}
