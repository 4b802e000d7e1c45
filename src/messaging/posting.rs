//! Sends one message to a slot, and counts it.

use super::exchange::Exchange;
use super::rows::Counter;
use crate::message::letter::{Letter, Refused, Reservation, Target};
use crate::message::memory::Memory;
use crate::message::peers::State;

impl<M: Memory + Clone, T> Exchange<M, T> {
    /// Sends a reserved message with the first `len` bytes of its payload.
    ///
    /// # Errors
    ///
    /// [`Refused::Gone`] if its receiver has died and gets no replacement. Nothing was
    /// sent then.
    pub fn commit(&mut self, reservation: Reservation, len: u32) -> Result<(), Refused> {
        let message_type = reservation.letter.message_type;

        self.tick_soon();

        if !self.is_there(&reservation) {
            self.endpoint.cancel(reservation);
            return Err(Refused::Gone);
        }

        self.endpoint.commit(reservation, len);
        self.counting
            .add(&self.board, message_type, Counter::Sent, 1);

        Ok(())
    }

    /// Whether the receiver of a reserved message, or its replacement, is there.
    fn is_there(&self, reservation: &Reservation) -> bool {
        let meant = reservation.envelope.incarnation;

        self.peer(reservation.receiver).is_some_and(|peer| {
            if reservation.envelope.exact {
                peer.incarnation == meant && peer.state != State::Awaited
            } else {
                peer.lineage().has(meant)
            }
        })
    }

    /// Sends and counts a message.
    #[inline]
    pub(super) fn post(
        &mut self,
        target: Target,
        letter: Letter,
        payload: &[u8],
    ) -> Result<(), Refused> {
        let letter = self.time(letter);

        match self.endpoint.send(target, letter, payload) {
            Ok(()) => {
                self.counting
                    .add(&self.board, letter.message_type, Counter::Sent, 1);

                Ok(())
            }
            Err(refused) => {
                self.count_refused(letter, refused);

                Err(refused)
            }
        }
    }

    /// Chooses whether the time of a message is measured.
    #[inline]
    pub(super) fn time(&mut self, letter: Letter) -> Letter {
        Letter {
            timed: self.counting.is_timed(letter.message_type) || letter.timed,
            ..letter
        }
    }

    #[cold]
    pub(super) fn count_refused(&mut self, letter: Letter, refused: Refused) {
        if refused == Refused::Again {
            self.counting
                .add(&self.board, letter.message_type, Counter::Refused, 1);
        }
    }
}
