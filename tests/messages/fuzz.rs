//! A fuzzer of the messages: another process writes garbage to the region, and
//! it does so between any two accesses of the code under test.
//!
//! The processes run in one thread on a memory of the test. Each access to it
//! can first change words of the memory. All choices follow from a seed, so a
//! failure happens again. What must hold:
//!
//! - The code does not panic. Debug builds also check for overflows.
//! - No access is outside the memory.
//! - Each call ends after a limited number of accesses.
//! - A message that arrives undamaged comes from its sender, and is for its receiver.
//! - After the garbage all processes talk to each other again: nothing is lost,
//!   and at the end all chunks are free.
//!
//! `T_FUZZ` is the number of seconds for which further seeds are tried, `T_SEED` the
//! first of them.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use ngx_ipc::message::endpoint::Endpoint;
use ngx_ipc::message::event::{Event, Message};
use ngx_ipc::message::identity::Identity;
use ngx_ipc::message::layout::Class;
use ngx_ipc::message::letter::Letter;
use ngx_ipc::message::lineage::Lineage;
use ngx_ipc::message::member::Member;
use ngx_ipc::message::peers::{Heritage, appoint};
use ngx_ipc::message::recover::recover;
use ngx_ipc::message::verify::verify;

use super::hostile::Random;
use super::hostile_memory::{Handle, SIZES};
use super::world::to;

/// The processes that talk to each other. The process of the last slot writes
/// garbage.
const HONEST: u32 = 3;
/// Stands for all receivers of a broadcast.
const ALL: u32 = 4;
/// Seeds that have failed once.
const FAILED: [u64; 8] = [1, 2, 31, 400, 411, 422, 427, 522];

type Process = Endpoint<Handle>;

/// The text of a message, which follows from its sender, its receiver, its class
/// and its number.
fn text(
    sender: u32,
    receiver: u32,
    class: Class,
    number: u64,
    len: usize,
) -> impl Iterator<Item = u8> {
    let name = u64::from(sender * 16 + receiver * 2 + u32::from(class.is_control()));
    let mut random = Random(1 + (number << 8 | name));

    (0..len.div_ceil(8))
        .flat_map(move |_| random.next().to_ne_bytes())
        .take(len)
}

/// The length of a message.
fn len(number: u64) -> usize {
    [24, 64, 200, 1000, 4000, 9000][(number * 7 + number / 6) as usize % 6]
}

/// What the processes have sent and received.
struct Traffic {
    memory: Handle,
    random: Random,
    processes: Vec<Process>,
    hostile: Option<Process>,
    number: u64,
    /// What waits from each sender to each receiver in each class; it is kept after the
    /// garbage only.
    waiting: Option<Vec<VecDeque<u64>>>,
    arrived: u64,
    gaps: u64,
}

fn lane(sender: u32, receiver: u32, class: Class) -> usize {
    (sender * 16 + receiver * 2 + u32::from(class.is_control())) as usize
}

/// The first process of each slot.
const FIRST: Lineage = Lineage {
    incarnation: 1,
    line: 1,
};

fn start(memory: &Handle, slot: u32, lineage: Lineage) -> Process {
    let identity = Identity::default();
    let layout = memory.0.layout;

    memory.begin();

    assert!(appoint(memory, &layout, slot, identity, lineage));

    memory.begin();

    Endpoint::begin(Member {
        memory: memory.clone(),
        layout,
        slot,
        incarnation: lineage.incarnation,
        line: lineage.line,
        identity,
    })
    .unwrap()
}

impl Traffic {
    fn new(seed: u64) -> Self {
        let memory = Handle::new(seed);
        let processes = (0..HONEST)
            .map(|slot| start(&memory, slot, FIRST))
            .collect();

        let hostile = Some(start(&memory, HONEST, FIRST));

        Self {
            hostile,
            memory,
            random: Random(seed.wrapping_mul(0xbf58_476d_1ce4_e5b9) | 1),
            processes,
            number: 1,
            waiting: None,
            arrived: 0,
            gaps: 0,
        }
    }

    fn receive(&mut self, slot: u32) {
        let process = &mut self.processes[slot as usize];
        let mut turn = process.turn(64, 0);

        loop {
            self.memory.begin();

            match process.next(&mut turn) {
                Some(Event::Message(message)) => {
                    let mut bytes = vec![0; message.len as usize];

                    self.memory.begin();
                    process.copy_payload(&message, &mut bytes);
                    self.arrived += 1;
                    check(&message, slot, &bytes, self.waiting.as_mut());
                }
                Some(Event::Gap(gap)) => {
                    assert!(self.waiting.is_none(), "{slot}: {gap:?}");
                    self.gaps += 1;
                }
                Some(_) => (),
                None => return,
            }
        }
    }

    fn send(&mut self, slot: u32) {
        let count = self.processes.len() as u32;
        let receiver = self.random.below(count as usize) as u32;
        let class = Class::ALL[usize::from(self.random.below(4) > 0)];
        let number = self.number;
        let len = match class {
            Class::Control => 24,
            Class::Data => len(number),
        };
        let letter = Letter {
            class,
            message_type: 3,
            user: number as u32,
            timed: number.is_multiple_of(5),
        };

        let process = &mut self.processes[slot as usize];

        self.memory.begin();
        self.number += 1;

        if self.random.below(6) == 0 {
            // It is the same text for all.
            let bytes: Vec<u8> = text(slot, ALL, class, number, len).collect();
            let mut missed = Vec::new();

            process.broadcast((0..count).map(to), letter, &bytes, |target, _| {
                missed.push(target.slot);
            });

            for receiver in (0..count).filter(|to| !missed.contains(to)) {
                self.sent(slot, receiver, class, number);
            }

            return;
        }

        let bytes: Vec<u8> = text(slot, receiver, class, number, len).collect();

        if process.send(to(receiver), letter, &bytes).is_ok() {
            self.sent(slot, receiver, class, number);
        }
    }

    fn sent(&mut self, sender: u32, receiver: u32, class: Class, number: u64) {
        if let Some(waiting) = &mut self.waiting {
            waiting[lane(sender, receiver, class)].push_back(number);
        }
    }

    /// One round of all processes.
    fn round(&mut self, round: usize) {
        for slot in 0..self.processes.len() as u32 {
            self.receive(slot);

            for _ in 0..self.random.below(4) {
                self.send(slot);
            }

            let process = &mut self.processes[slot as usize];

            if round.is_multiple_of(5) {
                self.memory.begin();
                process.tidy(3);
            }

            self.memory.begin();

            if process.prepare_sleep() {
                process.wake_up();
            }
        }
    }

    /// Kills a process. A successor takes its place.
    fn replace(&mut self, slot: u32) {
        let lineage = self.processes[slot as usize].own().lineage();

        self.memory.begin();
        recover(
            &self.memory,
            &self.memory.0.layout,
            slot,
            lineage.incarnation,
            Heritage::Successor,
        );
        self.processes[slot as usize] = start(&self.memory, slot, lineage.replacement());
    }

    /// The hostile process is killed and has a successor: all messages arrive
    /// again.
    fn check_recovery(&mut self) {
        self.memory.0.rate.set(0);
        self.processes.push(self.hostile.take().unwrap());
        self.replace(HONEST);

        for round in 0..400 {
            self.round(round);
        }

        // Nothing waits any more when each process has received all.
        for _ in 0..40 {
            for slot in 0..=HONEST {
                self.receive(slot);
            }
        }

        let number = self.number;

        self.waiting = Some(vec![VecDeque::new(); 64]);

        for round in 0..100 {
            self.round(round);
        }

        for _ in 0..40 {
            for slot in 0..=HONEST {
                self.receive(slot);
                self.memory.begin();
                self.processes[slot as usize].tidy(0);
            }
        }

        assert!(
            self.waiting.iter().flatten().all(VecDeque::is_empty),
            "{:?}",
            self.waiting
        );
        assert!(self.number > number + 100);

        self.memory.begin();
        let report = verify(&self.memory, &self.memory.0.layout).unwrap();
        let all = SIZES.slots * SIZES.chunks;

        assert_eq!((report.free, report.damaged_lanes), (all, 0), "{report:?}");
    }
}

/// Checks a message that has arrived.
fn check(message: &Message, receiver: u32, bytes: &[u8], waiting: Option<&mut Vec<VecDeque<u64>>>) {
    let number = u64::from(message.user);
    let is_from = |sender: u32, class| {
        [receiver, ALL]
            .iter()
            .any(|&to| text(sender, to, class, number, bytes.len()).eq(bytes.iter().copied()))
    };

    if let Some(waiting) = waiting {
        assert!(is_from(message.sender, message.class), "{message:?}");
        assert_eq!(
            waiting[lane(message.sender, receiver, message.class)].pop_front(),
            Some(number),
            "to {receiver}: {message:?}"
        );

        return;
    }

    // A text of another process, undamaged.
    let other = (0..HONEST)
        .flat_map(|sender| Class::ALL.map(|class| (sender, class)))
        .filter(|&(sender, class)| (sender, class) != (message.sender, message.class))
        .find(|&(sender, class)| bytes.len() >= 24 && is_from(sender, class));

    assert_eq!(other, None, "{message:?}");
}

fn try_seed(seed: u64) -> (u64, u64, u64) {
    let mut traffic = Traffic::new(seed);
    let mut choice = Random(seed.wrapping_mul(0x94d0_49bb_1331_11eb) | 1);

    for round in 0..20 {
        traffic.round(round);
    }

    // From a few words between two calls to garbage in each step.
    let rate = [1, 3, 10, 30, 100, 1000][choice.below(6)];
    let rounds = [5, 20, 80][choice.below(3)];

    for round in 0..rounds {
        traffic.memory.0.rate.set(rate);
        traffic.round(round);

        if choice.below(20) == 0 {
            traffic.replace(choice.below(HONEST as usize) as u32);
        }
    }

    traffic.check_recovery();
    (
        traffic.arrived,
        traffic.gaps,
        traffic.memory.0.deepest.get(),
    )
}

fn try_all(seeds: impl Iterator<Item = u64>) {
    let (mut count, mut arrived, mut gaps, mut deepest) = (0, 0, 0, 0);

    let mut failed = Vec::new();

    for seed in seeds {
        let result = catch_unwind(AssertUnwindSafe(|| try_seed(seed)));
        let Ok((more, others, steps)) = result else {
            failed.push(seed);
            continue;
        };

        count += 1;
        arrived += more;
        gaps += others;
        deepest = deepest.max(steps);
    }

    println!("{count} seeds, {arrived} messages, {gaps} gaps, {deepest} accesses at most");
    assert!(failed.is_empty(), "these seeds fail: {failed:?}");
}

#[test]
fn garbage_between_any_two_accesses() {
    let seconds = std::env::var("T_FUZZ").ok();
    let seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or(1);
    let first = std::env::var("T_SEED").ok();
    let first = first.and_then(|text| text.parse().ok()).unwrap_or(1);

    try_all(FAILED.into_iter());

    let end = Instant::now() + Duration::from_secs(seconds);

    try_all((first..).take_while(|_| Instant::now() < end));
}
