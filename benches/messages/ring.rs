//! The floor: a ring in shared memory with one sender and one receiver, which
//! knows neither sleep, nor death, nor several senders.

use std::hint::spin_loop;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::{ptr, slice};

use super::process::{Shared, child, look_at, pin, time, time_each, wait};

const HEAD: usize = 0;
const TAIL: usize = 128;
const STARTED: usize = 256;
const SLEEPS: usize = 384;
const DATA: usize = 4096;
/// The memory of a ring in bytes.
const MEMORY: usize = 2 << 20;

/// What the sender does after it has written a message.
#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    /// Nothing.
    Bare,
    /// It looks whether the receiver sleeps.
    MaySleep,
}

struct Ring {
    shared: Shared,
    len: usize,
    slot: usize,
    slots: usize,
}

impl Ring {
    /// A ring for messages of `len` bytes, with as much memory as the part of a
    /// pool that one sender may use, so that as many messages can wait.
    fn new(len: usize) -> Self {
        let slot = len + 64;
        let slots = MEMORY / slot;

        Self {
            shared: Shared::new(DATA + slot * slots),
            len,
            slot,
            slots,
        }
    }

    /// Sends a message; waits for room.
    #[inline]
    fn send(&self, kind: Kind, next: &mut usize, known: &mut u64, bytes: &[u8]) {
        while *next as u64 - *known >= self.slots as u64 {
            *known = self.shared.word(TAIL).load(Acquire);
            spin_loop();
        }

        let at = DATA + *next % self.slots * self.slot;

        self.shared.word(at).store(bytes.len() as u64, Relaxed);
        // SAFETY: the slot has room for `bytes`, and the receiver does not read
        // it before the store below.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.shared.at(at + 8), bytes.len()) };
        *next += 1;

        if kind == Kind::Bare {
            self.shared.word(HEAD).store(*next as u64, Release);
            return;
        }

        // The message must be visible before the sender looks whether the receiver
        // sleeps. Here the receiver never does.
        self.shared.word(HEAD).swap(*next as u64, SeqCst);
        assert_eq!(self.shared.word(SLEEPS).load(SeqCst), 0);
    }

    /// Waits for a message, and looks at it.
    fn receive(&self, next: &mut usize, known: &mut u64) {
        while *next as u64 == *known {
            *known = self.shared.word(HEAD).load(Acquire);
            spin_loop();
        }

        let at = DATA + *next % self.slots * self.slot;

        // SAFETY: the slot has the message, and the sender does not write to it before
        // the store below.
        look_at(unsafe { slice::from_raw_parts(self.shared.at(at + 8), self.len) });
        *next += 1;
        self.shared.word(TAIL).store(*next as u64, Release);
    }
}

pub fn one_way(n: usize, len: usize, kind: Kind) -> f64 {
    pin(1);

    let ring = Ring::new(len);
    let bytes = vec![7; len];
    // As for the lanes.
    let warm = (n / 4).max(8);
    let pid = child(|| {
        ring.shared.populate();

        let (mut next, mut known) = (0, 0);

        for _ in 0..warm {
            ring.send(kind, &mut next, &mut known, &bytes);
        }

        while ring.shared.word(STARTED).load(Acquire) == 0 {
            std::thread::yield_now();
        }

        for _ in 0..n {
            ring.send(kind, &mut next, &mut known, &bytes);
        }
    });
    let (mut next, mut known) = (0, 0);

    for _ in 0..warm {
        ring.receive(&mut next, &mut known);
    }

    let value = time(n, || {
        ring.shared.word(STARTED).store(1, Release);

        for _ in 0..n {
            ring.receive(&mut next, &mut known);
        }
    });

    wait(&[pid]);
    value
}

pub fn round_trip(n: usize) -> f64 {
    pin(1);

    let (there, back) = (Ring::new(64), Ring::new(64));
    let bytes = [7; 64];
    let pid = child(|| {
        let mut state = [0; 2];
        let mut known = [0; 2];

        for _ in 0..n {
            there.receive(&mut state[0], &mut known[0]);
            back.send(Kind::Bare, &mut state[1], &mut known[1], &bytes);
        }
    });
    let mut state = [0; 2];
    let mut known = [0; 2];
    let value = time_each(n, || {
        there.send(Kind::Bare, &mut state[0], &mut known[0], &bytes);
        back.receive(&mut state[1], &mut known[1]);
    });

    wait(&[pid]);
    value
}

/// Two processes, each of which writes a word that the other one waits for. The words
/// lie in different cache lines, as messages in two directions do.
pub fn two_lines(n: usize) -> f64 {
    pin(1);

    let shared = Shared::new(4096);
    let side = |write: usize, read: usize, is_first: bool| {
        let mut number = 0;

        time_each(n, || {
            number += 1;

            if is_first {
                shared.word(write).store(number, Release);
            }

            while shared.word(read).load(Acquire) != number {
                spin_loop();
            }

            if !is_first {
                shared.word(write).store(number, Release);
            }
        })
    };
    let pid = child(|| {
        side(0, 1024, false);
    });
    let value = side(1024, 0, true);

    wait(&[pid]);
    value
}

/// Two processes that take turns to change one word.
pub fn bounce(n: usize) -> f64 {
    pin(1);

    let shared = Shared::new(4096);
    let turns = |mut turn: u64| {
        time_each(n, || {
            while shared.word(0).load(Acquire) != turn {
                spin_loop();
            }

            shared.word(0).store(turn + 1, Release);
            turn += 2;
        })
    };
    let pid = child(|| {
        turns(1);
    });
    let value = turns(0);

    wait(&[pid]);
    value
}
