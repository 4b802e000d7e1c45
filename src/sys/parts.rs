//! The parts of a pool in shared memory: a header, tables, pages and a record.
//!
//! Where the parts are is checked once, when the pool is made, and is kept in memory of
//! this process. So an access to a part checks only an index, and another process cannot
//! lead it outside of the pool.

pub mod table;

use std::marker::PhantomData;
use std::ptr::{NonNull, slice_from_raw_parts};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::words::{LEAST, Words};

/// The size of a word, in bytes.
const WORD: usize = size_of::<usize>();

/// The words of the header.
pub type Header = [AtomicUsize; LEAST / WORD];
/// An entry of the slots, and of the table of pages.
pub type Node = [AtomicUsize; 3];
/// An entry of the table of counters.
pub type Counters = [AtomicUsize; 4];
/// The words of the record. It has whole cache lines.
pub type Record = [AtomicUsize; 56];

/// The size of a [`Node`], in bytes.
const NODE: usize = size_of::<Node>();
/// The inverse of the words of a [`Node`], modulo 2 to the power of the bits of a word.
const INVERSE: usize = usize::MAX / 3 * 2 + 1;
const _: () = assert!(NODE == 3 * WORD && INVERSE.wrapping_mul(3) == 1);

/// Where the parts are: addresses, and numbers of entries.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// The first slot.
    pub slots: usize,
    /// The counters of the first slot.
    pub stats: usize,
    /// The number of slots, and of counters.
    pub slot_count: usize,
    /// The entry of the first page.
    pub pages: usize,
    /// The number of pages.
    pub count: usize,
    /// The first page.
    pub first: usize,
    /// The size of a page, as a power of two.
    pub shift: usize,
    /// The record.
    pub record: usize,
}

impl Places {
    /// Whether all parts lie within the memory and are aligned.
    fn fit(&self, words: &Words) -> bool {
        let table = |at: usize, count: usize, size: usize| {
            at.is_multiple_of(WORD)
                && count
                    .checked_mul(size)
                    .is_some_and(|size| words.contains(at, size))
        };

        self.shift < usize::BITS as usize
            && 1 << self.shift >= WORD
            && table(self.slots, self.slot_count, NODE)
            && table(self.stats, self.slot_count, size_of::<Counters>())
            && table(self.pages, self.count, NODE)
            && table(self.first, self.count, 1 << self.shift)
            && table(self.record, 1, size_of::<Record>())
    }
}

/// The parts of one pool, as this process remembers them.
pub struct Division {
    /// The address of the pool; 0 if none is remembered.
    pool: AtomicUsize,
    /// The number of bytes.
    size: AtomicUsize,
    slots: AtomicUsize,
    stats: AtomicUsize,
    slot_count: AtomicUsize,
    pages: AtomicUsize,
    count: AtomicUsize,
    first: AtomicUsize,
    shift: AtomicUsize,
    record: AtomicUsize,
}

impl Division {
    /// No pool.
    pub const fn none() -> Self {
        Self {
            pool: AtomicUsize::new(0),
            size: AtomicUsize::new(0),
            slots: AtomicUsize::new(0),
            stats: AtomicUsize::new(0),
            slot_count: AtomicUsize::new(0),
            pages: AtomicUsize::new(0),
            count: AtomicUsize::new(0),
            first: AtomicUsize::new(0),
            shift: AtomicUsize::new(0),
            record: AtomicUsize::new(0),
        }
    }

    /// Remembers the parts of the pool in `words`, or none if one of them does not lie
    /// within the memory. No other thread uses this value meanwhile.
    pub fn set(&self, words: &Words, places: &Places) {
        self.clear();

        if !places.fit(words) {
            return;
        }

        for (field, value) in [
            (&self.size, words.size()),
            (&self.slots, places.slots),
            (&self.stats, places.stats),
            (&self.slot_count, places.slot_count),
            (&self.pages, places.pages),
            (&self.count, places.count),
            (&self.first, places.first),
            (&self.shift, places.shift),
            (&self.record, places.record),
        ] {
            field.store(value, Relaxed);
        }

        self.pool.store(words.start(), Release);
    }

    /// Forgets the pool.
    pub fn clear(&self) {
        self.pool.store(0, Relaxed);
    }

    /// The parts of the pool at `start`; `None` if this is not the pool that is remembered.
    ///
    /// # Safety
    ///
    /// The memory has as many bytes as the pool had when it was made, and is as
    /// [`Words::new`] requires.
    #[inline(always)]
    pub unsafe fn open(&'static self, start: NonNull<u8>) -> Option<Parts> {
        if self.pool.load(Acquire) != start.addr().get() {
            return None;
        }

        Some(Parts {
            start,
            places: self,
        })
    }

    /// The parts of the pool in `words`; `None` if this is not the pool that is remembered.
    #[inline(always)]
    pub fn of(&'static self, words: &Words) -> Option<Parts> {
        // SAFETY: `words` is this memory, and has this size.
        let parts = unsafe { self.open(words.first()) }?;

        (self.size.load(Relaxed) == words.size()).then_some(parts)
    }
}

/// The parts of a pool.
#[derive(Clone, Copy)]
pub struct Parts {
    start: NonNull<u8>,
    /// All places in it lie within the memory at `start`, see [`Division::set`] and
    /// [`Division::open`].
    places: &'static Division,
}

/// A part that exists.
///
/// This is a pointer and not a reference, so that an `Option` has a flag beside the address:
/// the compiler forgets the flag when the function is inlined, but it would compare a
/// reference with 0.
pub struct At<'a, T: ?Sized> {
    part: *const T,
    memory: PhantomData<&'a T>,
}

impl<'a, T: ?Sized> At<'a, T> {
    /// The words of the part.
    #[inline(always)]
    pub fn get(&self) -> &'a T {
        // SAFETY: the part lies within the memory, see `Parts::at` and `Table`, which is
        // mapped for `'a`. It consists of atomics, for which any bytes are valid.
        unsafe { &*self.part }
    }
}

/// A page and its entry in the table of pages.
pub struct Page<'a> {
    /// The number of the page.
    pub number: usize,
    /// The address of the page.
    pub start: usize,
    /// The entry.
    pub node: At<'a, Node>,
    /// The words of the page.
    pub words: At<'a, [AtomicUsize]>,
}

impl Parts {
    /// The memory.
    #[inline(always)]
    pub fn words(&self) -> Option<Words> {
        // SAFETY: the memory is as `Words::new` requires, see `Division::open`.
        unsafe { Words::new(self.start.cast(), self.places.size.load(Relaxed)) }
    }

    /// The beginning of the memory.
    #[inline(always)]
    pub fn first(&self) -> NonNull<u8> {
        self.start
    }

    /// The address of the memory.
    #[inline(always)]
    pub fn start(&self) -> usize {
        self.start.addr().get()
    }

    /// The size of a page, as a power of two.
    #[inline(always)]
    pub fn shift(&self) -> usize {
        self.places.shift.load(Relaxed)
    }

    /// The number of slots.
    #[inline(always)]
    pub fn slot_count(&self) -> usize {
        self.places.slot_count.load(Relaxed)
    }

    /// `N` words at `address`.
    ///
    /// # Safety
    ///
    /// These words are a part of the memory, and are aligned.
    #[inline(always)]
    unsafe fn at<const N: usize>(&self, address: usize) -> At<'_, [AtomicUsize; N]> {
        At {
            part: self.start.as_ptr().with_addr(address).cast(),
            memory: PhantomData,
        }
    }

    /// The header.
    #[inline(always)]
    pub fn header(&self) -> &Header {
        // SAFETY: each memory has these words, see `Words::new`.
        unsafe { self.at(self.start()) }.get()
    }

    /// The record.
    #[inline(always)]
    pub fn record(&self) -> &Record {
        // SAFETY: `Places::fit` has found that the record lies within the memory.
        unsafe { self.at(self.places.record.load(Relaxed)) }.get()
    }

    /// The slot with the number `n`.
    #[inline(always)]
    pub fn slot(&self, n: usize) -> Option<At<'_, Node>> {
        if n >= self.slot_count() {
            return None;
        }

        // SAFETY: `Places::fit` has found that all slots lie within the memory.
        Some(unsafe { self.at(self.places.slots.load(Relaxed).wrapping_add(n * NODE)) })
    }

    /// The slot with the number `n`, and its counters.
    #[inline(always)]
    pub fn slot_and_counters(&self, n: usize) -> Option<(At<'_, Node>, At<'_, Counters>)> {
        let slot = self.slot(n)?;
        let at = n * size_of::<Counters>();

        // SAFETY: `Places::fit` has found that the counters of all slots lie within the
        // memory.
        let counters = unsafe { self.at(self.places.stats.load(Relaxed).wrapping_add(at)) };

        Some((slot, counters))
    }

    /// The address of the page with the number `n`.
    #[inline(always)]
    pub fn address(&self, n: usize) -> usize {
        self.places
            .first
            .load(Relaxed)
            .wrapping_add(n << self.shift())
    }

    /// The page whose entry is at `address`.
    #[inline(always)]
    pub fn page(&self, address: usize) -> Option<Page<'_>> {
        let (number, node) = self.table().entry(address)?;

        // SAFETY: the entry exists, and this is the address of its page.
        Some(unsafe { self.page_at(number, self.address(number), node) })
    }

    /// The page that contains `address`.
    #[inline(always)]
    pub fn page_with(&self, address: usize) -> Option<Page<'_>> {
        let at = address.wrapping_sub(self.places.first.load(Relaxed));
        let shift = self.shift();
        let number = at >> shift;
        let node = self.table().nth(number)?;
        let start = address - (at & ((1 << shift) - 1));

        // SAFETY: the entry exists, and this is the address of its page.
        Some(unsafe { self.page_at(number, start, node) })
    }

    /// The page at `start`.
    ///
    /// # Safety
    ///
    /// The page exists.
    #[inline(always)]
    unsafe fn page_at<'a>(&'a self, number: usize, start: usize, node: At<'a, Node>) -> Page<'a> {
        let first = self.start.as_ptr().with_addr(start).cast();
        let count = (1 << self.shift()) / WORD;

        // The page exists, and `Places::fit` has found that all pages lie within the memory.
        Page {
            number,
            start,
            node,
            words: At {
                part: slice_from_raw_parts(first, count),
                memory: PhantomData,
            },
        }
    }
}

/// The address of a word.
#[inline(always)]
pub fn address_of(word: &AtomicUsize) -> usize {
    word.as_ptr().addr()
}

#[cfg(test)]
mod tests;
