//! A program under test, which runs in a directory of its own and must leave
//! nothing behind.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
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

use super::state::Process;
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
    pub(super) name: &'static str,
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
    pub(super) seen: RefCell<BTreeSet<i32>>,
    status: Cell<Option<ExitStatus>>,
    /// The state of the processes when `start` has started them.
    pub(super) before: RefCell<Option<Vec<Process>>>,
    /// Whether the master has got a signal to exit.
    ends: Cell<bool>,
}

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

    /// Sends SIGQUIT to the master, and checks that nothing is left as `finish`
    /// does.
    pub fn quit(&self, allowed: &[&str]) {
        self.signal(libc::SIGQUIT);
        self.finish(allowed);
    }
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
