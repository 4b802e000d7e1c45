//! What happens to the server in a storm.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::logs::{Clock, Disk};
use crate::support::random::Random;
use crate::support::server::Server;
use crate::support::upgrade::{change_binary, restart_workers, retire, wait_for_old};
use crate::support::{find, proc, sys, wait_until};

const WORKERS: usize = 4;

/// Lines of the log that a storm may cause.
const ALLOWED: &[&str] = &[
    "exited on signal 9",
    "24: Too many open files",
    "98: Address already in use",
    "still could not bind()",
    "no new process could be started",
    // The master has no descriptor for the channel.
    "could not respawn",
    // A process without free descriptors loses those that it gets.
    "recvmsg() truncated data",
    "recvmsg() returned no ancillary data",
];

/// One kind of thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    Reload,
    Reopen,
    Rotate,
    KillWorker,
    KillMaster,
    Upgrade,
    Stop,
    NoDescriptors,
    FullDisk,
    ClockJump,
}

impl Act {
    pub const ALL: [Self; 10] = [
        Self::Reload,
        Self::Reopen,
        Self::Rotate,
        Self::KillWorker,
        Self::KillMaster,
        Self::Upgrade,
        Self::Stop,
        Self::NoDescriptors,
        Self::FullDisk,
        Self::ClockJump,
    ];
}

/// A server, and what the storm changes.
pub struct Storm {
    pub server: Server,
    random: RefCell<Random>,
    disk: Option<Disk>,
    clock: Option<Clock>,
    /// The limit of descriptors of each process.
    limit: u64,
    /// Whether the disk was full while the log was written: lines are cut.
    torn: Cell<bool>,
    counts: RefCell<BTreeMap<Act, usize>>,
}

impl Storm {
    /// Starts the server.
    pub fn start(seed: u64) -> Self {
        let mut server = Server::echo("storm");
        let logs = server.directory.join("logs");
        let disk = Disk::mount(&logs);
        let clock = Clock::new(server.directory.join("clock"));

        server.log_directory = Some(logs);

        if disk.is_none() {
            eprintln!("SKIP: no full disk, because mount() is not permitted");
        }

        if clock.is_none() {
            eprintln!("SKIP: the clock does not jump, because libfaketime is not installed");
        }

        let clock = clock.map(|(clock, environment)| {
            server.environment.extend(
                environment
                    .into_iter()
                    .map(|(name, value)| (name, value.into())),
            );
            clock
        });

        let master = server.start(WORKERS, &["-d"]);
        let limit = proc::limit(master, "Max open files").and_then(|n| n.parse().ok());

        Self {
            server,
            random: RefCell::new(Random::new(seed)),
            disk,
            clock,
            limit: limit.expect("a limit"),
            torn: Cell::new(false),
            counts: RefCell::default(),
        }
    }

    /// How often something has happened.
    pub fn count(&self, act: Act) -> usize {
        self.counts.borrow().get(&act).copied().unwrap_or_default()
    }

    fn below(&self, n: usize) -> usize {
        self.random.borrow_mut().below(n)
    }

    /// Waits for a random time, so that what happens next meets another state.
    fn pause(&self, most: usize) {
        let msec = self.below(most);

        sleep(Duration::from_millis(msec as u64));
    }

    /// One of the processes of the server.
    fn one_process(&self) -> Option<i32> {
        self.random.borrow_mut().one(self.server.processes())
    }

    fn one_worker(&self) -> Option<i32> {
        self.random.borrow_mut().one(self.server.workers())
    }

    /// Makes things happen until `end`. All of them happen about equally often.
    pub fn rage(&self, end: Instant) {
        while Instant::now() < end {
            let act = Act::ALL[self.below(Act::ALL.len())];

            self.act(act);
            *self.counts.borrow_mut().entry(act).or_default() += 1;

            if self.below(2) == 0 {
                self.pause(100);
            }
        }
    }

    fn act(&self, act: Act) {
        let server = &self.server;

        match act {
            Act::Reload => server.signal(libc::SIGHUP),
            Act::Reopen => server.signal(libc::SIGUSR1),
            Act::Rotate => self.rotate(),
            Act::KillWorker => self.kill_worker(),
            Act::KillMaster => self.kill_master(),
            Act::Upgrade => self.upgrade(),
            Act::Stop => self.stop(),
            Act::NoDescriptors => self.take_descriptors(),
            Act::FullDisk => self.fill_disk(),
            Act::ClockJump => self.jump(),
        }
    }

    fn kill_worker(&self) {
        if let Some(pid) = self.one_worker() {
            sys::kill(pid, libc::SIGKILL);
        }
    }

    /// Kills the master, and starts the server again while the old workers shut down.
    fn kill_master(&self) {
        let master = self.server.master();

        sys::kill(master, libc::SIGKILL);
        wait_until("the end of the master", || !proc::alive(master));
        self.pause(50);
        self.start_again();
    }

    /// Starts the server. The start fails as long as the old workers listen.
    fn start_again(&self) {
        find("another master", || {
            let done = self.server.command(&["-w", &WORKERS.to_string(), "-d"]);

            self.server.run_daemon(done).then_some(())
        });
    }

    /// Starts another binary, and ends one of the two.
    fn upgrade(&self) {
        let server = &self.server;

        self.wait_for_one_generation();

        let (old, new) = change_binary(server, WORKERS);

        self.pause(100);

        match self.below(5) {
            0 | 1 => retire(server, old),
            2 => {
                sys::kill(new, libc::SIGQUIT);
                wait_for_old(server, old, new);
            }
            3 => {
                // If the master gets SIGHUP in the same round, it handles SIGHUP first, as
                // nginx does, and then stops the workers.
                sys::kill(old, libc::SIGWINCH);
                wait_until("the end of the old master's workers", || {
                    server.workers_of(old).is_empty()
                });
                restart_workers(server, old, WORKERS);
                sys::kill(new, libc::SIGKILL);
                wait_for_old(server, old, new);
            }
            _ => {
                sys::kill(old, libc::SIGKILL);
                wait_until("the end of the old master", || !proc::alive(old));
                fs::remove_file(server.old_pidfile()).unwrap();
            }
        }
    }

    /// Waits until the only workers are those of the last reload.
    fn wait_for_one_generation(&self) {
        wait_until("one generation", || {
            let all = self.server.processes().len();

            all == WORKERS + 1 && self.server.workers_of(self.server.master()).len() == WORKERS
        });
    }

    /// Stops a process for a while. Meanwhile the master gets signals.
    fn stop(&self) {
        let Some(pid) = self.one_process() else {
            return;
        };

        sys::kill(pid, libc::SIGSTOP);
        self.pause(100);
        self.signal_master();
        self.pause(200);
        sys::kill(pid, libc::SIGCONT);
    }

    fn signal_master(&self) {
        match self.below(3) {
            0 => self.server.signal(libc::SIGHUP),
            1 => self.server.signal(libc::SIGUSR1),
            _ => self.kill_worker(),
        }
    }

    /// Takes all free descriptors from a process for a while. Processes that are forked
    /// meanwhile have the limit too.
    fn take_descriptors(&self) {
        let Some(pid) = self.one_process() else {
            return;
        };
        let used = proc::descriptors(pid).len() as u64;

        sys::limit_descriptors(pid, used);
        self.pause(100);
        self.signal_master();
        self.pause(300);
        self.give_descriptors();
    }

    fn give_descriptors(&self) {
        let limited = || {
            let mut all = self.server.processes();
            let limit = self.limit.to_string();

            all.retain(|&pid| proc::limit(pid, "Max open files").is_some_and(|n| n != limit));
            all
        };

        wait_until("processes without a limit", || {
            let all = limited();

            all.iter().for_each(|&pid| {
                sys::limit_descriptors(pid, self.limit);
            });
            all.is_empty()
        });
    }

    /// Fills the disk of the log for a while.
    fn fill_disk(&self) {
        let Some(disk) = &self.disk else { return };

        self.torn.set(true);
        disk.fill();
        self.signal_master();
        self.pause(200);
        disk.empty();
    }

    /// Makes the clock jump by up to a day.
    fn jump(&self) {
        if let Some(clock) = &self.clock {
            clock.jump(self.below(2 * 86_400) as i64 - 86_400);
        }
    }

    /// Renames the log, makes all processes open it again, and checks the old one.
    fn rotate(&self) {
        let log = self.server.logfile();
        let old = log.with_extension("1");

        if fs::rename(&log, &old).is_err() {
            return;
        }

        self.server.signal(libc::SIGUSR1);
        self.server.wait_for_new_log();
        self.check_log(&fs::read_to_string(&old).unwrap_or_default());
        self.torn.set(false);
        let _ = fs::remove_file(&old);
    }

    /// Checks a log, unless lines of it are cut.
    fn check_log(&self, log: &str) {
        if !self.torn.get() {
            crate::support::log::check_lines(log, ALLOWED);
        }
    }

    /// Ends the storm, and waits until the workers of a last reload are the only ones.
    pub fn calm_down(&self) {
        let server = &self.server;

        if let Some(clock) = &self.clock {
            clock.jump(0);
        }

        self.give_descriptors();
        self.wait_for_one_generation();
        self.rotate();
        server.reload();
        self.wait_for_one_generation();
    }

    /// Ends the server.
    pub fn end(&self) {
        self.server.quit(ALLOWED);
    }
}
