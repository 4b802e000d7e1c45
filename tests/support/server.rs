//! A program under test, which runs in a directory of its own and must leave
//! nothing behind.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::AtomicU16;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::state::{Process, title_of};
use super::{SOON, build, find, proc, run, sys, wait_until, wait_within};

/// A master and its children. When this value is dropped, also after a panic,
/// all processes that run the program in `directory` are killed.
pub struct Server {
    pub directory: PathBuf,
    pub exe: PathBuf,
    pub port: u16,
    /// The address on which the server listens. It is that of `port`, unless a
    /// test sets another one.
    pub place: String,
    name: &'static str,
    /// The arguments of the program, if a test does not use those of the echo
    /// server.
    pub instead: Vec<OsString>,
    /// Addresses on which the server listens in addition to `place`.
    pub places: Vec<String>,
    /// The directory of the log, if it is not `directory`.
    pub log_directory: Option<PathBuf>,
    /// Environment variables that the program gets in addition.
    pub environment: Vec<(&'static str, OsString)>,
    child: RefCell<Option<Child>>,
    /// The pids of all processes that this value has seen.
    seen: RefCell<BTreeSet<i32>>,
    status: Cell<Option<ExitStatus>>,
    /// The state of the processes when `start` has started them.
    pub(super) before: RefCell<Option<Vec<Process>>>,
    /// Whether the master has got a signal to exit.
    ends: Cell<bool>,
}

/// The title of a process, and the number of descriptors of each kind that the
/// process has.
pub type Descriptors = (String, BTreeMap<String, usize>);

/// The name of the variable of [`Server::variable`].
const VARIABLE: &str = "T_SERVER";

/// Returns a port that no other process, no other test and no other run uses.
/// The kernel does not assign the ports of this range to clients.
pub fn free_port() -> u16 {
    /// The ports of a run: 10,000 to 29,999 for all.
    const PORTS: u16 = 20_000 / run::RUNS;

    static NEXT: AtomicU16 = AtomicU16::new(0);

    loop {
        let port = 10_000 + run::number() * PORTS + NEXT.fetch_add(1, Relaxed) % PORTS;

        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// Kills the processes that `left` finds, and calls `left` again until it finds no
/// process. The first call can miss a process that is just being forked.
fn end_all(left: impl Fn() -> BTreeSet<i32>) {
    loop {
        let pids = left();

        if pids.is_empty() {
            return;
        }

        for pid in pids {
            sys::kill(pid, libc::SIGKILL);
            sys::kill(pid, libc::SIGCONT);
        }
    }
}

/// Connects to a server, with time limits for reads and writes.
pub fn connect_to(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, SOON)?;

    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(SOON))?;
    stream.set_write_timeout(Some(SOON))?;

    Ok(stream)
}

impl Server {
    /// The echo server, which is not started yet.
    pub fn echo(test: &str) -> Self {
        Self::new(test, "echo", &build::echo())
    }

    /// The server `c-tests/fixtures/runtime_server.c`, which is not started
    /// yet.
    pub fn configurable(test: &str) -> Self {
        Self::new(test, "server", &build::program("runtime_server"))
    }

    /// A server that runs `program`, and is not started yet. The titles of its
    /// processes begin with `name`.
    pub fn new(test: &str, name: &'static str, program: &Path) -> Self {
        sys::adopt_orphans();

        let directory = build::directory().join(test);
        let exe = directory.join(name);

        // If an earlier run was killed, its processes may still run in this
        // directory.
        end_all(|| proc::running(&exe));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).expect("a directory");
        // The program gets a path of its own, by which its processes are found.
        fs::hard_link(program, &exe).expect("a link");

        let port = free_port();

        Self {
            directory,
            exe,
            port,
            place: format!("{}:{port}", Ipv4Addr::LOCALHOST),
            name,
            instead: Vec::new(),
            places: Vec::new(),
            log_directory: None,
            environment: Vec::new(),
            child: RefCell::new(None),
            seen: RefCell::new(BTreeSet::new()),
            status: Cell::new(None),
            before: RefCell::new(None),
            ends: Cell::new(false),
        }
    }

    /// The address to which clients connect.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    pub fn pidfile(&self) -> PathBuf {
        self.directory.join("pid")
    }

    pub fn old_pidfile(&self) -> PathBuf {
        self.directory.join("pid.oldbin")
    }

    pub fn logfile(&self) -> PathBuf {
        self.log_directory
            .as_ref()
            .unwrap_or(&self.directory)
            .join("log")
    }

    fn arguments(&self, options: &[&str]) -> Vec<OsString> {
        if !self.instead.is_empty() {
            return self.instead.clone();
        }

        let mut arguments: Vec<OsString> = vec![
            "-p".into(),
            self.pidfile().into(),
            "-l".into(),
            self.logfile().into(),
        ];

        arguments.extend(options.iter().map(Into::into));
        arguments.push(self.place.clone().into());
        arguments.extend(self.places.iter().map(Into::into));

        arguments
    }

    /// The command that runs the program with `options`.
    pub fn command(&self, options: &[&str]) -> Command {
        let output = |name| File::create(self.directory.join(name)).expect("a file");
        let mut command = Command::new(&self.exe);

        command
            .args(self.arguments(options))
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(output("stdout"))
            .stderr(output("stderr"));

        command
    }

    /// Starts the program with so many workers. Waits until the workers know
    /// each other and the master waits for events; before, the master can still
    /// have the workers' ends of channels open. Returns the master's pid.
    pub fn start(&self, workers: usize, options: &[&str]) -> i32 {
        let n = workers.to_string();
        let options = [&["-w", &n], options].concat();

        self.spawn(&options);
        self.wait_for_workers(workers);

        let master = self.master();

        wait_until("the master's loop", || proc::waits_for_events(master));
        self.settled_descriptors();
        self.remember_state();

        master
    }

    /// Starts the program with `options`, and waits for its pid file. Returns
    /// the master's pid.
    pub fn spawn(&self, options: &[&str]) -> i32 {
        self.spawn_command(self.command(options), options)
    }

    /// Starts the program as the user `user`, who then may have `processes`
    /// processes and may write to the directory. Returns the master's pid.
    pub fn spawn_limited(&self, user: u32, processes: u64, options: &[&str]) -> i32 {
        let mut command = self.command(options);

        fs::set_permissions(&self.directory, fs::Permissions::from_mode(0o777))
            .expect("a directory");
        command.uid(user).gid(user);
        sys::limit_processes(&mut command, processes);

        self.spawn_command(command, options)
    }

    /// Starts `command`, which runs the program, and waits for its pid file.
    /// Returns the master's pid.
    pub fn spawn_command(&self, mut command: Command, options: &[&str]) -> i32 {
        let daemon = options.contains(&"-d");

        self.ends.set(false);
        command.env(VARIABLE, &self.directory);

        let mut child = command.spawn().expect("a program");

        if daemon {
            let status = child.wait().expect("the daemon's parent");
            assert!(status.success(), "{status}");
        } else {
            *self.child.borrow_mut() = Some(child);
        }

        find("the pid file", || self.pid_in(&self.pidfile()))
    }

    /// Runs a command that starts the program as a daemon; returns whether the program
    /// was set up.
    pub fn run_daemon(&self, mut command: Command) -> bool {
        let status = command.env(VARIABLE, &self.directory).status();

        status.expect("a program").success()
    }

    fn pid_in(&self, path: &Path) -> Option<i32> {
        fs::read_to_string(path).ok()?.trim().parse().ok()
    }

    /// The pid of the master, from the pid file.
    pub fn master(&self) -> i32 {
        find("the pid file", || self.pid_in(&self.pidfile()))
    }

    /// The pid of a master that has started another binary, from its renamed
    /// pid file.
    pub fn old_master(&self) -> Option<i32> {
        self.pid_in(&self.old_pidfile())
    }

    /// The pids of all processes that run the program.
    pub fn processes(&self) -> BTreeSet<i32> {
        let pids = proc::running(&self.exe);

        self.seen.borrow_mut().extend(&pids);

        pids
    }

    /// The pids of all processes with this title, whichever master has started
    /// them.
    pub fn titled(&self, title: &str) -> BTreeSet<i32> {
        let title = format!("{}: {title}", self.name);
        let mut pids = self.processes();

        pids.retain(|&pid| proc::title(pid) == title);

        pids
    }

    /// The workers that accept connections: their title does not say that they
    /// shut down.
    pub fn workers(&self) -> BTreeSet<i32> {
        self.titled("worker process")
    }

    /// The helpers of the server `c-tests/fixtures/runtime_server.c`.
    pub fn helpers(&self) -> BTreeSet<i32> {
        let mut pids = self.processes();

        pids.retain(|&pid| title_of(pid).starts_with(&format!("{}: helper ", self.name)));

        pids
    }

    /// The workers that this master has started.
    pub fn workers_of(&self, master: i32) -> BTreeSet<i32> {
        let mut workers = self.workers();

        workers.retain(|&pid| proc::parent(pid) == Some(master));

        workers
    }

    /// The workers that are shutting down.
    pub fn shutting_down(&self) -> BTreeSet<i32> {
        self.titled("worker process is shutting down")
    }

    /// Waits until there are exactly `n` workers, and returns them.
    pub fn wait_for_workers(&self, n: usize) -> BTreeSet<i32> {
        find(&format!("{n} workers"), || {
            let workers = self.workers();

            (workers.len() == n).then_some(workers)
        })
    }

    /// Waits until there are `n` workers, none of which is in `old`.
    pub fn wait_for_others(&self, n: usize, old: &BTreeSet<i32>) -> BTreeSet<i32> {
        find(&format!("{n} new workers"), || {
            let workers = self.workers();

            (workers.len() == n && workers.is_disjoint(old)).then_some(workers)
        })
    }

    /// Waits until all processes `pids` have exited.
    pub fn wait_for_end_of(&self, pids: &BTreeSet<i32>) {
        wait_until(&format!("the end of {pids:?}"), || {
            !pids.iter().any(|&pid| proc::alive(pid))
        });
    }

    /// The variable in the environment of all processes that the server has started,
    /// as "NAME=VALUE".
    pub(super) fn variable(&self) -> String {
        format!("{VARIABLE}={}", self.directory.display())
    }

    /// Whether the program is a real nginx, which does not pass all checks of the
    /// state.
    pub(super) fn is_nginx(&self) -> bool {
        self.name == "nginx"
    }

    /// Sends a signal to the master, whose pid is in the pid file. Before the first
    /// signal to exit, checks the state of all processes.
    pub fn signal(&self, signo: i32) {
        if [libc::SIGQUIT, libc::SIGTERM, libc::SIGINT].contains(&signo) && !self.ends.replace(true)
        {
            self.check_state();
        }

        assert!(sys::kill(self.master(), signo), "no master");
    }

    /// Reloads, and waits until all workers are new; returns them.
    pub fn reload(&self) -> BTreeSet<i32> {
        let old = self.workers();

        self.signal(libc::SIGHUP);
        self.wait_for_others(old.len(), &old)
    }

    pub fn log(&self) -> String {
        let path = self.logfile();

        // A test may have replaced the log by a FIFO. To read it would not end.
        if !path.is_file() {
            return String::new();
        }

        fs::read_to_string(path).unwrap_or_default()
    }

    /// The lines of the log that contain `text`.
    pub fn lines(&self, text: &str) -> Vec<String> {
        self.log()
            .lines()
            .filter(|line| line.contains(text))
            .map(str::to_string)
            .collect()
    }

    /// Waits until at least `n` lines of the log contain `text`; returns these
    /// lines.
    pub fn wait_for_lines(&self, n: usize, text: &str) -> Vec<String> {
        find(&format!("{n} lines with \"{text}\""), || {
            let lines = self.lines(text);

            (lines.len() >= n).then_some(lines)
        })
    }

    pub fn wait_for_line(&self, text: &str) {
        self.wait_for_lines(1, text);
    }

    /// Waits until all processes write to the new log file. The line "reopening
    /// logs" does not show this, because a process writes the line before it
    /// closes the old file.
    pub fn wait_for_new_log(&self) {
        let log = self.logfile().to_string_lossy().into_owned();

        wait_until("the new log in all processes", || {
            self.processes()
                .iter()
                .all(|&pid| proc::descriptors(pid).values().any(|what| *what == log))
        });
    }

    /// The title and the descriptors of each process, in a fixed order. Numbers
    /// in titles are left out.
    pub fn descriptors(&self) -> Vec<Descriptors> {
        let mut all: Vec<_> = self
            .processes()
            .into_iter()
            .map(|pid| (title_of(pid), proc::kinds_of_descriptors(pid)))
            .collect();

        all.sort();
        all
    }

    /// Waits until all processes know each other, so that processes with the
    /// same title have the same descriptors. Returns the title and the
    /// descriptors of each process.
    pub fn settled_descriptors(&self) -> Vec<Descriptors> {
        find("processes that know each other", || {
            let all = self.descriptors();

            all.windows(2)
                .all(|two| two[0].0 != two[1].0 || two[0].1 == two[1].1)
                .then_some(all)
        })
    }

    /// Waits until all processes have the descriptors `before`.
    pub fn wait_for_descriptors(&self, before: &[Descriptors]) {
        let what = format!("the descriptors {before:#?}");

        wait_within(2 * SOON, &what, || self.descriptors() == before);
    }

    /// Connects to the server, with time limits for reads and writes.
    pub fn connect(&self) -> TcpStream {
        self.try_connect().expect("a connection")
    }

    pub fn try_connect(&self) -> std::io::Result<TcpStream> {
        connect_to(self.address())
    }

    /// Waits for the exit of the program that `spawn` has started; returns its
    /// exit status.
    pub fn wait_for_exit(&self) -> ExitStatus {
        self.wait_for_exit_within(SOON)
    }

    pub fn wait_for_exit_within(&self, within: Duration) -> ExitStatus {
        wait_within(within, "the master's exit", || self.try_exit());
        self.status.get().expect("a status")
    }

    fn try_exit(&self) -> bool {
        if self.status.get().is_none()
            && let Some(child) = self.child.borrow_mut().as_mut()
        {
            self.status.set(child.try_wait().expect("a child"));
        }

        self.status.get().is_some()
    }

    /// Waits until all processes have exited. Checks that the program has
    /// exited with 0, that no pid file, no other file, no System V segment and no
    /// process is left, and that the log is as in `check_log`.
    pub fn finish(&self, allowed: &[&str]) {
        wait_until("the end of all processes", || self.processes().is_empty());

        if self.child.borrow().is_some() {
            let status = self.wait_for_exit();
            assert!(status.success(), "{status}");
        }

        assert!(!self.pidfile().exists(), "the pid file is left");
        assert!(!self.old_pidfile().exists(), "the old pid file is left");
        assert_eq!(proc::segments_of(&self.seen.borrow()), [""; 0]);
        self.check_nothing_is_left();
        self.check_log(allowed);
    }

    /// Checks the log as [`check_lines`] does.
    pub fn check_log(&self, allowed: &[&str]) {
        check_lines(&self.log(), allowed);
    }

    /// Sends SIGQUIT to the master, and checks that nothing is left as `finish`
    /// does.
    pub fn quit(&self, allowed: &[&str]) {
        self.signal(libc::SIGQUIT);
        self.finish(allowed);
    }
}

/// Checks each line of a log that has level crit or above, or is about a bad file
/// descriptor: the line must contain one of the texts `allowed`.
pub fn check_lines(log: &str, allowed: &[&str]) {
    let bad: Vec<&str> = log
        .lines()
        .filter(|line| {
            ["[alert]", "[emerg]", "[crit]", "Bad file descriptor"]
                .iter()
                .any(|bad| line.contains(bad))
                && !allowed.iter().any(|text| line.contains(text))
        })
        .collect();

    assert!(bad.is_empty(), "{bad:#?}");
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();

            eprintln!(
                "the end of {}:\n{}",
                self.logfile().display(),
                lines[lines.len().saturating_sub(40)..].join("\n")
            );
        }

        end_all(|| self.processes());

        if let Some(child) = self.child.borrow_mut().as_mut() {
            let _ = child.wait();
        }

        for &pid in self.seen.borrow().iter() {
            sys::reap(pid);
        }
    }
}
