//! A running program, in a folder of its own, that leaves nothing behind.

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

use super::{SOON, build, find, proc, sys, wait_until, wait_within};

/// A master, and whatever it starts. What runs the program in `folder` is
/// killed when this goes, be it in a panic.
pub struct Server {
    pub folder: PathBuf,
    pub exe: PathBuf,
    pub port: u16,
    /// Where it listens: on `port`, unless a test has other plans.
    pub place: String,
    name: &'static str,
    /// What the program is started with, if not as the echo server is.
    pub instead: Vec<OsString>,
    /// What its environment has in addition.
    pub environment: Vec<(&'static str, OsString)>,
    child: RefCell<Option<Child>>,
    /// Whoever was found running.
    seen: RefCell<BTreeSet<i32>>,
    status: Cell<Option<ExitStatus>>,
}

/// Whose they are, and how many of which kind.
pub type Descriptors = (String, BTreeMap<String, usize>);

/// A port that nobody uses, and no other test will: below those that the
/// kernel gives to clients.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);

    let first = 10_000 + (std::process::id() % 100) as u16 * 200;

    loop {
        let port = first + NEXT.fetch_add(1, Relaxed) % 2_000;

        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// A connection; what takes too long is an error.
pub fn connect_to(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, SOON)?;

    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(SOON))?;
    stream.set_write_timeout(Some(SOON))?;

    Ok(stream)
}

impl Server {
    /// The echo server, not started yet.
    pub fn echo(test: &str) -> Self {
        Self::new(test, "echo", &build::echo())
    }

    /// `c-tests/fixtures/runtime_server.c`, not started yet.
    pub fn configurable(test: &str) -> Self {
        Self::new(test, "server", &build::program("runtime_server"))
    }

    /// Another program, whose titles begin with `name`.
    pub fn new(test: &str, name: &'static str, program: &Path) -> Self {
        sys::adopt_orphans();

        let folder = build::folder().join(test);
        let exe = folder.join(name);

        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        // By its path the program's processes are found.
        fs::hard_link(program, &exe).expect("a link");

        let port = free_port();

        Self {
            folder,
            exe,
            port,
            place: format!("{}:{port}", Ipv4Addr::LOCALHOST),
            name,
            instead: Vec::new(),
            environment: Vec::new(),
            child: RefCell::new(None),
            seen: RefCell::new(BTreeSet::new()),
            status: Cell::new(None),
        }
    }

    /// The address that clients use.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    pub fn pidfile(&self) -> PathBuf {
        self.folder.join("pid")
    }

    pub fn old_pidfile(&self) -> PathBuf {
        self.folder.join("pid.oldbin")
    }

    pub fn logfile(&self) -> PathBuf {
        self.folder.join("log")
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

        arguments
    }

    /// The program with its options, to be run in the foreground.
    pub fn command(&self, options: &[&str]) -> Command {
        let output = |name| File::create(self.folder.join(name)).expect("a file");
        let mut command = Command::new(&self.exe);

        command
            .args(self.arguments(options))
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(output("stdout"))
            .stderr(output("stderr"));

        command
    }

    /// Starts `workers` workers, and waits until they know each other and the
    /// master waits for events: before that it may still have a worker's end of
    /// a channel.
    pub fn start(&self, workers: usize, options: &[&str]) -> i32 {
        let n = workers.to_string();
        let options = [&["-w", &n], options].concat();

        self.spawn(&options);
        self.wait_for_workers(workers);

        let master = self.master();

        wait_until("the master's loop", || proc::waits_for_events(master));
        self.settled_descriptors();

        master
    }

    /// Starts a program that shows what it does by itself.
    pub fn spawn(&self, options: &[&str]) -> i32 {
        self.spawn_command(self.command(options), options)
    }

    /// The same as another user, who may write to the folder and have so many
    /// processes.
    pub fn spawn_limited(&self, user: u32, processes: u64, options: &[&str]) -> i32 {
        let mut command = self.command(options);

        fs::set_permissions(&self.folder, fs::Permissions::from_mode(0o777)).expect("a folder");
        command.uid(user).gid(user);
        sys::limit_processes(&mut command, processes);

        self.spawn_command(command, options)
    }

    /// Starts a program that becomes the server's.
    pub fn spawn_command(&self, mut command: Command, options: &[&str]) -> i32 {
        let daemon = options.contains(&"-d");
        let mut child = command.spawn().expect("a program");

        if daemon {
            let status = child.wait().expect("the daemon's parent");
            assert!(status.success(), "{status}");
        } else {
            *self.child.borrow_mut() = Some(child);
        }

        find("the pid file", || self.pid_in(&self.pidfile()))
    }

    fn pid_in(&self, path: &Path) -> Option<i32> {
        fs::read_to_string(path).ok()?.trim().parse().ok()
    }

    /// The master that the pid file names.
    pub fn master(&self) -> i32 {
        find("the pid file", || self.pid_in(&self.pidfile()))
    }

    /// The master that has started another binary.
    pub fn old_master(&self) -> Option<i32> {
        self.pid_in(&self.old_pidfile())
    }

    /// Every process of the program.
    pub fn everybody(&self) -> BTreeSet<i32> {
        let pids = proc::running(&self.exe);

        self.seen.borrow_mut().extend(&pids);

        pids
    }

    /// The processes that call themselves so, whoever their master is.
    pub fn called(&self, title: &str) -> BTreeSet<i32> {
        let title = format!("{}: {title}", self.name);
        let mut pids = self.everybody();

        pids.retain(|&pid| proc::title(pid) == title);

        pids
    }

    /// The workers that accept connections.
    pub fn workers(&self) -> BTreeSet<i32> {
        self.called("worker process")
    }

    /// The workers of one master.
    pub fn workers_of(&self, master: i32) -> BTreeSet<i32> {
        let mut workers = self.workers();

        workers.retain(|&pid| proc::parent(pid) == Some(master));

        workers
    }

    /// The workers that shut down.
    pub fn leaving(&self) -> BTreeSet<i32> {
        self.called("worker process is shutting down")
    }

    /// Waits until there are exactly so many workers, and returns them.
    pub fn wait_for_workers(&self, n: usize) -> BTreeSet<i32> {
        find(&format!("{n} workers"), || {
            let workers = self.workers();

            (workers.len() == n).then_some(workers)
        })
    }

    /// Waits until `n` workers run none of which is among `old`.
    pub fn wait_for_others(&self, n: usize, old: &BTreeSet<i32>) -> BTreeSet<i32> {
        find(&format!("{n} new workers"), || {
            let workers = self.workers();

            (workers.len() == n && workers.is_disjoint(old)).then_some(workers)
        })
    }

    /// Waits until none of the processes is left.
    pub fn wait_for_end_of(&self, pids: &BTreeSet<i32>) {
        wait_until(&format!("the end of {pids:?}"), || {
            !pids.iter().any(|&pid| proc::alive(pid))
        });
    }

    /// Sends a signal to the master that the pid file names.
    pub fn signal(&self, signo: i32) {
        assert!(sys::kill(self.master(), signo), "no master");
    }

    /// Reloads, and waits until a new generation has taken over.
    pub fn reload(&self) -> BTreeSet<i32> {
        let old = self.workers();

        self.signal(libc::SIGHUP);
        self.wait_for_others(old.len(), &old)
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.logfile()).unwrap_or_default()
    }

    /// The lines of the log in which `text` is.
    pub fn lines(&self, text: &str) -> Vec<String> {
        self.log()
            .lines()
            .filter(|line| line.contains(text))
            .map(str::to_string)
            .collect()
    }

    /// Waits until `text` is in so many lines of the log.
    pub fn wait_for_lines(&self, n: usize, text: &str) -> Vec<String> {
        find(&format!("{n} lines with \"{text}\""), || {
            let lines = self.lines(text);

            (lines.len() >= n).then_some(lines)
        })
    }

    pub fn wait_for_line(&self, text: &str) {
        self.wait_for_lines(1, text);
    }

    /// Waits until everybody writes to the log that is there now. (The line
    /// that says so is written before the old one is closed, so it is no
    /// proof.)
    pub fn wait_for_new_log(&self) {
        let log = self.logfile().to_string_lossy().into_owned();

        wait_until("everybody's log is the new one", || {
            self.everybody()
                .iter()
                .all(|&pid| proc::descriptors(pid).values().any(|what| *what == log))
        });
    }

    /// Of everybody, the title without numbers, and how many descriptors of
    /// which kind there are.
    pub fn descriptors(&self) -> Vec<Descriptors> {
        let mut all: Vec<_> = self
            .everybody()
            .into_iter()
            .map(|pid| {
                let title = proc::title(pid).replace(|c: char| c.is_ascii_digit(), "");

                (title, proc::kinds_of_descriptors(pid))
            })
            .collect();

        all.sort();
        all
    }

    /// The same, when everybody has been told of the others: one that was
    /// started last knows them from the beginning, so all have the same then.
    pub fn settled_descriptors(&self) -> Vec<Descriptors> {
        find("processes that know each other", || {
            let all = self.descriptors();

            all.windows(2)
                .all(|two| two[0].0 != two[1].0 || two[0].1 == two[1].1)
                .then_some(all)
        })
    }

    /// Waits until everybody has the descriptors that there were `before`.
    pub fn wait_for_descriptors(&self, before: &[Descriptors]) {
        let what = format!("the descriptors {before:#?}");

        wait_within(2 * SOON, &what, || self.descriptors() == before);
    }

    /// A connection; what takes too long is an error.
    pub fn connect(&self) -> TcpStream {
        self.try_connect().expect("a connection")
    }

    pub fn try_connect(&self) -> std::io::Result<TcpStream> {
        connect_to(self.address())
    }

    /// How the program that `spawn` started has ended.
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

    /// Nothing is left: no process, pid file or segment; and of alerts and
    /// worse, the log has only those that contain one of `allowed`.
    pub fn finish(&self, allowed: &[&str]) {
        wait_until("the end of all processes", || self.everybody().is_empty());

        if self.child.borrow().is_some() {
            let status = self.wait_for_exit();
            assert!(status.success(), "{status}");
        }

        assert!(!self.pidfile().exists(), "the pid file is left");
        assert!(!self.old_pidfile().exists(), "the old pid file is left");
        assert_eq!(proc::segments_of(&self.seen.borrow()), [""; 0]);
        self.check_log(allowed);
    }

    /// No alerts or worse in the log but those that contain one of `allowed`.
    pub fn check_log(&self, allowed: &[&str]) {
        let log = self.log();
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

    /// Ends it in an orderly way.
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

        // Who was about to be forked may come after the first look.
        loop {
            let left = self.everybody();

            if left.is_empty() {
                break;
            }

            for pid in left {
                sys::kill(pid, libc::SIGKILL);
                sys::kill(pid, libc::SIGCONT);
            }
        }

        if let Some(child) = self.child.borrow_mut().as_mut() {
            let _ = child.wait();
        }

        for &pid in self.seen.borrow().iter() {
            sys::reap(pid);
        }
    }
}
