//! The bytes that a connection keeps until its socket takes them.

/// Bytes that wait to be sent, in their order.
#[derive(Default)]
pub struct Unsent {
    bytes: Vec<u8>,
    /// The number of bytes at the begin of `bytes` that were sent.
    sent: usize,
}

impl Unsent {
    /// Adds bytes at the end.
    pub fn push(&mut self, bytes: &[u8]) {
        // A client that always receives a bit, and never all, must not make the memory
        // grow. The move is rare: at least half of `bytes` was sent since the last one.
        if self.sent > self.bytes.len() / 2 {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }

        self.bytes.extend_from_slice(bytes);
    }

    /// The bytes that were not sent.
    pub fn rest(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }

    /// Removes the first `n` bytes, which were sent. Frees the memory if none is left.
    pub fn remove(&mut self, n: usize) {
        self.sent += n;

        if self.is_empty() {
            *self = Self::default();
        }
    }

    pub fn len(&self) -> usize {
        self.rest().len()
    }

    pub fn is_empty(&self) -> bool {
        self.rest().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_keep_their_order_while_others_are_removed() {
        let mut unsent = Unsent::default();
        let mut sent = Vec::new();

        for round in 0..100_u8 {
            unsent.push(&[round; 7]);

            let n = unsent.len().min(usize::from(round % 13));

            sent.extend_from_slice(&unsent.rest()[..n]);
            unsent.remove(n);
        }

        sent.extend_from_slice(unsent.rest());
        assert_eq!(sent.len(), 700);
        assert!(sent.is_sorted());
    }

    #[test]
    fn the_memory_does_not_grow_with_what_was_sent() {
        let mut unsent = Unsent::default();

        unsent.push(&[0; 100]);

        for _ in 0..10_000 {
            unsent.push(&[0; 10]);
            unsent.remove(10);
        }

        assert_eq!(unsent.len(), 100);
        assert!(unsent.bytes.capacity() < 1000);

        unsent.remove(100);
        assert_eq!(unsent.bytes.capacity(), 0);
    }
}
