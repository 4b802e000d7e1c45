//! The usual cases of `ngx_slab_alloc()` and `ngx_slab_free()`, in a pool whose parts this
//! process knows: a chunk of a page that has others, and runs of pages.
//!
//! Also requests that fail because there is no memory, if the pool does not log missing memory:
//! nginx's modules try this first, and then free their oldest pieces.
//!
//! The functions return `None`, and have changed nothing, in all other cases. Then the
//! general functions do the work. The results are theirs; these functions are only
//! faster.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use super::layout::{BITS, KIND_BIG, KIND_EXACT, KIND_MASK, KIND_PAGE, MAP_SHIFT, SHIFT_MASK};
use super::no_memory::is_logged;
use super::short::{self, Chunk, List, Word, count};
use super::{run_alloc, run_free};
use crate::sys::parts::{Counters, Node, Page, Parts, Record, address_of};

/// A free chunk of a page.
struct Found<'a> {
    /// The word with its bit.
    word: &'a AtomicUsize,
    was: usize,
    /// The number of the bit in the word.
    bit: usize,
    /// The number of the chunk in the page.
    number: usize,
    /// Whether no other chunk of the page is free.
    is_last: bool,
}

impl Found<'_> {
    /// The word with the bit set.
    fn with_bit(&self) -> usize {
        self.was | 1 << self.bit
    }
}

/// Allocates a chunk or a run. Returns its address; 0 if there is no memory, which needs no log
/// line.
#[inline(always)]
pub fn alloc(parts: &Parts, size: usize) -> Option<usize> {
    if is_run(parts, size) {
        run(*parts, size)
    } else {
        alloc_chunk(parts, size)
    }
}

/// Whether a piece of `size` bytes is a run.
#[inline(always)]
pub fn is_run(parts: &Parts, size: usize) -> bool {
    size > 1 << (parts.shift() - 1)
}

#[inline(never)]
fn run(parts: Parts, size: usize) -> Option<usize> {
    alloc_run(&parts, size)
}

/// Allocates a run as [`alloc`] does.
#[inline(always)]
pub fn alloc_run(parts: &Parts, size: usize) -> Option<usize> {
    run_alloc::alloc(parts, short::idle(parts)?, size)
}

/// Allocates a chunk as [`alloc`] does.
#[inline(always)]
pub fn alloc_chunk(parts: &Parts, size: usize) -> Option<usize> {
    let record = short::idle(parts)?;
    let page_shift = parts.shift();
    let least = page_shift - parts.slot_count();
    // The size 0 is not a usual case.
    let bits = (size.wrapping_sub(1) << 1 | 1).ilog2() as usize;
    let shift = bits.max(least);
    let (slot, counters) = parts.slot_and_counters(shift - least)?;
    let (slot, counters) = (slot.get(), counters.get());
    let [_, used, requests, _] = counters;
    let [_, first, _] = slot;
    // The head of an empty list points to itself, which is no page.
    let Some(page) = parts.page(first.load(Relaxed)) else {
        return count_failure(*parts, slot, counters);
    };
    let found = find(&page, page_shift, shift)?;
    let now = used.load(Relaxed);
    let chunk = Chunk {
        bits: Word {
            word: found.word,
            was: found.was,
            new: found.with_bit(),
        },
        used: Word {
            word: used,
            was: now,
            new: now.wrapping_add(1),
        },
    };
    let address = page.start + (found.number << shift);

    if found.is_last {
        leave(parts, record, &chunk, (slot, requests), page.node.get())?;
        return Some(address);
    }

    count(requests);
    chunk.change(record);

    Some(address)
}

/// Counts a request for a chunk for which there is neither a page with a free one, nor a free
/// page.
#[inline(never)]
fn count_failure(
    parts: Parts,
    slot: &Node,
    [_, _, requests, failures]: &Counters,
) -> Option<usize> {
    let [head, first, _] = slot;
    let is_empty = first.load(Relaxed) == address_of(head);

    if !is_empty || !run_alloc::is_empty(&parts) || is_logged(&parts) {
        return None;
    }

    count(requests);
    count(failures);

    Some(0)
}

/// Allocates the last free chunk of a page, which leaves its list.
#[inline(always)]
fn leave(
    parts: &Parts,
    record: &Record,
    chunk: &Chunk<'_>,
    (slot, requests): (&Node, &AtomicUsize),
    node: &Node,
) -> Option<()> {
    let [_, next, prev] = node;
    let list = list(parts, slot, node, prev.load(Relaxed), next.load(Relaxed))?;

    // The page was found as the first one of the list.
    if list.prev & !KIND_MASK != address_of(&slot[0]) {
        return None;
    }

    count(requests);
    chunk.change_and_leave(record, &list);

    Some(())
}

/// The place of a page at the front of a list, before the descriptor or head at `next`.
#[inline(always)]
fn list<'a>(
    parts: &'a Parts,
    slot: &'a Node,
    node: &'a Node,
    prev: usize,
    next: usize,
) -> Option<List<'a>> {
    let neighbour = if next == address_of(&slot[0]) {
        slot
    } else {
        parts.table().entry(next)?.1.get()
    };

    Some(List {
        node,
        prev,
        next,
        head_next: &slot[1],
        next_prev: &neighbour[2],
    })
}

/// The first free chunk of a page; `shift` is the size of its chunks as a power of two.
#[inline(always)]
fn find<'a>(page: &Page<'a>, page_shift: usize, shift: usize) -> Option<Found<'a>> {
    let exact = page_shift - BITS.trailing_zeros() as usize;

    if shift < exact {
        return small(page.words.get(), 1 << (exact - shift));
    }

    let [slab, ..] = page.node.get();
    let was = slab.load(Relaxed);
    let (free, first) = if shift == exact {
        (!was, 0)
    } else {
        // A bit of the upper half for each chunk.
        let chunks = 1 << (page_shift - shift);

        (!was & ((1 << chunks) - 1) << MAP_SHIFT, MAP_SHIFT)
    };

    if free == 0 {
        return None;
    }

    let bit = free.trailing_zeros() as usize;

    Some(Found {
        word: slab,
        was,
        bit,
        number: bit - first,
        is_last: free & (free - 1) == 0,
    })
}

/// The first free small chunk. The first `count` words have the bits.
#[inline(always)]
fn small(words: &[AtomicUsize], count: usize) -> Option<Found<'_>> {
    let mut words = words.iter().take(count).enumerate();
    let is_full = |word: &AtomicUsize| word.load(Relaxed) == usize::MAX;
    let (n, word) = words.find(|(_, word)| !is_full(word))?;
    let was = word.load(Relaxed);
    let bit = was.trailing_ones() as usize % BITS;

    Some(Found {
        word,
        was,
        bit,
        number: n * BITS + bit,
        is_last: was | 1 << bit == usize::MAX && words.all(|(_, word)| is_full(word)),
    })
}

/// Frees a chunk or a run.
#[inline(always)]
pub fn free(parts: &Parts, address: usize) -> Option<()> {
    let record = short::idle(parts)?;
    let page = parts.page_with(address)?;
    let [slab, next, prev] = page.node.get();
    let kind = prev.load(Relaxed) & KIND_MASK;

    if kind == KIND_PAGE {
        return run_free::free(*parts, record, &page, address);
    }

    let page_shift = parts.shift();
    let exact = page_shift - BITS.trailing_zeros() as usize;
    let bits = slab.load(Relaxed);
    let shift = if kind == KIND_EXACT {
        exact
    } else {
        bits & SHIFT_MASK
    };
    let least = page_shift - parts.slot_count();
    // This size is one that the pool has, so it is smaller than a page.
    let (slot, counters) = parts.slot_and_counters(shift.wrapping_sub(least))?;
    let (slot, [_, used, ..]) = (slot.get(), counters.get());
    let number = (address - page.start) >> shift;

    if page.start + (number << shift) != address {
        return None;
    }

    let (word, was, bit, others) = match kind {
        KIND_EXACT => (slab, bits, number, usize::MAX),
        KIND_BIG if number < MAP_SHIFT => (slab, bits, number + MAP_SHIFT, usize::MAX << MAP_SHIFT),
        KIND_BIG => return None,
        _ => {
            let word = page.words.get().get(number / BITS)?;
            let own = small_own(page_shift, number, shift)?;

            (word, word.load(Relaxed), number % BITS, own)
        }
    };
    let bit = 1usize.checked_shl(bit as u32)?;
    let now = used.load(Relaxed);
    let chunk = Chunk {
        bits: Word {
            word,
            was,
            new: was & !bit,
        },
        used: Word {
            word: used,
            was: now,
            new: now.wrapping_sub(1),
        },
    };

    // Another chunk of the page is in use, so the page does not become free.
    if was & bit == 0 || chunk.bits.new & others == 0 {
        return None;
    }

    // A full page is not in its list.
    if next.load(Relaxed) == 0 {
        let [head, first, _] = slot;
        let prev = address_of(head) | kind;
        let list = list(parts, slot, page.node.get(), prev, first.load(Relaxed))?;

        chunk.change_and_enter(record, &list);
    } else {
        chunk.change(record);
    }

    Some(())
}

/// The bits that stand for chunks in the word with the bit of the small chunk `number`.
/// `None` if this chunk has bits itself.
#[inline(always)]
fn small_own(page_shift: usize, number: usize, shift: usize) -> Option<usize> {
    // The chunks that have the bits of the page, and the first one of the word.
    let own = (1 << page_shift >> (2 * shift + 3)).max(1);
    let first = number / BITS * BITS;

    // The bits for the bits themselves are all in the first words.
    if number < own || own > first + BITS {
        return None;
    }

    if own > first {
        Some(usize::MAX.checked_shl((own - first) as u32).unwrap_or(0))
    } else {
        Some(usize::MAX)
    }
}
