//! A set of chunks of one pool, for walks that find out which chunks are in use.

use super::layout::MAX_CHUNKS;

/// A set of chunk numbers.
pub struct Chunks([u64; MAX_CHUNKS as usize / 64]);

impl Default for Chunks {
    fn default() -> Self {
        Self([0; MAX_CHUNKS as usize / 64])
    }
}

impl Chunks {
    /// Adds a chunk.
    pub fn add(&mut self, chunk: u32) {
        if let Some(word) = self.0.get_mut(chunk as usize / 64) {
            *word |= 1 << (chunk % 64);
        }
    }

    /// Whether a chunk is in the set.
    pub fn has(&self, chunk: u32) -> bool {
        self.0
            .get(chunk as usize / 64)
            .is_some_and(|word| word >> (chunk % 64) & 1 != 0)
    }
}
