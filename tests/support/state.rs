//! The state of a server that each test leaves as it was: descriptors, signals,
//! priority, memory, files and processes.
//!
//! [`Server`] calls these functions for each test, when the server has started, before
//! it is told to exit, and when it has exited. A test of something that must change
//! nothing calls [`Server::nothing_changes`].

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

use super::server::Server;
use super::sockets::{Sockets, is_listening};
use super::{SOON, find, proc, wait_until, wait_within};

/// What a process has at one moment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process {
    /// The title, without numbers.
    title: String,
    /// The number of descriptors of each kind.
    descriptors: BTreeMap<String, usize>,
    /// The signals that the process blocks, ignores and handles.
    signals: String,
    nice: Option<i32>,
}

impl Process {
    fn read(sockets: &Sockets, pid: i32) -> Self {
        // The number of descriptors of libfaketime depends on its own races.
        let links: Vec<String> = proc::descriptors(pid)
            .into_values()
            .filter(|link| !link.contains("faketime_shm"))
            .collect();

        Self {
            title: title_of(pid),
            descriptors: proc::kinds_of(sockets, &links),
            signals: ["SigBlk", "SigIgn", "SigCgt"]
                .map(|set| proc::status(pid, set).unwrap_or_default())
                .join(" "),
            nice: proc::nice(pid),
        }
    }
}

/// The title of a process, without numbers.
pub fn title_of(pid: i32) -> String {
    proc::title(pid).replace(|c: char| c.is_ascii_digit(), "")
}

/// Files that the tests themselves make in the directory of a server, and files that
/// stay when a server exits.
const STAY: &[&str] = &[
    "clock",
    "conf",
    "drops",
    "echo",
    "fifo",
    "ledger",
    "ledger.large",
    "ledger.stop",
    "link",
    "log",
    "log.1",
    "logs",
    "logs.1",
    "manager;1.sock",
    "notify",
    "reconfigure",
    "own",
    "precious",
    "roots",
    "secret",
    "server",
    "stderr",
    "stdout",
    "strace",
    "table",
    "target",
    "unix.sock",
    "work",
];

/// Whether a file may stay in the directory of a server that has exited.
fn stays(file: &str) -> bool {
    STAY.contains(&file) || file.starts_with("ledger.")
}

/// What is wrong with a process of a server, whatever the test does with the server.
/// The result is empty if nothing is wrong.
fn faults_of(pid: i32, around: &Around) -> Vec<String> {
    let Around { sockets, .. } = around;
    let title = title_of(pid);
    let mut faults = Vec::new();
    let mut fault = |text: String| faults.push(format!("{pid} \"{title}\": {text}"));
    let mut seen = BTreeSet::new();

    for (fd, link) in proc::inherited_by_programs(pid) {
        if fd > libc::STDERR_FILENO && around.own.get(&fd) != Some(&link) {
            fault(format!(
                "{fd} is not close-on-exec: {}",
                sockets.kind(&link)
            ));
        }
    }

    for (fd, link) in proc::descriptors(pid) {
        let kind = sockets.kind(&link);

        if title.contains(": helper ") && is_listening(&kind) {
            fault(format!("a helper listens: {kind}"));
        }

        // After a reload, a single process keeps the log of open connections.
        let is_log = link.ends_with("/log") && title.contains(" process");
        let is_one = link.starts_with("socket:") || is_log;

        if fd > libc::STDERR_FILENO && is_one && !seen.insert(link) {
            fault(format!("has this twice: {kind}"));
        }
    }

    for (child, parent) in &around.zombies {
        if *parent == pid {
            fault(format!("its child {child} is a zombie"));
        }
    }

    faults
}

/// What the checks of each process use.
struct Around {
    sockets: Sockets,
    zombies: Vec<(i32, i32)>,
    /// Descriptors of the program of tests that the programs which it executes
    /// inherit, for example from `make`.
    own: BTreeMap<i32, String>,
}

impl Around {
    fn read() -> Self {
        Self {
            sockets: Sockets::read(),
            zombies: proc::zombies(),
            own: proc::inherited_by_programs(std::process::id().cast_signed()),
        }
    }
}

/// The title of a process, and the number of descriptors of each kind that the
/// process has.
pub type Descriptors = (String, BTreeMap<String, usize>);

impl Server {
    /// The title and the descriptors of each process, in a fixed order. Numbers
    /// in titles are left out.
    pub fn descriptors(&self) -> Vec<Descriptors> {
        let links: Vec<(String, Vec<String>)> = self
            .processes()
            .into_iter()
            .map(|pid| {
                (
                    title_of(pid),
                    proc::descriptors(pid).into_values().collect(),
                )
            })
            .collect();
        // They are read last, so that they have all sockets of the links.
        let sockets = Sockets::read();
        let mut all: Vec<_> = links
            .into_iter()
            .map(|(title, links)| (title, proc::kinds_of(&sockets, &links)))
            .collect();

        all.sort();
        all
    }

    /// Waits until all processes know each other, so that processes with the
    /// same title have the same descriptors, and until the master waits for signals:
    /// while it starts a worker it has both ends of the worker's channel. Returns the
    /// title and the descriptors of each process.
    pub fn settled_descriptors(&self) -> Vec<Descriptors> {
        find("processes that know each other", || {
            let is_settled = self.master_waits();
            let all = self.descriptors();
            let is_same = all
                .windows(2)
                .all(|two| two[0].0 != two[1].0 || two[0].1 == two[1].1);

            (is_settled && is_same && self.master_waits()).then_some(all)
        })
    }

    /// Whether no master of the server is at work.
    fn master_waits(&self) -> bool {
        self.processes()
            .into_iter()
            .filter(|&pid| title_of(pid).contains("master process"))
            .all(proc::waits_for_events)
    }

    /// Waits until all processes have the descriptors `before`.
    pub fn wait_for_descriptors(&self, before: &[Descriptors]) {
        let what = format!("the descriptors {before:#?}");

        wait_within(2 * SOON, &what, || self.descriptors() == before);
    }

    /// What each process of the server has, in a fixed order.
    pub fn processes_state(&self) -> Vec<Process> {
        let pids = self.processes();
        let sockets = Sockets::read();
        let mut all: Vec<Process> = pids
            .into_iter()
            .map(|pid| Process::read(&sockets, pid))
            .collect();

        all.sort();
        all
    }

    /// Waits until the processes of the server have what they had `before`.
    pub fn wait_for_state(&self, before: &[Process]) {
        let deadline = Instant::now() + SOON;

        while self.processes_state() != before {
            assert!(
                Instant::now() < deadline,
                "{:#?} instead of {before:#?}",
                self.processes_state()
            );
            std::thread::sleep(Duration::from_millis(3));
        }
    }

    /// Remembers the state of the server that has started.
    pub(super) fn remember_state(&self) {
        self.before.replace(Some(self.processes_state()));
    }

    /// Checks a server that is about to exit: all of its processes are as each process
    /// must be, and they have the signals and the priority that processes with the
    /// same title had at the start.
    pub(super) fn check_state(&self) {
        if self.is_nginx() {
            return;
        }

        let deadline = Instant::now() + SOON;

        loop {
            let faults = self.faults();

            if faults.is_empty() {
                return;
            }

            assert!(Instant::now() < deadline, "{faults:#?}");
            std::thread::sleep(Duration::from_millis(3));
        }
    }

    /// What is wrong with the processes of the server now.
    fn faults(&self) -> Vec<String> {
        let around = Around::read();

        self.processes()
            .into_iter()
            .flat_map(|pid| faults_of(pid, &around))
            .chain(self.changed())
            .collect()
    }

    /// The processes whose signals or priority are not those of the process with the
    /// same title at the start.
    fn changed(&self) -> Vec<String> {
        let before = self.before.borrow();
        let Some(before) = before.as_ref() else {
            return Vec::new();
        };

        self.processes_state()
            .into_iter()
            .filter(|now| {
                let mut same = before.iter().filter(|one| one.title == now.title);

                same.clone().next().is_some()
                    && !same.any(|one| (&one.signals, one.nice) == (&now.signals, now.nice))
            })
            .map(|now| format!("signals or priority: {now:?}"))
            .collect()
    }

    /// Calls `act` 20 times, and 20 times more, and checks that the second 20 times
    /// have changed nothing: neither the processes nor their descriptors, signals,
    /// priority and mappings, nor the files. The memory of a process can grow by a
    /// page in four calls, because the allocator can use other pages.
    pub fn nothing_changes(&self, mut act: impl FnMut()) {
        const TIMES: usize = 20;
        const PAGE: usize = 4;

        let mut times = || {
            (0..TIMES).for_each(|_| act());
            self.settled_descriptors();
        };

        times();

        let before = self.processes_state();
        let files = self.files();
        let memory: BTreeMap<i32, (usize, usize)> = self.memory();

        times();
        self.wait_for_state(&before);
        assert_eq!(self.files(), files);

        for (pid, (anonymous, mappings)) in self.memory() {
            let (first, maps) = memory[&pid];

            assert!(
                anonymous <= first + PAGE * TIMES / 4,
                "{pid} \"{}\": {first} kB, then {anonymous} kB",
                title_of(pid)
            );
            assert_eq!(mappings, maps, "mappings of \"{}\"", title_of(pid));
        }
    }

    /// Waits until the processes of the server are at rest, and checks that they use
    /// no processor time and are not woken up for `time`.
    pub fn stays_idle(&self, time: Duration) {
        let settled = find("processes at rest", || {
            let before = self.activity();

            std::thread::sleep(Duration::from_millis(50));
            (self.activity() == before && before.values().all(|one| one.2)).then_some(before)
        });

        std::thread::sleep(time);
        assert_eq!(self.activity(), settled);
    }

    /// The processor time and the context switches of each process, and whether the
    /// process sleeps: a process that is ready to run, but gets no processor, uses no
    /// processor time either.
    fn activity(&self) -> BTreeMap<i32, (u64, u64, bool)> {
        let one = |pid| {
            let sleeps = proc::state(pid) == Some('S');

            (proc::cpu_time(pid), proc::switches(pid), sleeps)
        };

        self.processes()
            .into_iter()
            .map(|pid| (pid, one(pid)))
            .collect()
    }

    /// The anonymous memory, in kilobytes, and the number of mappings of each process.
    fn memory(&self) -> BTreeMap<i32, (usize, usize)> {
        self.processes()
            .into_iter()
            .map(|pid| (pid, (proc::anonymous_memory(pid), proc::mappings(pid))))
            .collect()
    }

    /// The names of the files in the directory of the server.
    pub fn files(&self) -> BTreeSet<String> {
        fs::read_dir(&self.directory)
            .expect("a directory")
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect()
    }

    /// Checks that a server which has exited has left nothing: no file, and no process
    /// that has inherited the environment.
    pub(super) fn check_nothing_is_left(&self) {
        let variable = self.variable();

        wait_until("no process that the server has started", || {
            proc::with_variable(&variable).is_empty()
        });

        if !self.is_nginx() {
            let left: Vec<String> = self
                .files()
                .into_iter()
                .filter(|file| !stays(file))
                .collect();

            assert_eq!(
                left, [""; 0],
                "files are left; files of the test itself belong into STAY"
            );
        }
    }
}
