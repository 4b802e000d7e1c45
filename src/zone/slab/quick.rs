//! The usual cases of `ngx_slab_alloc()` and `ngx_slab_free()`: a chunk of a page that
//! stays in its list. Only two words change, the one with the chunk's bit and a counter.
//!
//! The functions return `None`, and have changed nothing, in all other cases. Then the
//! general functions do the work. The results are theirs; these functions are only
//! faster.

use super::change;
use super::layout::{
    BITS, KIND_BIG, KIND_EXACT, KIND_MASK, KIND_PAGE, MAP_SHIFT, SHIFT_MASK, WORD, field, page,
    stat,
};
use super::pool::Pool;

/// Allocates a chunk.
#[inline(always)]
pub fn alloc(pool: &Pool, size: usize) -> Option<usize> {
    let sizes = pool.sizes();
    let min = pool.field(field::MIN_SHIFT).ok()?;
    let bits = usize::BITS - size.saturating_sub(1).leading_zeros();
    let shift = min.max(bits as usize);

    if shift >= sizes.shift {
        return None;
    }

    let record = change::idle(pool)?;
    let head = pool.slot(shift - min);
    let first = pool.load(head.wrapping_add(page::NEXT))?;

    if first == head {
        return None;
    }

    let start = pool.page(first).ok()?;
    let (at, word, bit) = if shift < sizes.exact_shift() {
        small(pool, start, sizes.chunks(shift) / BITS)?
    } else {
        let slab = pool.load(first.wrapping_add(page::SLAB))?;
        // Bits that stand for no chunk count as set.
        let used = if shift == sizes.exact_shift() {
            slab
        } else {
            slab | usize::MAX >> MAP_SHIFT | (usize::MAX << MAP_SHIFT) << sizes.chunks(shift)
        };
        let bit = used.trailing_ones() as usize;

        // The last chunk of the page is not a usual case.
        if !used & (!used).wrapping_sub(1) == 0 {
            return None;
        }

        (first.wrapping_add(page::SLAB), slab, bit)
    };
    let number = if shift > sizes.exact_shift() {
        bit - MAP_SHIFT
    } else {
        bit
    };
    let address = start.wrapping_add(number << shift);
    let stats = pool.stats(shift - min).ok()?;
    let (reqs, used) = (
        stats.wrapping_add(stat::REQS),
        stats.wrapping_add(stat::USED),
    );
    let now = pool.load(used)?;

    if !pool.words().contains(address, 1 << shift) {
        return None;
    }

    pool.store(reqs, pool.load(reqs)?.wrapping_add(1))?;
    change::two(
        pool,
        record,
        (at, word, word | 1 << (bit % BITS)),
        (used, now, now.wrapping_add(1)),
    )?;

    Some(address)
}

/// The first word of a page with small chunks that has two free bits: its address, its
/// value, and the number of its first free bit in the page.
#[inline(always)]
fn small(pool: &Pool, start: usize, words: usize) -> Option<(usize, usize, usize)> {
    for n in 0..words {
        let at = start.wrapping_add(n * WORD);
        let bits = pool.load(at)?;

        if bits != usize::MAX {
            let bit = bits.trailing_ones() as usize;

            return (bits | 1 << bit != usize::MAX).then_some((at, bits, n * BITS + bit));
        }
    }

    None
}

/// Frees a chunk.
#[inline(always)]
pub fn free(pool: &Pool, address: usize) -> Option<()> {
    let sizes = pool.sizes();
    let record = change::idle(pool)?;
    let descriptor = pool.descriptor(address).ok()?;
    let prev = pool.load(descriptor.wrapping_add(page::PREV))?;
    let slab = pool.load(descriptor.wrapping_add(page::SLAB))?;
    let offset = address & (sizes.page() - 1);
    let kind = prev & KIND_MASK;
    let shift = if kind == KIND_EXACT {
        sizes.exact_shift()
    } else {
        slab & SHIFT_MASK
    };
    let number = offset >> shift;

    // A full page is not in its list. A page of a run has no chunks.
    if kind == KIND_PAGE
        || offset & ((1 << shift) - 1) != 0
        || pool.load(descriptor.wrapping_add(page::NEXT))? == 0
    {
        return None;
    }

    let (at, word, bit, others) = match kind {
        KIND_EXACT => (descriptor + page::SLAB, slab, number, usize::MAX),
        KIND_BIG => (
            descriptor + page::SLAB,
            slab,
            number + MAP_SHIFT,
            usize::MAX << MAP_SHIFT,
        ),
        _ => {
            let own = sizes.bitmap_chunks(shift);
            let n = number / BITS;

            // The bits for the bits themselves are all in the first words.
            if number < own || own > n * BITS + BITS {
                return None;
            }

            let at = (address - offset).wrapping_add(n * WORD);
            let others = if own > n * BITS {
                usize::MAX.checked_shl((own - n * BITS) as u32).unwrap_or(0)
            } else {
                usize::MAX
            };

            (at, pool.load(at)?, number % BITS, others)
        }
    };

    let bit = 1usize.checked_shl(bit as u32)?;
    let left = word & !bit;
    let stats = pool.stats(pool.slot_of(shift).ok()?).ok()?;
    let used = stats.wrapping_add(stat::USED);
    let now = pool.load(used)?;

    // Another chunk of the page is in use, so the page does not become free.
    if word & bit == 0 || left & others == 0 {
        return None;
    }

    change::two(
        pool,
        record,
        (at, word, left),
        (used, now, now.wrapping_sub(1)),
    )
}
