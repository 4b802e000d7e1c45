//! A memory to which another process writes garbage, between any two accesses of
//! the code under test. All that it writes follows from a seed.

use std::cell::{Cell, RefCell};
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use ngx_ipc::message::layout::{Layout, Sizes};
use ngx_ipc::message::memory::Memory;

use super::hostile::Random;

pub const SIZES: Sizes = Sizes {
    slots: 4,
    chunks: 24,
    control_chunks: 2,
    quota: 12,
};
/// The largest number of accesses of one call, unless a test sets another one.
const MOST_ACCESSES: u64 = 20_000;

/// The memory, and the process that writes garbage to it.
pub struct Hostile {
    words: Box<[Cell<u64>]>,
    pub layout: Layout,
    random: RefCell<Random>,
    /// One access of so many is preceded by garbage; 0 for none.
    pub rate: Cell<u64>,
    accesses: Cell<u64>,
    pub most: Cell<u64>,
    /// The offset of a word, and bits of it that each load inverts.
    pub flips: Cell<(usize, u64)>,
    pub deepest: Cell<u64>,
    clock: Cell<u64>,
    /// The number of pauses.
    pub pauses: Cell<u64>,
}

#[derive(Clone)]
pub struct Handle(pub Rc<Hostile>);

impl Handle {
    pub fn new(seed: u64) -> Self {
        let layout = Layout::new(SIZES).unwrap();
        let this = Self(Rc::new(Hostile {
            words: vec![Cell::new(0); layout.size() / 8].into(),
            layout,
            random: RefCell::new(Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)),
            rate: Cell::new(0),
            accesses: Cell::new(0),
            most: Cell::new(MOST_ACCESSES),
            flips: Cell::new((0, 0)),
            deepest: Cell::new(0),
            clock: Cell::new(0),
            pauses: Cell::new(0),
        }));

        layout.create(&this);
        this
    }

    /// A word of the region. Before, the hostile process may write.
    fn word(&self, at: usize) -> &Cell<u64> {
        let this = &self.0;

        this.accesses.set(this.accesses.get() + 1);
        assert!(this.accesses.get() < this.most.get(), "an endless loop");

        if this.rate.get() > 0
            && this
                .random
                .borrow_mut()
                .next()
                .is_multiple_of(this.rate.get())
        {
            self.scribble(at);
        }

        assert!(at.is_multiple_of(8), "the offset {at} is no word");
        this.words.get(at / 8).expect("a word outside the region")
    }

    /// Writes a word of garbage: at any place, or at one that is in use.
    fn scribble(&self, at: usize) {
        let this = &self.0;
        let random = &mut *this.random.borrow_mut();
        // Garbage in the head of the region keeps new processes out, or is repaired.
        let head = 4096 / 8;
        let (words, chunks) = (this.words.len(), this.layout.chunk(0, 0) / 8);
        let target = match random.below(8) {
            0 => head + random.below(words - head),
            1..4 => head + random.below(chunks - head),
            4 | 5 => at / 8,
            6 => (at / 8 + random.below(9)).saturating_sub(4).max(head),
            _ => {
                let chunk = this.layout.chunk(
                    random.below(SIZES.slots as usize) as u32,
                    random.below(SIZES.chunks as usize) as u32,
                );

                chunk / 8 + random.below(64)
            }
        };
        let Some(target) = this.words.get(target) else {
            return;
        };
        let old = target.get();

        target.set(match random.below(10) {
            0 => 0,
            1 => u64::MAX,
            2 => random.next(),
            3 => random.next() & 0xffff,
            4 => old ^ (1 << random.below(64)),
            5 => old.wrapping_add(1),
            6 => old.wrapping_sub(1),
            7 => old.wrapping_add(1 << (8 * random.below(8))),
            8 => this.words[head + random.below(chunks - head)].get(),
            _ => this.words[random.below(words)].get(),
        });
    }

    /// Begins another call of the code under test.
    pub fn begin(&self) {
        let this = &self.0;

        this.deepest
            .set(this.deepest.get().max(this.accesses.get()));
        this.accesses.set(0);
    }
}

impl Memory for Handle {
    fn size(&self) -> usize {
        self.0.words.len() * 8
    }

    fn load(&self, at: usize, _order: Ordering) -> u64 {
        let word = self.word(at);

        match self.0.flips.get() {
            (flipped, bits) if flipped == at => word.replace(word.get() ^ bits),
            _ => word.get(),
        }
    }

    fn store(&self, at: usize, value: u64, _order: Ordering) {
        self.word(at).set(value);
    }

    fn swap(&self, at: usize, value: u64) -> u64 {
        self.word(at).replace(value)
    }

    fn replace(&self, at: usize, from: u64, to: u64) -> bool {
        let word = self.word(at);
        let is_equal = word.get() == from;

        if is_equal {
            word.set(to);
        }

        is_equal
    }

    fn set_bits(&self, at: usize, bits: u64) {
        let word = self.word(at);

        word.set(word.get() | bits);
    }

    fn clear_bits(&self, at: usize, bits: u64) {
        let word = self.word(at);

        word.set(word.get() & !bits);
    }

    fn fence(&self) {}

    fn write(&self, at: usize, bytes: &[u8]) {
        for (index, chunk) in bytes.chunks(8).enumerate() {
            let word = self.word(at + index * 8);
            let mut whole = word.get().to_ne_bytes();

            whole[..chunk.len()].copy_from_slice(chunk);
            word.set(u64::from_ne_bytes(whole));
        }
    }

    fn read(&self, at: usize, to: &mut [u8]) {
        for (index, chunk) in to.chunks_mut(8).enumerate() {
            let whole = self.word(at + index * 8).get().to_ne_bytes();

            chunk.copy_from_slice(&whole[..chunk.len()]);
        }
    }

    fn prefetch(&self, at: usize) {
        assert!(at < self.size());
    }

    fn pause(&self) {
        self.0.pauses.set(self.0.pauses.get() + 1);
    }

    fn address(&self, _at: usize, _len: usize) -> Option<NonNull<u8>> {
        None
    }

    fn ring(&self, slot: u32) {
        assert!(slot < SIZES.slots);
    }

    fn now(&self) -> u64 {
        let clock = &self.0.clock;

        clock.set(clock.get() + 100);
        clock.get()
    }

    fn give_back(&self, at: usize, len: usize) {
        for at in (at..at + len).step_by(8) {
            self.0.words[at / 8].set(0);
        }
    }
}
