//! The table of pages of a pool.

use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::Relaxed;

use super::{At, INVERSE, NODE, Node, Parts, WORD};

/// The entries of all pages. It has copies of where they are and of how many there are: the
/// compiler would read these numbers of [`Parts`] again for each access.
#[derive(Clone, Copy)]
pub struct Table<'a> {
    /// The beginning of the memory.
    start: NonNull<u8>,
    /// The address of the first entry.
    first: usize,
    /// The number of entries, which all lie within the memory, see `Places::fit`.
    count: usize,
    memory: PhantomData<&'a Node>,
}

impl Parts {
    /// The table of pages.
    #[inline(always)]
    pub fn table(&self) -> Table<'_> {
        Table {
            start: self.start,
            first: self.places.pages.load(Relaxed),
            count: self.places.count.load(Relaxed),
            memory: PhantomData,
        }
    }
}

impl<'a> Table<'a> {
    /// The number of pages.
    #[inline(always)]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The entry at `address`.
    ///
    /// # Safety
    ///
    /// An entry begins at `address`.
    #[inline(always)]
    unsafe fn at(&self, address: usize) -> At<'a, Node> {
        At {
            part: self.start.as_ptr().with_addr(address).cast(),
            memory: PhantomData,
        }
    }

    /// The number of the page whose entry is at `address`.
    #[inline(always)]
    pub fn number(&self, address: usize) -> Option<usize> {
        let at = address.wrapping_sub(self.first);
        // One comparison finds all other addresses: the low bits become the highest
        // ones, and what is not divisible by the words of an entry has no small quotient.
        let number = at.rotate_right(WORD.trailing_zeros()).wrapping_mul(INVERSE);

        (number < self.count).then_some(number)
    }

    /// The entry at `address`, and the number of its page.
    #[inline(always)]
    pub fn entry(&self, address: usize) -> Option<(usize, At<'a, Node>)> {
        let number = self.number(address)?;

        // SAFETY: `number` has found that an entry begins at the address.
        Some((number, unsafe { self.at(address) }))
    }

    /// The entry of the page with the number `n`.
    #[inline(always)]
    pub fn nth(&self, n: usize) -> Option<At<'a, Node>> {
        if n >= self.count {
            return None;
        }

        // SAFETY: there are more than `n` entries.
        Some(unsafe { self.at(self.first.wrapping_add(n * NODE)) })
    }

    /// Whether there are `len` pages from the number `n` on. There are `n` pages.
    #[inline(always)]
    pub fn has(&self, n: usize, len: usize) -> bool {
        len <= self.count.wrapping_sub(n)
    }
}
