//! A worker of the stress test: it sends to all others, and checks what it
//! receives against the ledger.

#![allow(unsafe_code)]

use std::panic;
use std::time::{Duration, Instant};

use ngx_ipc::message::endpoint::Endpoint;
use ngx_ipc::message::event::{Event, Message};
use ngx_ipc::message::layout::Class;
use ngx_ipc::message::letter::{Letter, Refused};
use ngx_ipc::message::mapped::Mapped;
use ngx_ipc::message::taken::Cause;

use super::hostile::Random;
use super::ledger::{DIRECT, KINDS, Ledger, TO_ALL, URGENT, WORKERS};
use super::world::{Process, to};

/// The phases of the test.
pub const RUN: u64 = 0;
pub const DRAIN: u64 = 1;
pub const TIDY: u64 = 2;
pub const EXIT: u64 = 3;

/// What is counted.
pub const RECEIVED: usize = 0;
pub const REFUSED: usize = 1;
pub const GAPS: usize = 2;
pub const DRAINING: usize = 3;

/// The largest payload.
const MOST: usize = 1 << 20;

/// The bytes of a message, which follow from its kind, its sender, its receiver
/// and its number.
fn fill(bytes: &mut [u8], kind: u32, sender: u32, number: u64) {
    let mut random = Random(1 + number * 64 + u64::from(kind * 16 + sender));

    for chunk in bytes.chunks_mut(8) {
        let word = random.next().to_ne_bytes();

        chunk.copy_from_slice(&word[..chunk.len()]);
    }
}

struct Worker {
    process: Process,
    memory: &'static Mapped,
    ledger: Ledger,
    slot: u32,
    random: Random,
    buffer: Vec<u8>,
    copy: Vec<u8>,
    /// The numbers that were claimed and could not be sent yet.
    refused: [[Option<u64>; WORKERS as usize]; KINDS as usize],
}

/// Runs a worker until the phase is [`EXIT`].
pub fn run(memory: &'static Mapped, ledger: Ledger, slot: u32) -> ! {
    // SAFETY: PR_SET_PDEATHSIG has no further arguments that matter.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    panic::set_hook(Box::new(move |info| ledger.fail(&info.to_string())));

    let result = panic::catch_unwind(|| work(memory, ledger, slot));

    // SAFETY: the child has nothing to clean up.
    unsafe { libc::_exit(i32::from(result.is_err())) }
}

fn work(memory: &'static Mapped, ledger: Ledger, slot: u32) {
    let process = Endpoint::attach(memory, slot).unwrap();
    let seed = u64::from(process.member().incarnation) << 8 | u64::from(slot) | 1 << 60;

    ledger.sent_by(slot).for_each(|entry| entry.resume());

    let mut worker = Worker {
        process,
        memory,
        ledger,
        slot,
        random: Random(seed),
        buffer: vec![0; MOST],
        copy: vec![0; MOST],
        refused: [[None; WORKERS as usize]; KINDS as usize],
    };
    let mut tidied = Instant::now();
    let mut is_draining = false;

    while ledger.phase() != EXIT {
        worker.receive();

        if ledger.phase() == RUN {
            for _ in 0..worker.random.below(8) {
                worker.send();
            }
        } else if !is_draining {
            is_draining = true;
            // What was refused is never sent.
            ledger.sent_by(slot).for_each(|entry| entry.resume());
            ledger.count(DRAINING, 1);
        }

        if ledger.phase() == TIDY {
            worker.process.tidy(0);
        } else if tidied.elapsed() > Duration::from_millis(20) {
            worker.process.tidy(3);
            tidied = Instant::now();
        }

        worker.sleep();
    }
}

impl Worker {
    fn receive(&mut self) {
        let mut turn = self.process.turn(64, 1_000_000);

        while let Some(event) = self.process.next(&mut turn) {
            match event {
                Event::Message(message) => self.check(&message),
                Event::Gap(gap) => {
                    // No process writes garbage in this test.
                    assert_ne!(gap.cause, Cause::Damaged, "{gap:?} {}", self.slot);
                    self.ledger.add_gap(&gap, self.slot);
                    self.ledger.count(GAPS, gap.count.into());
                }
                _ => (),
            }
        }
    }

    fn check(&mut self, message: &Message) {
        let kind = u32::from(message.message_type);
        let number = u64::from(message.user);
        let entry = self.ledger.entry(kind, message.sender, self.slot);
        let len = message.len as usize;

        let missing = entry.check_before(number).unwrap_or_else(|what| {
            panic!("kind {kind}, {} to {}: {what}", message.sender, self.slot)
        });

        let copied = self.process.copy_payload(message, &mut self.copy);

        assert_eq!(copied, len);
        fill(&mut self.buffer[..len], kind, message.sender, number);
        assert!(self.copy[..len] == self.buffer[..len], "a torn message");
        entry.received(number, missing);
        self.ledger.count(RECEIVED, 1);
    }

    fn len(&mut self) -> usize {
        let most = match self.random.below(64) {
            0 => MOST + 1,
            1..4 => 65_537,
            4..16 => 9000,
            _ => 257,
        };

        self.random.below(most)
    }

    fn letter(kind: u32, number: u64) -> Letter {
        Letter {
            class: match kind {
                URGENT => Class::Control,
                _ => Class::Data,
            },
            message_type: kind as u16,
            user: number as u32,
            timed: number.is_multiple_of(4),
        }
    }

    fn send(&mut self) {
        match self.random.below(16) {
            0 => self.send_to_all(),
            1 => self.send_one(URGENT),
            _ => self.send_one(DIRECT),
        }
    }

    fn send_one(&mut self, kind: u32) {
        let receiver = self.random.below(WORKERS as usize);
        let entry = self.ledger.entry(kind, self.slot, receiver as u32);
        let refused = &mut self.refused[kind as usize][receiver];
        let number = refused.take().unwrap_or_else(|| entry.claim());
        let len = match kind {
            URGENT => 24,
            _ => self.len(),
        };
        let bytes = &mut self.buffer[..len];

        fill(bytes, kind, self.slot, number);

        let letter = Self::letter(kind, number);

        match self.process.send(to(receiver as u32), letter, bytes) {
            Ok(()) => entry.sent(),
            Err(Refused::Again | Refused::Gone) => {
                self.refused[kind as usize][receiver] = Some(number);
                self.ledger.count(REFUSED, 1);
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    fn send_to_all(&mut self) {
        let (slot, ledger) = (self.slot, self.ledger);
        let entry = |to| ledger.entry(TO_ALL, slot, to);
        let numbers: Vec<_> = (0..WORKERS).map(|to| entry(to).claim()).collect();
        let number = numbers[0];
        let len = self.len();
        let bytes = &mut self.buffer[..len];

        // A predecessor can have been killed between two claims.
        let number = numbers.iter().copied().fold(number, u64::max);

        for to in 0..WORKERS {
            while numbers[to as usize] < number && entry(to).last() < number {
                entry(to).excuse();
                entry(to).claim();
            }
        }

        fill(bytes, TO_ALL, slot, number);

        let mut missed = Vec::new();

        self.process.broadcast(
            (0..WORKERS).map(to),
            Self::letter(TO_ALL, number),
            bytes,
            |target, _| missed.push(target.slot),
        );

        for to in 0..WORKERS {
            if missed.contains(&to) {
                entry(to).excuse();
            } else {
                entry(to).sent();
            }
        }
    }

    fn sleep(&mut self) {
        if !self.process.prepare_sleep() {
            return;
        }

        let mut watched = libc::pollfd {
            fd: self.memory.descriptor(self.slot).unwrap(),
            events: libc::POLLIN,
            revents: 0,
        };
        let pause = if self.ledger.phase() == RUN { 1 } else { 5 };

        // SAFETY: the kernel reads and writes `watched`, which is local.
        unsafe { libc::poll(&raw mut watched, 1, pause) };
        self.memory.silence(self.slot);
        self.process.wake_up();
    }
}
