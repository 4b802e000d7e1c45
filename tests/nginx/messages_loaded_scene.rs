//! An unmodified nginx whose workers run one instruction at a time while they take their
//! slots for messages, or give them back.
//!
//! The region has room for the processes that run at the same time, and for no others. So
//! if a slot leaks, the next process finds none, and says so.

use std::env;
use std::fs::File;

use crate::messages_counts::{HTTP, main_with, wait_for_up};
use crate::messages_ledger::Ledger;
use crate::nginx::{Nginx, Which};
use crate::support::{find, proc, wait_until};
use crate::traced::{Breakpoint, Call, Symbols, Watched, word};
use crate::tracee::Tracee;

pub const WORKERS: usize = 2;

/// The function in which a worker takes its slot.
pub const JOIN: &str = " ngx_ipc_messages_watch";

/// The function that writes what a process is to its slot.
pub const APPOINT: &str = "message5peers7appoint17h";

/// What nginx and the library say of workers that are killed.
pub const KILLED: [&str; 2] = ["exited on signal 9", "has exited and held the lock"];

pub const NO_ROOM: &str = "no room for the messages";
pub const HELD: &str = "another process holds the lock of the slots";

pub fn is_long() -> bool {
    env::var_os("T_LONG").is_some()
}

/// The memory that all processes share: the slots, what the processes know of each other,
/// and the lock. A process that joins writes nothing to the rest, the payloads.
pub struct Shared(Vec<Watched>);

impl Shared {
    const SIZE: usize = 16 * 1024;

    pub fn of(master: i32) -> Self {
        let files = proc::descriptors(master)
            .into_iter()
            .filter(|(_, target)| target.contains("memfd:ngx_ipc"))
            .map(|(fd, _)| File::open(format!("/proc/{master}/fd/{fd}")).expect("a file"));
        let this = Self(files.map(|file| Watched::of(&file, Self::SIZE)).collect());

        assert_eq!(this.0.len(), 3, "the slots, the board and the lock");
        this
    }

    /// Whether the memory has changed since the last call.
    pub fn has_changed(&mut self) -> bool {
        self.0
            .iter_mut()
            .fold(false, |is_any, memory| memory.has_changed() | is_any)
    }
}

/// Where a worker is killed.
#[derive(Clone, Copy, Debug)]
pub enum Place {
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
    pub fn reach(self, tracee: &mut Tracee, symbols: &Symbols, shared: &mut Shared) -> bool {
        let start = match self {
            Self::Identity => APPOINT,
            _ => JOIN,
        };
        let call = Breakpoint::set(tracee, symbols.address(start)).wait();
        match self {
            Self::Identity => change(tracee, &call, 1, shared),
            Self::Change(n) => change(tracee, &call, n, shared),
            Self::Instruction(n) => (0..n).all(|_| step(tracee, &call)),
        }
    }
}

/// Runs one instruction of a call. Returns false if it has returned.
pub fn step(tracee: &mut Tracee, call: &Call) -> bool {
    assert!(tracee.step(), "the process has exited");
    !call.has_returned()
}

/// Runs a call until it has changed the shared memory so many times. Returns false if it has
/// returned before.
pub fn change(tracee: &mut Tracee, call: &Call, times: usize, shared: &mut Shared) -> bool {
    shared.has_changed();

    (0..times).all(|_| {
        loop {
            if !step(tracee, call) {
                return false;
            }

            if shared.has_changed() {
                return true;
            }
        }
    })
}

/// An nginx with two workers, and with room for the messages of some processes.
pub struct Scene {
    pub nginx: Nginx,
    pub symbols: Symbols,
    pub shared: Shared,
}

impl Scene {
    pub fn new(test: &str, processes: usize) -> Self {
        let main = format!(
            "{}\nipc_messages processes={processes} memory=256k max=1k;",
            main_with(Which::Loaded, WORKERS)
        );
        let http = HTTP.replace("location /", "location = /plain { return 200; } location /");
        let nginx = Nginx::new(test, Which::Loaded, &main, &http);
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

    /// Runs a process, which is about to take its slot, until it holds the lock of the slots.
    pub fn run_to_lock(&self, tracee: &mut Tracee) {
        let pid = tracee.pid();
        let words = self.symbols.address("slot_lock5WORDS17h");
        let owner = || word(pid, word(pid, words) as usize) as i32;
        let call = Breakpoint::set(tracee, self.symbols.address(JOIN)).wait();

        assert_eq!(owner(), 0, "the lock is free");

        while owner() != pid {
            assert!(tracee.step() && !call.has_returned(), "it has no lock");
        }
    }

    /// A worker sends a number to the other one.
    pub fn send(&self) {
        self.nginx.get("/");
    }

    /// Forgets all numbers, which were received.
    pub fn begin(&self) {
        File::create(self.nginx.directory.join("ledger")).expect("a ledger");
    }

    /// Waits until a new worker runs and all numbers were received, each once: no worker was
    /// killed while it handled one.
    pub fn check(&self, worker: i32, sent: usize, place: &str) {
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

    /// Each worker sends a number to the other one, and all numbers are received.
    pub fn all_send(&self) {
        self.begin();
        self.nginx.with_each(|_| self.send());
        wait_until("all numbers", || {
            let ledger = Ledger::read(&self.nginx);

            assert!(ledger.sent.values().all(|&n| n == 1), "{:?}", ledger.sent);
            ledger.received.len() == WORKERS
        });
    }

    pub fn end(self) {
        assert_eq!(self.nginx.lines(NO_ROOM), [""; 0]);
        assert_eq!(self.nginx.lines(HELD), [""; 0]);
        self.nginx.quit(&KILLED);
    }
}
