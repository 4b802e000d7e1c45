//! The label of a datagram with descriptors, which says to which record it belongs.

use crate::messaging::kind::WITH_DESCRIPTORS;

/// The lowest bit of the incarnation of the sender in [`Label::number`].
const INCARNATION: u32 = 16;
/// The bit in the first word that says that the record is in the control lane.
const CONTROL: u32 = 1 << 31;

/// The label of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// The slot of the sender.
    pub slot: u32,
    /// Whether the record is in the control lane of the sender.
    pub control: bool,
    /// The number in the record. It differs from those of earlier processes of the
    /// slot.
    pub number: u32,
}

impl Label {
    /// The length of a datagram in bytes.
    pub const SIZE: usize = 12;

    /// The label of the message number `count` of a sender.
    pub fn new(slot: u32, control: bool, incarnation: u32, count: u32) -> Self {
        let count = count & ((1 << INCARNATION) - 1);

        Self {
            slot,
            control,
            number: (incarnation << INCARNATION | count) & (WITH_DESCRIPTORS - 1),
        }
    }

    /// Whether a process of the slot with this incarnation has made the label.
    pub fn is_by(self, incarnation: u32) -> bool {
        self.number >> INCARNATION == Self::new(0, false, incarnation, 0).number >> INCARNATION
    }

    /// Whether both records are in the same lane.
    pub fn is_of_lane_of(self, other: Self) -> bool {
        (self.slot, self.control) == (other.slot, other.control)
    }

    /// The contents of a datagram with `count` descriptors.
    pub fn bytes(self, count: usize) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        let slot = self.slot | if self.control { CONTROL } else { 0 };
        let words = [slot, self.number, count as u32];

        for (to, word) in bytes.chunks_exact_mut(4).zip(words) {
            to.copy_from_slice(&word.to_ne_bytes());
        }

        bytes
    }

    /// The label of a datagram, and the number of its descriptors.
    pub fn from_bytes(bytes: [u8; Self::SIZE]) -> (Self, usize) {
        let mut words = [0; 3];

        for (word, from) in words.iter_mut().zip(bytes.chunks_exact(4)) {
            *word = from.try_into().map_or(0, u32::from_ne_bytes);
        }

        let [slot, number, count] = words;
        let label = Self {
            slot: slot & !CONTROL,
            control: slot & CONTROL != 0,
            number,
        };

        (label, count as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_survives() {
        let label = Label::new(700, true, 70_000, 65_537);

        assert_eq!(Label::from_bytes(label.bytes(16)), (label, 16));
        assert!(label.is_by(70_000) && !label.is_by(70_001));
        assert!(label.is_of_lane_of(Label::new(700, true, 1, 1)));
        assert!(!label.is_of_lane_of(Label::new(700, false, 70_000, 65_537)));
        assert_eq!(label.number & WITH_DESCRIPTORS, 0);
    }
}
