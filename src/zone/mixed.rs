//! Spreads addresses over small tables. Zones begin at multiples of the page size or of
//! more, so the low bits of an address say nothing.

/// An index below `len` that is made of all bits of an address.
pub fn mixed(address: usize, len: usize) -> usize {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

    // The high bits of a product depend on all bits of its factors.
    let once = (address as u64).wrapping_mul(ODD);
    let twice = (once ^ once >> 32).wrapping_mul(ODD);

    (((twice >> 32) * len as u64) >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aligned_addresses_are_spread() {
        for align in [0x1000, 0x1_0000, 0x20_0000, 0x4000_0000] {
            let mut used = [false; 64];

            for n in 1..=64 {
                used[mixed(n * align, 64)] = true;
            }

            let count = used.iter().filter(|&&used| used).count();

            assert!(count > 30, "{align:#x}: {count}");
        }
    }
}
