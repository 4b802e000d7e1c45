//! What lies where in a pool. The layout is nginx's, see `ngx_slab.h`; only the
//! record of the operation in progress is the library's own, see
//! [`change`](super::change).
//!
//! ```text
//! header | slots | statistics | pages ... | free space | page 0 | page 1 | ...
//! ```
//!
//! "slots" are the heads of the lists of pages, one for each size of chunks, and
//! "pages" has a descriptor for each page. Links are addresses, because nginx maps
//! a zone at one address in all processes.

#![allow(non_camel_case_types)]

use std::mem::offset_of;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use crate::sys::usage::page_size;
use crate::sys::words::Words;
use crate::zone::shmtx::{WORDS_AT, ngx_shmtx_sh_t, ngx_shmtx_t};

/// The descriptor of a page, `ngx_slab_page_t`.
#[repr(C)]
pub struct Page {
    slab: usize,
    next: usize,
    prev: usize,
}

/// The counters of one size, `ngx_slab_stat_t`.
#[repr(C)]
pub struct Stat {
    total: usize,
    used: usize,
    reqs: usize,
    fails: usize,
}

/// The beginning of a pool.
#[repr(C)]
pub struct ngx_slab_pool_t {
    lock: ngx_shmtx_sh_t,
    min_size: usize,
    min_shift: usize,
    pages: usize,
    last: usize,
    free: Page,
    stats: usize,
    pfree: usize,
    start: usize,
    end: usize,
    /// The lock of the pool.
    pub mutex: ngx_shmtx_t,
    log_ctx: usize,
    zero: u8,
    /// The first of its bits is `log_nomem`.
    flags: u8,
    data: usize,
    addr: usize,
}

impl ngx_slab_pool_t {
    /// Begins a zone of `size` bytes, as nginx does: with the smallest size of chunks, 8 bytes,
    /// and a free lock.
    pub fn begin(&'static mut self, size: usize) {
        let start = std::ptr::from_mut(self).addr();
        let Self {
            lock,
            min_shift,
            end,
            mutex,
            addr,
            ..
        } = self;

        *min_shift = MIN_SHIFT;
        *end = start.saturating_add(size);
        *addr = start;
        mutex.create(lock);
    }

    /// The words of the lock.
    #[inline(always)]
    pub fn lock(&self) -> &ngx_shmtx_sh_t {
        &self.lock
    }
}

/// Whether the header of a zone of `size` bytes has the values that
/// [`ngx_slab_pool_t::begin`] has written.
pub fn is_begun(zone: &Words, size: usize) -> bool {
    let start = zone.start();
    let has = |at: usize, value: usize| {
        zone.word(start + at)
            .is_some_and(|word| word.load(Relaxed) == value)
    };

    has(field::MIN_SHIFT, MIN_SHIFT)
        && has(field::END, start.saturating_add(size))
        && has(field::ADDR, start)
        && has_own_lock(zone)
}

/// The address at which a zone of `size` bytes with this header must be mapped. `None` if the
/// header is that of no zone.
pub fn address_in(header: &[u8; HEADER], size: usize) -> Option<usize> {
    let value = |at: usize| {
        let bytes = header.get(at..).and_then(<[u8]>::first_chunk)?;

        Some(usize::from_ne_bytes(*bytes))
    };
    let address = value(field::ADDR)?;
    let is_zone = address != 0
        && address.is_multiple_of(Sizes::get().page())
        && address.checked_add(size) == value(field::END);

    is_zone.then_some(address)
}

/// Whether `mutex` of a pool uses the words of the pool, as in nginx.
pub fn has_own_lock(pool: &Words) -> bool {
    let start = pool.start();

    // These words are the first ones of the pool.
    WORDS_AT
        .iter()
        .enumerate()
        .all(|(n, at)| pool.load(start + MUTEX + at) == Some(start + n * size_of::<u64>()))
}

/// The smallest size of chunks in a zone, as a power of two.
pub const MIN_SHIFT: usize = 3;

/// Where `mutex` is in a pool.
pub const MUTEX: usize = offset_of!(ngx_slab_pool_t, mutex);
/// The size of the header, in bytes.
pub const HEADER: usize = size_of::<ngx_slab_pool_t>();
/// The size of a descriptor, in bytes.
pub const PAGE: usize = size_of::<Page>();
/// The size of the counters of one size, in bytes.
pub const STAT: usize = size_of::<Stat>();
/// The size of a word, in bytes.
pub const WORD: usize = size_of::<usize>();
/// The bits of a word.
pub const BITS: usize = usize::BITS as usize;

/// Offsets of the header's fields.
#[allow(missing_docs)]
pub mod field {
    use super::{ngx_slab_pool_t, offset_of};

    pub const MIN_SIZE: usize = offset_of!(ngx_slab_pool_t, min_size);
    pub const MIN_SHIFT: usize = offset_of!(ngx_slab_pool_t, min_shift);
    pub const PAGES: usize = offset_of!(ngx_slab_pool_t, pages);
    pub const LAST: usize = offset_of!(ngx_slab_pool_t, last);
    pub const FREE: usize = offset_of!(ngx_slab_pool_t, free);
    pub const STATS: usize = offset_of!(ngx_slab_pool_t, stats);
    pub const PFREE: usize = offset_of!(ngx_slab_pool_t, pfree);
    pub const START: usize = offset_of!(ngx_slab_pool_t, start);
    pub const END: usize = offset_of!(ngx_slab_pool_t, end);
    pub const LOG_CTX: usize = offset_of!(ngx_slab_pool_t, log_ctx);
    pub const ZERO: usize = offset_of!(ngx_slab_pool_t, zero);
    pub const FLAGS: usize = offset_of!(ngx_slab_pool_t, flags);
    pub const ADDR: usize = offset_of!(ngx_slab_pool_t, addr);
    pub const DATA: usize = offset_of!(ngx_slab_pool_t, data);
}

/// Offsets of a descriptor's fields.
#[allow(missing_docs)]
pub mod page {
    use super::{Page, offset_of};

    pub const SLAB: usize = offset_of!(Page, slab);
    pub const NEXT: usize = offset_of!(Page, next);
    pub const PREV: usize = offset_of!(Page, prev);
}

/// Offsets of the counters of one size.
#[allow(missing_docs)]
pub mod stat {
    use super::{Stat, offset_of};

    pub const TOTAL: usize = offset_of!(Stat, total);
    pub const USED: usize = offset_of!(Stat, used);
    pub const REQS: usize = offset_of!(Stat, reqs);
    pub const FAILS: usize = offset_of!(Stat, fails);
}

/// The bit of [`field::FLAGS`] for `log_nomem`.
pub const LOG_NOMEM: u8 = 1;

/// The kinds of pages, in the low bits of `prev`: `NGX_SLAB_PAGE`, a page of a run.
pub const KIND_PAGE: usize = 0;
/// `NGX_SLAB_BIG`: chunks that are so large that half a word has a bit for each.
pub const KIND_BIG: usize = 1;
/// `NGX_SLAB_EXACT`: as many chunks as a word has bits.
pub const KIND_EXACT: usize = 2;
/// `NGX_SLAB_SMALL`: more chunks; the first of them have the bits.
pub const KIND_SMALL: usize = 3;
/// The bits of `prev` that are the kind.
pub const KIND_MASK: usize = 3;

/// `NGX_SLAB_PAGE_START`: the bit of `slab` in the first page of a run that is
/// allocated. The other bits are the number of pages.
pub const RUN_START: usize = 1 << (BITS - 1);
/// `NGX_SLAB_PAGE_BUSY`: `slab` of the other pages of this run.
pub const RUN_BUSY: usize = usize::MAX;
/// `NGX_SLAB_PAGE_FREE`: `slab` of the other pages of a free run.
pub const RUN_FREE: usize = 0;

/// `NGX_SLAB_SHIFT_MASK`: the bits of `slab` that are the size of the chunks, as a
/// power of two.
pub const SHIFT_MASK: usize = 15;
/// `NGX_SLAB_MAP_SHIFT`: the first bit of `slab` that stands for a big chunk.
pub const MAP_SHIFT: usize = BITS / 2;

/// The size of a page as a power of two; 0 before it is known.
static PAGE_SHIFT: AtomicU32 = AtomicU32::new(0);

/// Finds out the size of a page, nginx's `ngx_slab_sizes_init()`.
pub fn sizes_init() {
    PAGE_SHIFT.store(page_size().trailing_zeros(), Relaxed);
}

/// The sizes that follow from the size of a page.
#[derive(Clone, Copy)]
pub struct Sizes {
    /// The size of a page as a power of two.
    pub shift: usize,
}

impl Sizes {
    /// The sizes of this machine.
    #[inline(always)]
    pub fn get() -> Self {
        let shift = PAGE_SHIFT.load(Relaxed);

        if shift == 0 {
            return Self::first();
        }

        Self {
            shift: shift as usize,
        }
    }

    #[cold]
    #[inline(never)]
    fn first() -> Self {
        sizes_init();

        Self {
            shift: PAGE_SHIFT.load(Relaxed) as usize,
        }
    }

    /// The size of a page in bytes, `ngx_pagesize`.
    #[inline(always)]
    pub fn page(self) -> usize {
        1 << self.shift
    }

    /// The size of the largest chunk, `ngx_slab_max_size`.
    #[inline(always)]
    pub fn max(self) -> usize {
        self.page() / 2
    }

    /// `ngx_slab_exact_shift`: with chunks of this size, a word has a bit for each
    /// chunk of a page.
    #[inline(always)]
    pub fn exact_shift(self) -> usize {
        self.shift - BITS.trailing_zeros() as usize
    }

    /// The number of chunks in a page.
    #[inline(always)]
    pub fn chunks(self, shift: usize) -> usize {
        self.page() >> shift
    }

    /// The number of small chunks that have the bits of their page.
    #[inline(always)]
    pub fn bitmap_chunks(self, shift: usize) -> usize {
        (self.chunks(shift) / (8 << shift)).max(1)
    }
}
