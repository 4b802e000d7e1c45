//! A pool in shared memory: its fields, and the way from a descriptor to its page.

use std::sync::atomic::Ordering::Relaxed;

use super::known;
use super::layout::{HEADER, KIND_MASK, LOG_NOMEM, PAGE, STAT, Sizes, WORD, field, page};
use crate::sys::parts::Parts;
use crate::sys::words::Words;

/// Why an operation has failed. It has the size of a word, so that results are returned
/// in registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Fault {
    /// No free run of pages is long enough.
    NoMemory,
    /// The pointer to free is no address of the pool's pages.
    OutsideOfPool,
    /// The pointer to free is not the beginning of a chunk or run.
    WrongChunk,
    /// The chunk to free is free.
    ChunkIsFree,
    /// The page to free is free.
    PageIsFree,
    /// The pointer to free is one into an allocated run of pages.
    WrongPage,
    /// The function of the program that frees pieces has freed none, and says that it has.
    NotEvicted,
    /// All chunks of a page that should have a free one are in use.
    Busy,
    /// A number in the pool is impossible: a process has overwritten it.
    Damaged,
    /// A process has died in an operation, which is not undone yet.
    Interrupted,
}

impl Fault {
    /// The text for the log: nginx's for a pointer that cannot be freed, and for a damaged list;
    /// `None` if the text also has numbers.
    pub fn text(self) -> Option<&'static str> {
        match self {
            Self::OutsideOfPool => Some("ngx_slab_free(): outside of pool"),
            Self::WrongChunk => Some("ngx_slab_free(): pointer to wrong chunk"),
            Self::ChunkIsFree => Some("ngx_slab_free(): chunk is already free"),
            Self::PageIsFree => Some("ngx_slab_free(): page is already free"),
            Self::WrongPage => Some("ngx_slab_free(): pointer to wrong page"),
            Self::NotEvicted => Some("ngx_slab_alloc_evict(): evict has freed nothing"),
            Self::Busy => Some("ngx_slab_alloc(): page is busy"),
            Self::NoMemory | Self::Damaged | Self::Interrupted => None,
        }
    }
}

/// The result of a part of an operation.
pub type Result<T = ()> = std::result::Result<T, Fault>;

/// A pool. Every access is checked against the end of the pool, so a damaged pool
/// makes operations fail, but not crash.
#[derive(Clone, Copy)]
pub struct Pool {
    words: Words,
    sizes: Sizes,
}

impl Pool {
    /// The pool in the memory `words`.
    #[inline(always)]
    pub fn new(words: Words) -> Self {
        Self {
            words,
            sizes: Sizes::get(),
        }
    }

    /// The memory of the pool.
    #[inline(always)]
    pub fn words(&self) -> &Words {
        &self.words
    }

    /// The parts of the pool, if this process knows them.
    pub fn parts(&self) -> Option<Parts> {
        known::parts_of(self.words.start(), |division| division.of(&self.words))
    }

    /// The sizes of this machine.
    #[inline(always)]
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// Reads the word at `address`; `None` if it is not in the pool.
    #[inline(always)]
    pub fn load(&self, address: usize) -> Option<usize> {
        self.words.load(address)
    }

    /// Writes the word at `address`; `None` if it is not in the pool. `Release`, so that
    /// another process sees the stores before it, too, if it sees this one.
    /// [`change`](super::change) relies on this order.
    #[inline(always)]
    pub fn store(&self, address: usize, value: usize) -> Option<()> {
        self.words.store(address, value)
    }

    /// Reads the word at `address`.
    #[inline(always)]
    pub fn get(&self, address: usize) -> Result<usize> {
        self.load(address).ok_or(Fault::Damaged)
    }

    /// Writes the word at `address`, as [`store`](Self::store) does.
    #[inline(always)]
    pub fn put(&self, address: usize, value: usize) -> Result {
        self.store(address, value).ok_or(Fault::Damaged)
    }

    /// Adds 1 to a counter that is only shown.
    #[inline(always)]
    pub fn count(&self, address: usize) -> Result {
        self.put(address, self.get(address)?.wrapping_add(1))
    }

    /// The address of a field of the header.
    #[inline(always)]
    pub fn at(&self, field: usize) -> usize {
        self.words.start() + field
    }

    /// The value of a field of the header.
    #[inline(always)]
    pub fn field(&self, field: usize) -> Result<usize> {
        self.words.field(field).ok_or(Fault::Damaged)
    }

    /// Whether a request that finds no memory is logged.
    pub fn logs_no_memory(&self) -> bool {
        self.words
            .byte(self.at(field::FLAGS))
            .is_some_and(|flags| flags.load(Relaxed) & LOG_NOMEM != 0)
    }

    /// The number of sizes of chunks.
    pub fn slots(&self) -> Result<usize> {
        self.sizes
            .shift
            .checked_sub(self.field(field::MIN_SHIFT)?)
            .ok_or(Fault::Damaged)
    }

    /// The address of the head of the list of pages with chunks of the size `slot`.
    #[inline(always)]
    pub fn slot(&self, slot: usize) -> usize {
        self.at(HEADER).wrapping_add(slot.wrapping_mul(PAGE))
    }

    /// The address of the counters of the size `slot`.
    #[inline(always)]
    pub fn stats(&self, slot: usize) -> Result<usize> {
        Ok(self
            .field(field::STATS)?
            .wrapping_add(slot.wrapping_mul(STAT)))
    }

    /// The slot of the chunks whose size is `shift` as a power of two.
    #[inline(always)]
    pub fn slot_of(&self, shift: usize) -> Result<usize> {
        shift
            .checked_sub(self.field(field::MIN_SHIFT)?)
            .ok_or(Fault::Damaged)
    }

    /// The address of the page of a descriptor.
    #[inline(always)]
    pub fn page(&self, descriptor: usize) -> Result<usize> {
        let number = descriptor.wrapping_sub(self.field(field::PAGES)?) / PAGE;

        Ok(self
            .field(field::START)?
            .wrapping_add(number << self.sizes.shift))
    }

    /// The address of the descriptor of the page that contains `address`.
    #[inline(always)]
    pub fn descriptor(&self, address: usize) -> Result<usize> {
        let (start, pages, last) = (
            self.field(field::START)?,
            self.field(field::PAGES)?,
            self.field(field::LAST)?,
        );
        let number = address.wrapping_sub(start) >> self.sizes.shift;
        let descriptor = pages.wrapping_add(number.wrapping_mul(PAGE));

        // nginx reads a descriptor behind the last one here, D26.
        if address < start || descriptor >= last {
            return Err(Fault::OutsideOfPool);
        }

        Ok(descriptor)
    }

    /// Reads a field of the descriptor at `descriptor`.
    #[inline(always)]
    pub fn page_field(&self, descriptor: usize, field: usize) -> Result<usize> {
        self.get(descriptor.wrapping_add(field))
    }

    /// The kind of the page of a descriptor.
    #[inline(always)]
    pub fn kind(&self, descriptor: usize) -> Result<usize> {
        Ok(self.page_field(descriptor, page::PREV)? & KIND_MASK)
    }

    /// Writes `count` descriptors of a run, without its first one. Fails if they are no
    /// descriptors of the pool.
    pub fn fill_run(&self, first: usize, count: usize, slab: usize) -> Result {
        let (pages, last) = (self.field(field::PAGES)?, self.field(field::LAST)?);
        let is_run = first.is_multiple_of(WORD)
            && pages <= first
            && first <= last
            && count <= (last - first) / PAGE;

        if !is_run {
            return Err(Fault::Damaged);
        }

        let mut descriptor = first;

        for _ in 0..count {
            self.set_page(descriptor, [slab, 0, 0])?;
            descriptor = descriptor.wrapping_add(PAGE);
        }

        Ok(())
    }

    /// Writes `slab`, `next` and `prev` of the descriptor at `descriptor`.
    pub fn set_page(&self, descriptor: usize, [slab, next, prev]: [usize; 3]) -> Result {
        self.put(descriptor.wrapping_add(page::SLAB), slab)?;
        self.put(descriptor.wrapping_add(page::NEXT), next)?;
        self.put(descriptor.wrapping_add(page::PREV), prev)
    }

    /// The number of pages that the pool can have at most.
    pub fn most_pages(&self) -> usize {
        self.words.size() >> self.sizes.shift
    }

    /// The text that the program has set for log lines, `log_ctx`. An address outside of
    /// the pool counts as an empty text.
    pub fn log_ctx(&self) -> impl Iterator<Item = u8> + '_ {
        const MAX: usize = 256;

        let start = self.field(field::LOG_CTX).unwrap_or_default();

        (0..MAX)
            .map_while(move |i| self.words.byte(start.wrapping_add(i)))
            .map(|byte| byte.load(Relaxed))
            .take_while(|&byte| byte != 0)
    }
}
