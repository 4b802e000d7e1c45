//! A set of slots, in private memory.

use super::layout::WORDS;

/// A set of slot numbers.
#[derive(Clone, Debug)]
pub struct Bits {
    words: [u64; WORDS],
    /// The number of words in use.
    len: usize,
}

impl Bits {
    /// An empty set for `words * 64` slots.
    pub fn new(words: usize) -> Self {
        Self {
            words: [0; WORDS],
            len: words.min(WORDS),
        }
    }

    #[inline]
    fn words(&self) -> &[u64] {
        self.words.get(..self.len).unwrap_or_default()
    }

    #[inline]
    fn word(&mut self, word: usize) -> Option<&mut u64> {
        self.words.get_mut(..self.len)?.get_mut(word)
    }

    /// Adds the slots of a word of a shared bitmap.
    #[inline]
    pub fn add_word(&mut self, word: usize, bits: u64) {
        if let Some(to) = self.word(word) {
            *to |= bits;
        }
    }

    /// Adds a slot.
    #[inline]
    pub fn add(&mut self, slot: u32) {
        self.add_word(slot as usize / 64, 1 << (slot % 64));
    }

    /// Removes a slot.
    #[inline]
    pub fn remove(&mut self, slot: u32) {
        if let Some(word) = self.word(slot as usize / 64) {
            *word &= !(1 << (slot % 64));
        }
    }

    /// Whether a slot is in the set.
    pub fn has(&self, slot: u32) -> bool {
        let word = self.words().get(slot as usize / 64);

        word.is_some_and(|word| word >> (slot % 64) & 1 != 0)
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.words().iter().all(|&word| word == 0)
    }

    /// The first slot of the set that is `from` or larger.
    #[inline]
    pub fn next(&self, from: u32) -> Option<u32> {
        let start = from as usize / 64;
        let mut mask = u64::MAX << (from % 64);

        for (index, &word) in self.words().iter().enumerate().skip(start) {
            let rest = word & mask;

            if rest != 0 {
                return Some(index as u32 * 64 + rest.trailing_zeros());
            }

            mask = u64::MAX;
        }

        None
    }

    /// All slots of the set.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let mut from = 0;

        std::iter::from_fn(move || {
            let slot = self.next(from)?;

            from = slot + 1;
            Some(slot)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_found_in_order() {
        let mut bits = Bits::new(2);

        for slot in [127, 0, 64, 63] {
            bits.add(slot);
        }

        assert_eq!(bits.iter().collect::<Vec<_>>(), [0, 63, 64, 127]);
        bits.remove(64);
        assert_eq!(bits.next(64), Some(127));
        assert_eq!(bits.next(128), None);
        bits.add(128);
        assert_eq!(bits.next(128), None);
        assert!(!bits.is_empty());
    }
}
