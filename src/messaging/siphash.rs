//! The hash of keys, SipHash-1-3.
//!
//! All processes compute the worker of a key themselves, also those of two binaries
//! during an upgrade. So the hash must not depend on the compiler, as that of
//! `std::hash::DefaultHasher` does. It has a secret, because the keys can come from
//! clients: with FNV, for example, a client could find keys with the same hash.
//!
//! J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input PRF", 2012.

/// The state: four words.
struct State([u64; 4]);

impl State {
    fn new((k0, k1): (u64, u64)) -> Self {
        // "somepseudorandomlygeneratedbytes"
        Self([
            k0 ^ 0x736f_6d65_7073_6575,
            k1 ^ 0x646f_7261_6e64_6f6d,
            k0 ^ 0x6c79_6765_6e65_7261,
            k1 ^ 0x7465_6462_7974_6573,
        ])
    }

    #[inline]
    fn round(&mut self) {
        let [mut a, mut b, mut c, mut d] = self.0;

        a = a.wrapping_add(b);
        c = c.wrapping_add(d);
        b = b.rotate_left(13) ^ a;
        d = d.rotate_left(16) ^ c;
        a = a.rotate_left(32).wrapping_add(d);
        c = c.wrapping_add(b);
        d = d.rotate_left(21) ^ a;
        b = b.rotate_left(17) ^ c;
        c = c.rotate_left(32);
        self.0 = [a, b, c, d];
    }

    #[inline]
    fn add(&mut self, word: u64, rounds: u32) {
        let [_, _, _, d] = &mut self.0;

        *d ^= word;

        for _ in 0..rounds {
            self.round();
        }

        let [a, ..] = &mut self.0;

        *a ^= word;
    }

    fn finish(mut self, rounds: u32) -> u64 {
        let [_, _, c, _] = &mut self.0;

        *c ^= 0xff;

        for _ in 0..rounds {
            self.round();
        }

        self.0.iter().fold(0, |hash, word| hash ^ word)
    }
}

/// The hash of a number and of the bytes behind it, with a secret.
pub fn hash(secret: (u64, u64), number: u64, bytes: &[u8]) -> u64 {
    with_rounds::<1, 3>(secret, number, bytes)
}

/// SipHash-C-D of the eight bytes of `number`, the lowest one first, and of `bytes`.
#[inline]
fn with_rounds<const C: u32, const D: u32>(secret: (u64, u64), number: u64, bytes: &[u8]) -> u64 {
    let mut state = State::new(secret);
    let (words, rest) = bytes.as_chunks();
    // The lowest byte of the length is the highest one of the last word.
    let len = (bytes.len() as u64).wrapping_add(8) << 56;
    let last = rest
        .iter()
        .rev()
        .fold(0, |word, &byte| word << 8 | u64::from(byte));

    state.add(number, C);

    for &word in words {
        state.add(u64::from_le_bytes(word), C);
    }

    state.add(len | last, C);
    state.finish(D)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: (u64, u64) = (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908);
    const NUMBER: u64 = SECRET.0;

    /// The test vectors of the authors of SipHash-2-4: the messages are the bytes 0, 1,
    /// 2, and so on.
    #[test]
    fn the_values_are_those_that_are_published() {
        let bytes: Vec<u8> = (8..63).collect();

        for (len, hash) in [
            (8, 0x93f5_f579_9a93_2462),
            (9, 0x9e00_82df_0ba9_e4b0),
            (15, 0xa129_ca61_49be_45e5),
            (16, 0x3f2a_cc7f_57c2_9bdb),
            (63, 0x958a_324c_eb06_4572),
        ] {
            assert_eq!(with_rounds::<2, 4>(SECRET, NUMBER, &bytes[..len - 8]), hash);
        }
    }

    /// The values of SipHash-1-3, which other binaries compute too, whichever compiler
    /// has built them.
    #[test]
    fn the_values_do_not_change() {
        assert_eq!(hash(SECRET, NUMBER, b""), 0x3690_9511_8d29_9a8e);
        assert_eq!(
            hash(SECRET, 1, b"/a/long/name/of/a/page"),
            0x0731_7cf0_7c94_abc1
        );
    }
}
