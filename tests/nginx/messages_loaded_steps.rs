//! A worker of an unmodified nginx is killed or stopped while it takes its slot for
//! messages, or gives it back.
//!
//! What the other processes find depends only on the shared memory. So the worker runs one
//! instruction at a time, and is killed after each one that has changed the memory; with
//! `T_LONG` also after each other one.
//!
//! The region has room for the processes that run at the same time, and for no others. So
//! if a slot leaks, the next process finds none, and says so.

use std::env;
use std::fs::File;

use crate::messages_counts::{HTTP, main_with, wait_for_up};
use crate::messages_ledger::Ledger;
use crate::nginx::{Nginx, Which};
use crate::support::{find, proc, sys, wait_until};
use crate::traced::{Breakpoint, Forks, Symbols, Watched};
use crate::tracee::Tracee;

const WORKERS: usize = 2;

/// The function in which a worker takes its slot.
const JOIN: &str = " ngx_ipc_messages_watch";

/// What nginx and the library say of workers that are killed.
const KILLED: [&str; 2] = ["exited on signal 9", "has exited and held the lock"];

fn is_long() -> bool {
    env::var_os("T_LONG").is_some()
}

/// The memory that all processes share: the slots, what the processes know of each other,
/// and the lock. A process that joins writes nothing to the rest, the payloads.
struct Shared(Vec<Watched>);

impl Shared {
    const SIZE: usize = 16 * 1024;

    fn of(master: i32) -> Self {
        let files = proc::descriptors(master)
            .into_iter()
            .filter(|(_, target)| target.contains("memfd:ngx_ipc"))
            .map(|(fd, _)| File::open(format!("/proc/{master}/fd/{fd}")).expect("a file"));
        let this = Self(files.map(|file| Watched::of(&file, Self::SIZE)).collect());

        assert_eq!(this.0.len(), 3, "the slots, the board and the lock");
        this
    }

    /// Whether the memory has changed since the last call.
    fn has_changed(&mut self) -> bool {
        self.0
            .iter_mut()
            .fold(false, |is_any, memory| memory.has_changed() | is_any)
    }
}

/// Where a worker is killed.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// When it has changed the shared memory so many times.
    Change(usize),
    /// When it has run so many instructions.
    Instruction(usize),
    /// When it has written a part of its identity.
    Identity,
}

impl Place {
    /// Runs a process until there, which is about to take its slot. Returns false if it has
    /// taken the slot before.
    fn reach(self, tracee: &mut Tracee, symbols: &Symbols, shared: &mut Shared) -> bool {
        let start = match self {
            Self::Identity => "message5peers7appoint17h",
            _ => JOIN,
        };
        let call = Breakpoint::set(tracee, symbols.address(start)).wait();
        let (mut left, counts_all) = match self {
            Self::Identity => (1, false),
            Self::Change(n) => (n, false),
            Self::Instruction(n) => (n, true),
        };

        shared.has_changed();

        while left > 0 {
            assert!(tracee.step(), "the process has exited");

            if call.has_returned() {
                return false;
            }

            left -= usize::from(counts_all || shared.has_changed());
        }

        true
    }
}

/// An nginx with two workers, and with room for the messages of some processes.
struct Scene {
    nginx: Nginx,
    symbols: Symbols,
    shared: Shared,
}

impl Scene {
    fn new(test: &str, processes: usize) -> Self {
        let main = format!(
            "{}\nipc_messages processes={processes} memory=256k max=1k;",
            main_with(Which::Loaded, WORKERS)
        );
        let nginx = Nginx::new(test, Which::Loaded, &main, HTTP);
        let mut command = nginx.command(&[]);

        // An instruction that copies a block would stop after each byte.
        command.env(
            "GLIBC_TUNABLES",
            "glibc.cpu.x86_rep_movsb_threshold=1073741824:\
             glibc.cpu.x86_rep_stosb_threshold=1073741824",
        );
        nginx.spawn_command(command, &["-d"]);
        wait_for_up(&nginx, WORKERS);

        let module = Which::Loaded.module("ngx_ipc_module");
        let master = nginx.master();

        Self {
            symbols: Symbols::of(master, &module),
            shared: Shared::of(master),
            nginx,
        }
    }

    /// A worker sends a number to the other one.
    fn send(&self) {
        self.nginx.get("/");
    }

    /// Forgets all numbers, which were received.
    fn begin(&self) {
        File::create(self.nginx.directory.join("ledger")).expect("a ledger");
    }

    /// Waits until a new worker runs and all numbers were received, each once: no worker was
    /// killed while it handled one.
    fn check(&self, worker: i32, sent: usize, place: &str) {
        let ledger = find(&format!("all numbers, {place}"), || {
            let ledger = Ledger::read(&self.nginx);
            let is_complete = ledger.up.contains(&worker) && ledger.missing() == 0;

            (is_complete || ledger.lost() > 0).then_some(ledger)
        });

        assert_eq!(ledger.lost(), 0, "{place}: {:?}", ledger.gaps);
        assert_eq!(ledger.tried.len(), sent, "{place}");
        assert!(
            ledger.sent.values().all(|&n| n == 1),
            "{place}: {:?}",
            ledger.sent
        );
    }

    fn end(self) {
        assert_eq!(self.nginx.lines("no room for the messages"), [""; 0]);
        assert_eq!(self.nginx.lines("another process holds the lock"), [""; 0]);
        self.nginx.quit(&KILLED);
    }
}

/// The workers of a scene: one is killed again and again, and the other one sends to it.
struct Start {
    scene: Scene,
    forks: Forks,
    victim: i32,
    other: i32,
}

impl Start {
    fn new(test: &str) -> Self {
        let scene = Scene::new(test, WORKERS);
        let workers = scene.nginx.workers();

        Self {
            forks: Forks::of(scene.nginx.master()),
            scene,
            victim: *workers.first().unwrap(),
            other: *workers.last().unwrap(),
        }
    }

    /// The worker is killed. The next one is killed at a place while it takes over the slot,
    /// and so are those after it. The last one gets all messages, each once. Returns whether
    /// the processes have come to the places.
    fn kill_at(&mut self, places: &[Place], other: Other) -> bool {
        let Self { scene, forks, .. } = self;
        let is_stopped = other == Other::IsStopped;

        scene.begin();

        if is_stopped {
            stop_with_signal(self.other);
            scene.send();
        }

        sys::kill(self.victim, libc::SIGKILL);

        let mut sent = 1;
        let mut is_inside = true;

        for place in places {
            let mut tracee = forks.next();

            if !is_stopped {
                scene.send();
            }

            is_inside &= place.reach(&mut tracee, &scene.symbols, &mut scene.shared);

            if !is_stopped {
                scene.send();
                sent += 2;
            }

            tracee.kill();
        }

        if is_stopped {
            sys::kill(self.other, libc::SIGCONT);
        } else {
            scene.send();
        }

        let next = forks.next();

        if other == Other::Looks {
            wait_for_look(self.other);
        }

        self.victim = next.pid();
        next.release(0);
        scene.check(
            self.victim,
            sent,
            &format!("{places:?}, the other {other:?}"),
        );
        is_inside
    }

    fn end(self) {
        self.forks.go_on();
        drop(self.forks);
        self.scene.end();
    }
}

/// What the other worker does meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Other {
    /// It sends messages to the slot.
    Sends,
    /// It sends messages, and then looks for slots of dead processes before the replacement
    /// begins.
    Looks,
    /// It is stopped, and has not handled the last message of the worker that was killed.
    IsStopped,
}

fn stop_with_signal(pid: i32) {
    sys::kill(pid, libc::SIGSTOP);
    wait_until("a stopped process", || proc::state(pid) == Some('T'));
}

/// Waits until a worker, whose messages another one has not handled, has done its periodic
/// work. It wakes up for this once a second. The request before can have ended later.
fn wait_for_look(worker: i32) {
    let before = proc::switches(worker);

    wait_until("looks at the slots", || {
        proc::switches(worker) >= before + 3
    });
}

/// The next worker takes over the slot with all messages, wherever the one before it was
/// killed.
#[test]
fn each_change_of_the_start() {
    let mut start = Start::new("messages_loaded_start");
    let mut count = |other| {
        (0..)
            .take_while(|&n| start.kill_at(&[Place::Change(n)], other))
            .count()
    };
    let counts = [Other::Sends, Other::IsStopped].map(&mut count);

    println!("{counts:?} changes");
    assert!(counts.iter().all(|&n| n > 10), "only {counts:?} changes");

    assert!(start.kill_at(&[Place::Identity], Other::Looks));

    if is_long() {
        for (first, second) in (0..counts[0]).flat_map(|n| (0..counts[0]).map(move |m| (n, m))) {
            for other in [Other::Sends, Other::IsStopped] {
                start.kill_at(&[Place::Change(first), Place::Change(second)], other);
            }
        }

        for n in 0..counts[0] {
            start.kill_at(&[Place::Change(n)], Other::Looks);
        }

        let n = (0..)
            .take_while(|&n| start.kill_at(&[Place::Instruction(n)], Other::Sends))
            .count();

        println!("{n} instructions");
    }

    start.end();
}
