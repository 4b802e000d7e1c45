//! Chunks that a sender has used and that the receiver has freed, so that the sender
//! tries them first. It has used them recently, so they are in the cache of a
//! processor.

/// The number of chunks.
const COUNT: usize = 8;

/// Chunks that were free when the sender looked last, the oldest one first.
#[derive(Clone, Debug, Default)]
pub struct Spares {
    chunks: [u32; COUNT],
    start: u32,
    len: u32,
}

impl Spares {
    /// Adds a chunk. If there are too many, the oldest one is forgotten.
    pub fn add(&mut self, chunk: u32) {
        if self.len as usize == COUNT {
            self.take();
        }

        let end = self.start.wrapping_add(self.len);

        if let Some(place) = self.chunks.get_mut(end as usize % COUNT) {
            *place = chunk;
            self.len += 1;
        }
    }

    /// Removes the oldest chunk and returns it.
    pub fn take(&mut self) -> Option<u32> {
        let chunk = self.next()?;

        self.start = self.start.wrapping_add(1);
        self.len -= 1;

        Some(chunk)
    }

    /// The chunk that [`Spares::take`] will return.
    #[inline]
    pub fn next(&self) -> Option<u32> {
        let chunk = self.chunks.get(self.start as usize % COUNT)?;

        (self.len > 0).then_some(*chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_chunk_is_used_first() {
        let mut spares = Spares::default();

        assert_eq!(spares.take(), None);

        for chunk in 0..10 {
            spares.add(chunk);
        }

        assert_eq!(spares.next(), Some(2));

        for chunk in 2..10 {
            assert_eq!(spares.take(), Some(chunk));
        }

        assert_eq!(spares.next(), None);
    }
}
