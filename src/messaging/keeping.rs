//! Messages that are kept for processes that start later: how one process keeps a
//! message, and how it gets one.
//!
//! A process gets such a message in a record, like all others. It also looks into
//! the board: when it registers the type, and whenever it has received all messages.
//! So it also gets the message if the sender was killed before it sent the record, or
//! if there was no room for the record.
//!
//! A message from the board must not overtake older messages of the sender. The process
//! sees the version in the board, then receives until nothing is left, and only then
//! takes the message. What the sender has sent before it kept this version is
//! received by then.

use super::address::Set;
use super::exchange::Exchange;
use super::kind::Kind;
use super::retained::{self, Audience, GaveUp, Kept};
use crate::message::letter::Refused;
use crate::message::memory::Memory;
use crate::message::peers::Peer;

impl<M: Memory + Clone, T> Exchange<M, T> {
    /// Keeps a message for processes that come later. Returns its version.
    pub(super) fn keep(&self, set: Set, kind: Kind, payload: &[u8]) -> Result<u32, Refused> {
        let endpoint = &self.endpoint;
        let own = (endpoint.member().slot, endpoint.member().incarnation);
        let audience = Audience {
            set,
            generation: self.generation,
            master: self.master,
        };

        endpoint.check_len(payload.len())?;

        if payload.len() > retained::LARGEST {
            return Err(Refused::TooLarge);
        }

        retained::keep(&self.board, kind.number, own, (payload, audience), |slot| {
            endpoint.peer(slot)
        })
        .ok_or(Refused::Again)
    }

    /// Whether a message of a type is kept that is newer than what this process has
    /// handled.
    pub fn has_kept(&self, number: u16) -> bool {
        let version = retained::version(&self.board, number);

        self.versions.is_newer(number, version)
    }

    /// Looks whether a message of a type is kept that is newer than what this process
    /// has handled. If one is, the caller receives all messages, and then calls
    /// [`Exchange::take_seen`].
    pub fn see_kept(&mut self, number: u16) -> bool {
        let version = retained::version(&self.board, number);
        let is_newer = self.versions.is_newer(number, version);

        self.versions
            .see(number, if is_newer { version } else { 0 });

        is_newer
    }

    /// The message that [`Exchange::see_kept`] has found, with its sender, unless
    /// this process has got it in a record, or a newer one was kept. If it cannot be
    /// read now, [`Exchange::see_kept`] finds it again.
    pub fn take_seen(&mut self, number: u16) -> Option<(Kept, Peer)> {
        let seen = self.versions.seen(number);

        if !self.versions.is_newer(number, seen) {
            return None;
        }

        self.take_kept_if(number, Some(seen), |this, kept| {
            this.has_this_process(kept.audience)
        })
        .ok()?
    }

    /// The message of a type that was kept before this process has registered the
    /// type, with its sender. If this fails, the caller tries again in the next turn:
    /// [`Exchange::take_seen`] does not take a message of another binary.
    pub fn take_kept(&mut self, number: u16) -> Result<Option<(Kept, Peer)>, GaveUp> {
        self.take_kept_if(number, None, |this, kept| {
            // A process of another binary has registered the type later, so its
            // generation does not matter.
            !this.is_of(kept.audience.master) && this.has_role(kept.audience.set)
                || this.has_this_process(kept.audience)
        })
    }

    /// Takes the message that is kept if it is new and `is_for_this` says so.
    /// Otherwise it is not looked at again, unless its version is not `seen`.
    fn take_kept_if(
        &mut self,
        number: u16,
        seen: Option<u32>,
        is_for_this: impl Fn(&Self, &Kept) -> bool,
    ) -> Result<Option<(Kept, Peer)>, GaveUp> {
        let Some(kept) = retained::read(&self.board, number)? else {
            return Ok(None);
        };

        if seen.is_some_and(|seen| seen != kept.version) {
            return Ok(None);
        }

        if !self.versions.is_new(number, kept.version) || !is_for_this(self, &kept) {
            return Ok(None);
        }

        let sender = self.sender(kept.sender.0, kept.sender.1);

        Ok(Some((kept, sender)))
    }

    /// Whether this process is one of those for which a message is kept: it has a
    /// role of the set, and is not older than the processes of the set.
    fn has_this_process(&self, audience: Audience) -> bool {
        let Audience {
            set,
            generation,
            master,
        } = audience;
        let is_late =
            |peer: &Peer| peer.identity.place.is_none() || peer.identity.generation >= generation;

        self.has_role(set)
            && (set.0 & Set::ALL_GENERATIONS != 0
                || self.is_of(master) && is_late(&self.endpoint.own()))
    }

    fn has_role(&self, set: Set) -> bool {
        set.has_role_of(&self.endpoint.own())
    }

    /// Whether this process is of the binary of a master.
    fn is_of(&self, master: (u32, u32)) -> bool {
        self.master == master
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::message::endpoint::Endpoint;
    use crate::message::identity::Identity;
    use crate::message::interrupted::{Act, Interrupted};
    use crate::message::layout::{Layout, Sizes};
    use crate::message::lineage::Lineage;
    use crate::message::mapped::Mapped;
    use crate::message::peers;
    use crate::messaging::exchange::Notice;
    use crate::messaging::rows;
    use crate::table::role::NGX_PROCESS_WORKER;

    const SIZES: Sizes = Sizes {
        slots: 2,
        chunks: 8,
        control_chunks: 1,
        quota: 4,
    };
    const KEPT: Kind = Kind {
        number: 1,
        control: false,
        exact: false,
        once: false,
        retained: true,
        descriptors: false,
        timed: false,
    };

    /// A process whose parts of the shared memory are `region` and `board`.
    fn start<M: Memory + Clone>(
        region: M,
        board: M,
        layout: &Layout,
        slot: u32,
    ) -> Exchange<M, ()> {
        let identity = Identity {
            worker: Some(slot),
            generation: 1,
            role: NGX_PROCESS_WORKER as u64,
            master: (9, 1),
            place: Some(slot),
        };

        peers::appoint(&region, layout, slot, identity, Lineage::stranger(1));

        Exchange::new(Endpoint::attach(region, slot).unwrap(), board).unwrap()
    }

    /// The number of messages that a process gets in records.
    fn take<M: Memory + Clone>(process: &mut Exchange<M, ()>) -> usize {
        let mut left = 100;
        let mut count = 0;

        while let Some(notice) = process.next(&mut left) {
            count += usize::from(matches!(notice, Notice::Message(..)));
        }

        count
    }

    /// A process that starts while a message is sent and kept finds the message when it
    /// looks for what is kept, or gets a record later.
    #[test]
    fn a_process_that_starts_gets_what_is_being_kept() {
        for access in 0.. {
            let layout = Layout::new(SIZES).unwrap();
            let region = Mapped::new(layout.size(), 2).unwrap();
            let board = Mapped::new(rows::size(SIZES.slots), 0).unwrap();

            layout.create(&&region);
            assert!(retained::add(&&board, KEPT.number));

            let later = RefCell::new(None);
            let act: Act = (
                access,
                Box::new(|| {
                    let mut process = start(&region, &board, &layout, 1);
                    let kept = process.take_kept(KEPT.number).unwrap();
                    let count = usize::from(kept.is_some()) + take(&mut process);

                    later.replace(Some((process, count)));
                }),
            );
            let (plain_region, plain_board) = (
                Interrupted::new(&region, vec![]),
                Interrupted::new(&board, vec![]),
            );
            let interrupted = Interrupted::new(&board, vec![act]);
            let mut sender = start(&plain_region, &plain_board, &layout, 0);

            sender.board = &interrupted;
            sender
                .broadcast(Set(Set::WORKERS), KEPT, b"text", |_, _| ())
                .unwrap();

            let Some((mut process, before)) = later.take() else {
                break;
            };

            assert_eq!(before + take(&mut process), 1, "access {access}");
        }
    }
}
