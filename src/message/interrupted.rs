//! A memory for unit tests: at chosen accesses of the code under test another process
//! acts. So a test can try all places of an interruption, one after the other.

use std::cell::{Cell, RefCell};
use std::ptr::NonNull;
use std::sync::atomic::Ordering;

use super::mapped::Mapped;
use super::memory::Memory;

/// What another process does, and before which access. The first access has the
/// number 0.
pub type Act<'a> = (u32, Box<dyn FnOnce() + 'a>);

/// The memory.
pub struct Interrupted<'a> {
    mapped: &'a Mapped,
    accesses: Cell<u32>,
    acts: RefCell<Vec<Act<'a>>>,
}

impl<'a> Interrupted<'a> {
    /// A memory whose accesses `acts` come before, in the order of their numbers.
    pub fn new(mapped: &'a Mapped, acts: Vec<Act<'a>>) -> Self {
        Self {
            mapped,
            accesses: Cell::new(0),
            acts: RefCell::new(acts),
        }
    }

    /// The number of accesses.
    pub fn accesses(&self) -> u32 {
        self.accesses.get()
    }

    fn mapped(&self) -> &'a Mapped {
        let access = self.accesses.get();

        self.accesses.set(access + 1);

        loop {
            let mut acts = self.acts.borrow_mut();

            if acts.first().is_none_or(|(at, _)| *at != access) {
                return self.mapped;
            }

            let (_, act) = acts.remove(0);

            drop(acts);
            act();
        }
    }
}

impl Memory for &Interrupted<'_> {
    fn size(&self) -> usize {
        self.mapped.size()
    }

    fn load(&self, at: usize, order: Ordering) -> u64 {
        self.mapped().load(at, order)
    }

    fn store(&self, at: usize, value: u64, order: Ordering) {
        self.mapped().store(at, value, order);
    }

    fn swap(&self, at: usize, value: u64) -> u64 {
        self.mapped().swap(at, value)
    }

    fn replace(&self, at: usize, from: u64, to: u64) -> bool {
        self.mapped().replace(at, from, to)
    }

    fn set_bits(&self, at: usize, bits: u64) {
        self.mapped().set_bits(at, bits);
    }

    fn clear_bits(&self, at: usize, bits: u64) {
        self.mapped().clear_bits(at, bits);
    }

    fn fence(&self) {
        self.mapped().fence();
    }

    fn write(&self, at: usize, bytes: &[u8]) {
        self.mapped().write(at, bytes);
    }

    fn read(&self, at: usize, to: &mut [u8]) {
        self.mapped().read(at, to);
    }

    fn address(&self, at: usize, len: usize) -> Option<NonNull<u8>> {
        self.mapped.address(at, len)
    }

    fn ring(&self, slot: u32) {
        self.mapped.ring(slot);
    }

    fn now(&self) -> u64 {
        self.mapped.now()
    }

    fn give_back(&self, at: usize, len: usize) {
        self.mapped.give_back(at, len);
    }
}
