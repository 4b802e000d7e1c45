//! A process that writes garbage over the whole region. The others do not
//! crash, do not loop, and talk to each other again.

#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use ngx_ipc::message::event::Event;
use ngx_ipc::message::layout::Sizes;
use ngx_ipc::message::memory::Memory;

use super::world::{CONTROL, DATA, Process, World, to};

const SIZES: Sizes = Sizes {
    slots: 4,
    chunks: 24,
    control_chunks: 2,
    quota: 12,
};

/// How long garbage is written: `T_HOSTILE` seconds.
fn duration() -> Duration {
    let seconds = std::env::var("T_HOSTILE").ok();

    Duration::from_secs(seconds.and_then(|text| text.parse().ok()).unwrap_or(2))
}

/// A simple generator of random numbers, xorshift64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

/// Writes garbage to the region until `stop` is set. Half of the words are ones
/// that stood in the region, at this place or at another one.
fn scribble(world: World, seed: u64, stop: &AtomicBool) {
    let mut random = Random(seed);
    let words = world.layout.size() / 8;
    // Garbage in the head of the region only keeps new processes out.
    let head = 4096 / 8;

    while !stop.load(Relaxed) {
        let at = head + random.below(words - head);
        let from = random.below(words);
        let value = match random.below(8) {
            0 => 0,
            1 => u64::MAX,
            2 => random.next(),
            3 => random.next() & 0xffff,
            4 => world.memory.load(at * 8, Relaxed) ^ (1 << random.below(64)),
            5 => world.memory.load(at * 8, Relaxed).wrapping_add(1),
            _ => world.memory.load(from * 8, Relaxed),
        };

        world.memory.store(at * 8, value, Relaxed);
    }
}

/// Sends and receives a little, as an event loop does in one iteration. Returns
/// the numbers of the messages in `from`'s lane that are not torn.
fn turn(process: &mut Process, peer: u32, number: &mut u64) -> Vec<u64> {
    let mut got = Vec::new();
    let mut turn = process.turn(64, 1_000_000);

    while let Some(event) = process.next(&mut turn) {
        let Event::Message(message) = event else {
            continue;
        };
        let mut bytes = vec![0; message.len as usize];

        assert!(bytes.len() <= 0xff_ffff);
        process.copy_payload(&message, &mut bytes);

        if message.sender == peer
            && bytes.len() >= 8
            && bytes.chunks(8).all(|chunk| chunk == &bytes[..chunk.len()])
        {
            got.push(u64::from_ne_bytes(bytes[..8].try_into().unwrap()));
        }
    }

    for letter in [DATA, DATA, CONTROL] {
        let len = [8, 64, 1000, 4000, 9000][*number as usize % 5];
        let bytes: Vec<u8> = number.to_ne_bytes().into_iter().cycle().take(len).collect();

        if process.send(to(peer), letter, &bytes).is_ok() {
            *number += 1;
        }
    }

    got
}

/// One iteration of both processes. Each fifth one also does what is due from
/// time to time.
fn both(processes: &mut [Process; 2], numbers: &mut [u64; 2], round: usize) -> [Vec<u64>; 2] {
    let [a, b] = processes;
    let got = [turn(a, 1, &mut numbers[0]), turn(b, 0, &mut numbers[1])];

    for process in processes {
        if round.is_multiple_of(5) {
            process.tidy(3);
        }

        if process.prepare_sleep() {
            process.wake_up();
        }
    }

    got
}

#[test]
fn garbage_harms_nobody_else() {
    for seed in [0x1234_5678_9abc_def1, 77, 0xdead_beef] {
        let world = World::new(SIZES);
        let mut processes = [world.start(0), world.start(1)];
        let _hostile = world.start(2);
        let stop = AtomicBool::new(false);
        let mut numbers = [1, 1];
        let mut slowest = Duration::ZERO;
        let mut arrived = 0;

        std::thread::scope(|scope| {
            scope.spawn(|| scribble(world, seed, &stop));

            let end = Instant::now() + duration() / 3;
            let mut round = 0;

            while Instant::now() < end {
                let start = Instant::now();

                arrived += both(&mut processes, &mut numbers, round)
                    .iter()
                    .map(Vec::len)
                    .sum::<usize>();
                slowest = slowest.max(start.elapsed());
                round += 1;
            }

            stop.store(true, Relaxed);
        });

        // Whatever is left of the garbage, the messages arrive again. A gap can
        // come first.
        for round in 0..200 {
            both(&mut processes, &mut numbers, round);
        }

        let mut next = numbers.map(|number| number + 1000);
        let mut got = [0, 0];

        for round in 0..50 {
            let [a, b] = both(&mut processes, &mut next, round);

            got[0] += a.iter().filter(|&&number| number > 1000).count();
            got[1] += b.iter().filter(|&&number| number > 1000).count();
        }

        println!("seed {seed:#x}: {arrived} messages beside the garbage, slowest {slowest:?}");
        assert!(got.iter().all(|&count| count >= 100), "{seed:#x}: {got:?}");
        assert!(arrived > 0, "{seed:#x}");
    }
}
