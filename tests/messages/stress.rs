//! Eight workers, all of which send to all, are killed and stopped at random and
//! replaced. Each number arrives once and in order, or is reported as a gap.
//! `T_STRESS` is the number of seconds; 3 if it is not set. `T_SEED` chooses another
//! order of kills and stops.

#![allow(unsafe_code)]

use std::time::{Duration, Instant};

use ngx_ipc::message::identity::Identity;
use ngx_ipc::message::layout::Sizes;
use ngx_ipc::message::peers::{Heritage, appoint};
use ngx_ipc::message::recover::recover;
use ngx_ipc::message::taken::Cause;
use ngx_ipc::message::verify::{Report, verify};

use super::hostile::Random;
use super::ledger::{DIRECT, KINDS, Ledger, URGENT, WORKERS};
use super::stress_worker::{self, DRAIN, EXIT, RUN, TIDY};
use super::world::{World, lineage_of};

const SIZES: Sizes = Sizes {
    slots: WORKERS,
    chunks: 700,
    control_chunks: 8,
    quota: 300,
};
/// How long the workers may need to receive all that was sent.
const PATIENCE: Duration = Duration::from_secs(60);

fn duration() -> Duration {
    let seconds = std::env::var("T_STRESS").ok();

    Duration::from_secs(seconds.and_then(|text| text.parse().ok()).unwrap_or(3))
}

struct Worker {
    pid: i32,
    incarnation: u32,
    /// When a stopped worker goes on.
    stopped: Option<Instant>,
}

struct Master {
    world: World,
    ledger: Ledger,
    random: Random,
    workers: Vec<Worker>,
    /// The number of kills of each worker.
    kills: [u64; WORKERS as usize],
    /// The number of those after which a stranger has taken the slot.
    strangers: [u64; WORKERS as usize],
    stops: u32,
}

impl Master {
    fn new(seed: u64) -> Self {
        let world = World::new(SIZES);
        let mut this = Self {
            world,
            ledger: Ledger::new(),
            random: Random(seed),
            workers: Vec::new(),
            kills: [0; WORKERS as usize],
            strangers: [0; WORKERS as usize],
            stops: 0,
        };
        // All workers can send to all before the first one runs.
        let incarnations: Vec<_> = (0..WORKERS)
            .map(|slot| this.appoint(slot, Heritage::Stranger))
            .collect();

        for (slot, incarnation) in (0..).zip(incarnations) {
            let worker = this.fork(slot, incarnation);

            this.workers.push(worker);
        }

        this
    }

    fn appoint(&self, slot: u32, heritage: Heritage) -> u32 {
        let World { memory, layout } = self.world;

        let lineage = lineage_of(&memory, &layout, slot, heritage);

        assert!(appoint(
            &memory,
            &layout,
            slot,
            Identity::default(),
            lineage
        ));

        lineage.incarnation
    }

    fn fork(&self, slot: u32, incarnation: u32) -> Worker {
        // SAFETY: the child uses no lock that another thread of this program can
        // hold, other than that of malloc(), which glibc makes usable in it.
        let pid = unsafe { libc::fork() };

        assert!(pid >= 0);

        if pid == 0 {
            stress_worker::run(self.world.memory, self.ledger, slot);
        }

        Worker {
            pid,
            incarnation,
            stopped: None,
        }
    }

    fn signal(&self, slot: usize, signal: i32) {
        // SAFETY: the worker was not reaped, so the pid is still its own.
        assert_eq!(unsafe { libc::kill(self.workers[slot].pid, signal) }, 0);
    }

    fn reap(&self, slot: usize) -> i32 {
        let mut status = 0;

        // SAFETY: the kernel writes `status`, which is local.
        let pid = unsafe { libc::waitpid(self.workers[slot].pid, &raw mut status, 0) };

        assert_eq!(pid, self.workers[slot].pid);
        status
    }

    /// Kills a worker, and starts another one in its slot.
    fn replace(&mut self, slot: usize) {
        self.signal(slot, libc::SIGKILL);

        let status = self.reap(slot);

        assert!(
            libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGKILL,
            "{}",
            self.ledger.failure()
        );

        let World { memory, layout } = self.world;
        let heritage = if self.random.below(5) == 0 {
            Heritage::Stranger
        } else {
            Heritage::Successor
        };
        let incarnation = self.workers[slot].incarnation;

        recover(&memory, &layout, slot as u32, incarnation, heritage);

        // The others meet a slot without a process for a while.
        if self.random.below(3) == 0 {
            std::thread::sleep(Duration::from_millis(2));
        }

        let incarnation = self.appoint(slot as u32, heritage);

        self.workers[slot] = self.fork(slot as u32, incarnation);
        self.kills[slot] += 1;
        self.strangers[slot] += u64::from(heritage == Heritage::Stranger);
    }

    fn stop(&mut self, slot: usize) {
        self.signal(slot, libc::SIGSTOP);

        let pause = Duration::from_millis(self.random.below(30) as u64);

        self.workers[slot].stopped = Some(Instant::now() + pause);
        self.stops += 1;
    }

    fn resume(&mut self, until: Instant) {
        for slot in 0..self.workers.len() {
            if self.workers[slot].stopped.is_some_and(|end| end <= until) {
                self.signal(slot, libc::SIGCONT);
                self.workers[slot].stopped = None;
            }
        }
    }

    fn disturb(&mut self, duration: Duration) {
        let end = Instant::now() + duration;

        while Instant::now() < end {
            let pause = 1 + self.random.below(15) as u64;
            let slot = self.random.below(self.workers.len());

            // The time between two disturbances.
            std::thread::sleep(Duration::from_millis(pause));
            assert_eq!(self.ledger.failure(), "");
            self.resume(Instant::now());

            match self.random.below(3) {
                0 => self.replace(slot),
                1 => self.stop(slot),
                _ => (),
            }
        }
    }

    /// Checks that the causes of the gaps are true.
    fn check_causes(&self) {
        let all: u64 = self.kills.iter().sum();

        for receiver in 0..WORKERS {
            let (kills, strangers) = (
                self.kills[receiver as usize],
                self.strangers[receiver as usize],
            );
            // The data lane and the control lane.
            let unused: u64 = (0..WORKERS)
                .flat_map(|sender| [DIRECT, URGENT].map(|kind| (kind, sender)))
                .map(|(kind, sender)| self.ledger.entry(kind, sender, receiver).unused_gaps())
                .sum();

            // Each kill ends the handling of one message at most.
            assert!(self.ledger.lost(Cause::Handling, receiver) <= kills);
            assert!(strangers > 0 || self.ledger.lost(Cause::ForAnother, receiver) == 0);
            // A gap explains no missing number if a kill came before the sender or
            // the receiver has recorded the message.
            assert!(unused <= kills + all, "{receiver}: {unused} gaps too many");
        }
    }

    /// Waits until the region is as `is_reached` demands.
    fn wait_for(&self, what: &str, is_reached: impl Fn(&Report) -> bool) {
        let end = Instant::now() + PATIENCE;

        loop {
            let report = verify(&self.world.memory, &self.world.layout).unwrap();

            if is_reached(&report) {
                return;
            }

            assert_eq!(self.ledger.failure(), "");
            assert!(Instant::now() < end, "{what}: {report:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
fn workers_that_are_killed_and_stopped_lose_nothing_in_silence() {
    let seed = std::env::var("T_SEED").ok();
    let seed = seed.and_then(|text| text.parse().ok()).unwrap_or(1_u64);
    let mut master = Master::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let ledger = master.ledger;
    let all = SIZES.slots * SIZES.chunks;

    ledger.set_phase(RUN);
    master.disturb(duration());
    master.resume(Instant::now() + PATIENCE);
    ledger.set_phase(DRAIN);
    master.wait_for("all workers have stopped to send", |_| {
        ledger.counted(stress_worker::DRAINING) >= u64::from(WORKERS)
    });
    master.wait_for("all messages are received", |report| report.messages == 0);
    ledger.set_phase(TIDY);
    master.wait_for("all chunks are free", |report| report.free == all);
    ledger.set_phase(EXIT);

    for slot in 0..master.workers.len() {
        assert_eq!(master.reap(slot), 0, "{}", ledger.failure());
    }

    assert_eq!(master.world.assert_nothing_lost().free, all);

    for sender in 0..WORKERS {
        for (kind, to) in (0..KINDS).flat_map(|kind| (0..WORKERS).map(move |to| (kind, to))) {
            let end = ledger.entry(kind, sender, to).check_end();

            assert_eq!(end, Ok(()), "kind {kind} from {sender} to {to}");
        }
    }

    master.check_causes();
    println!(
        "seed {seed}: {} messages, {} refused, {} in gaps, {:?} kills, {} stops",
        ledger.counted(stress_worker::RECEIVED),
        ledger.counted(stress_worker::REFUSED),
        ledger.counted(stress_worker::GAPS),
        master.kills,
        master.stops,
    );
    assert!(ledger.counted(stress_worker::RECEIVED) > 1000);
    assert!(master.kills.iter().sum::<u64>() > 10 && master.stops > 10);
}
