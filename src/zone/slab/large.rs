//! Exact and big chunks. The bits of a page, one for each of its chunks, are in the
//! field `slab` of its descriptor: in the whole word if the chunks are exact, and in its
//! upper half if they are big.

use super::change::Change;
use super::freed::{self, Freed};
use super::layout::{KIND_BIG, KIND_EXACT, MAP_SHIFT, SHIFT_MASK, Sizes, page, stat};
use super::pages;
use super::pool::{Fault, Result};

/// The bits in `slab` for the chunks of one size.
#[derive(Clone, Copy)]
pub struct Map {
    /// The size of the chunks, as a power of two.
    shift: usize,
    /// The number of the first bit.
    first: usize,
    mask: usize,
    /// The kind of the pages.
    pub kind: usize,
}

impl Map {
    /// The bits for exact chunks.
    #[inline(always)]
    pub fn exact(sizes: Sizes) -> Self {
        Self {
            shift: sizes.exact_shift(),
            first: 0,
            mask: usize::MAX,
            kind: KIND_EXACT,
        }
    }

    /// The bits for big chunks, whose size is `shift` as a power of two.
    #[inline(always)]
    pub fn big(sizes: Sizes, shift: usize) -> Self {
        // At most half as many chunks as a word has bits; a damaged page can say
        // that its chunks are smaller.
        let chunks = sizes.chunks(shift).min(MAP_SHIFT);

        Self {
            shift,
            first: MAP_SHIFT,
            mask: (usize::MAX >> (MAP_SHIFT - chunks)) & (usize::MAX << MAP_SHIFT),
            kind: KIND_BIG,
        }
    }

    /// The bits for the chunks of a page of the kind `kind` whose field is `slab`.
    #[inline(always)]
    pub fn of_page(sizes: Sizes, kind: usize, slab: usize) -> Self {
        if kind == KIND_EXACT {
            Self::exact(sizes)
        } else {
            Self::big(sizes, slab & SHIFT_MASK)
        }
    }

    /// The size of the chunks, as a power of two.
    pub fn shift(self) -> usize {
        self.shift
    }

    /// The number of chunks.
    pub fn chunks(self) -> usize {
        self.mask.count_ones() as usize
    }

    /// The bits of `slab` that stand for chunks.
    pub fn bits(self, slab: usize) -> usize {
        slab & self.mask
    }

    /// The number of chunks in use of a page whose field is `slab`.
    pub fn used(self, slab: usize) -> usize {
        self.bits(slab).count_ones() as usize
    }
}

/// Takes the first free chunk of a page that has one.
#[inline(always)]
pub fn take(mut change: Change<'_>, descriptor: usize, stats: usize, map: Map) -> Result<usize> {
    let slab = change.page_field(descriptor, page::SLAB)?;
    let free = !slab & map.mask;

    if free == 0 {
        return Err(Fault::Busy);
    }

    let bit = free.trailing_zeros() as usize;
    let slab = slab | 1 << bit;

    change.set_page(descriptor, page::SLAB, slab)?;
    change.add(stats.wrapping_add(stat::USED), 1)?;

    if slab & map.mask == map.mask {
        pages::take_out(change, descriptor, map.kind)?;
    }

    Ok(change
        .pool()
        .page(descriptor)?
        .wrapping_add((bit - map.first) << map.shift))
}

/// Makes a free page one with these chunks, the first of which is taken.
///
/// Returns the address of the first chunk, and the number of chunks.
pub fn begin(change: &mut Change<'_>, descriptor: usize, map: Map) -> Result<(usize, usize)> {
    let shift = if map.kind == KIND_BIG { map.shift } else { 0 };

    change.set_page(descriptor, page::SLAB, 1 << map.first | shift)?;

    Ok((change.pool().page(descriptor)?, map.chunks()))
}

/// Frees the chunk at `address`.
#[inline(always)]
pub fn free(mut change: Change<'_>, descriptor: usize, address: usize, kind: usize) -> Result {
    let sizes = change.pool().sizes();
    let slab = change.page_field(descriptor, page::SLAB)?;
    let map = Map::of_page(sizes, kind, slab);
    let at = address & (sizes.page() - 1);

    if address & ((1 << map.shift) - 1) != 0 {
        return Err(Fault::WrongChunk);
    }

    let slot = change.pool().slot_of(map.shift)?;
    let bit = 1usize
        .checked_shl((at >> map.shift).wrapping_add(map.first) as u32)
        .unwrap_or_default();

    if slab & map.mask & bit == 0 {
        return Err(Fault::ChunkIsFree);
    }

    let was_full = change.page_field(descriptor, page::NEXT)? == 0;

    change.set_page(descriptor, page::SLAB, slab & !bit)?;

    let is_empty = slab & map.mask & !bit == 0;

    freed::end(
        change,
        Freed {
            descriptor,
            slot,
            kind,
            was_full,
            chunks: is_empty.then(|| map.chunks()),
        },
    )
}
