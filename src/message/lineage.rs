//! The numbers of the processes that a slot has had.
//!
//! A process that writes garbage can overwrite the numbers in its slot. If its
//! replacement got a number that follows from them, a message to the dead process
//! could reach the replacement, or the others could find that the replacement takes
//! over no message. So a master keeps the numbers of its processes in memory of its
//! own, and a process inherits a copy of its own numbers at the fork.

/// The number of a process, and those of the processes that it replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lineage {
    /// The number of the process among all processes that the slot has had; the
    /// first one has the number 1.
    pub incarnation: u32,
    /// The first incarnation whose messages this process takes over.
    pub line: u32,
}

impl Lineage {
    /// A process that takes over no messages.
    pub fn stranger(incarnation: u32) -> Self {
        Self {
            incarnation,
            line: incarnation,
        }
    }

    /// The replacement of this process. It takes over the messages.
    pub fn replacement(self) -> Self {
        Self {
            incarnation: next(self.incarnation),
            ..self
        }
    }

    /// Whether an incarnation is this process, or one whose messages it takes over.
    pub fn has(self, incarnation: u32) -> bool {
        self.incarnation.wrapping_sub(incarnation) <= self.age()
    }

    /// How far the first incarnation is behind this one.
    pub fn age(self) -> u32 {
        self.incarnation.wrapping_sub(self.line)
    }
}

/// The incarnation that follows another one. No process has the incarnation 0.
pub fn next(incarnation: u32) -> u32 {
    incarnation.wrapping_add(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replacement_takes_over_the_messages_of_its_predecessors() {
        let third = Lineage::stranger(7).replacement().replacement();

        assert_eq!((third.incarnation, third.line, third.age()), (9, 7, 2));
        assert!(third.has(7) && third.has(8) && third.has(9));
        assert!(!third.has(6) && !third.has(10) && !third.has(0));
    }

    #[test]
    fn incarnations_wrap() {
        let second = Lineage::stranger(u32::MAX).replacement();

        assert_eq!(second.incarnation, 1);
        assert!(second.has(u32::MAX) && second.has(1) && !second.has(2));
    }
}
