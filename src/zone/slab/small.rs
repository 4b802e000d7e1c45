//! Small chunks. The bits of a page, one for each of its chunks, are in the page
//! itself, in its first chunks.

use super::change::Change;
use super::freed::{self, Freed};
use super::layout::{BITS, KIND_SMALL, SHIFT_MASK, Sizes, WORD, page, stat};
use super::pages;
use super::pool::{Fault, Pool, Result};

/// The number of words with bits of a page.
fn words(sizes: Sizes, shift: usize) -> usize {
    sizes.chunks(shift) / BITS
}

/// Whether the words of a page from number `from` on are all full.
fn are_full(pool: &Pool, bitmap: usize, from: usize, words: usize) -> Result<bool> {
    for n in from..words {
        if pool.get(bitmap.wrapping_add(n * WORD))? != usize::MAX {
            return Ok(false);
        }
    }

    Ok(true)
}

/// Takes the first free chunk of a page that has one.
#[inline(always)]
pub fn take(
    mut change: Change<'_>,
    descriptor: usize,
    stats: usize,
    shift: usize,
) -> Result<usize> {
    let bitmap = change.pool().page(descriptor)?;
    let words = words(change.pool().sizes(), shift);

    for n in 0..words {
        let at = bitmap.wrapping_add(n * WORD);
        let bits = change.get(at)?;

        if bits == usize::MAX {
            continue;
        }

        let bit = bits.trailing_ones() as usize;
        let bits = bits | 1 << bit;

        change.set(at, bits)?;
        change.add(stats.wrapping_add(stat::USED), 1)?;

        if bits == usize::MAX && are_full(change.pool(), bitmap, n + 1, words)? {
            pages::take_out(change, descriptor, KIND_SMALL)?;
        }

        return Ok(bitmap.wrapping_add((n * BITS + bit) << shift));
    }

    Err(Fault::Busy)
}

/// Makes a free page one with small chunks, the first of which is taken. The page is
/// free in the record of the operation, so its bytes have no entries there.
///
/// Returns the address of the first chunk, and the number of chunks.
pub fn begin(change: &mut Change<'_>, descriptor: usize, shift: usize) -> Result<(usize, usize)> {
    let sizes = change.pool().sizes();
    let bitmap = change.pool().page(descriptor)?;
    let first = sizes.bitmap_chunks(shift);
    let taken = first + 1;

    for n in 0..words(sizes, shift) {
        let bits = match taken.saturating_sub(n * BITS) {
            count if count >= BITS => usize::MAX,
            count => (1 << count) - 1,
        };

        change.pool().put(bitmap.wrapping_add(n * WORD), bits)?;
    }

    change.set_page(descriptor, page::SLAB, shift)?;

    Ok((
        bitmap.wrapping_add(first << shift),
        sizes.chunks(shift) - first,
    ))
}

/// Frees the chunk at `address`.
#[inline(always)]
pub fn free(mut change: Change<'_>, descriptor: usize, address: usize) -> Result {
    let sizes = change.pool().sizes();
    let shift = change.page_field(descriptor, page::SLAB)? & SHIFT_MASK;
    let at = address & (sizes.page() - 1);
    let bitmap = address - at;
    let number = at >> shift;
    let bit = 1 << (number % BITS);
    let word = bitmap.wrapping_add(number / BITS * WORD);
    let first = sizes.bitmap_chunks(shift);

    // nginx frees the chunks that have the bits, too, D25.
    if address & ((1 << shift) - 1) != 0 || number < first {
        return Err(Fault::WrongChunk);
    }

    let slot = change.pool().slot_of(shift)?;
    let bits = change.get(word)?;

    if bits & bit == 0 {
        return Err(Fault::ChunkIsFree);
    }

    let was_full = change.page_field(descriptor, page::NEXT)? == 0;

    change.set(word, bits & !bit)?;

    let is_empty = has_only(change.pool(), bitmap, first, words(sizes, shift))?;

    freed::end(
        change,
        Freed {
            descriptor,
            slot,
            kind: KIND_SMALL,
            was_full,
            chunks: is_empty.then(|| sizes.chunks(shift) - first),
        },
    )
}

/// Whether no chunks of a page are in use but the `first` ones, which have the bits.
fn has_only(pool: &Pool, bitmap: usize, first: usize, words: usize) -> Result<bool> {
    for n in first / BITS..words {
        let own = if n == first / BITS {
            (1 << (first % BITS)) - 1
        } else {
            0
        };

        if pool.get(bitmap.wrapping_add(n * WORD))? & !own != 0 {
            return Ok(false);
        }
    }

    Ok(true)
}
