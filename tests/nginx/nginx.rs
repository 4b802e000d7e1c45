//! A running nginx: a stock one, or one that is built with the library.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fs::Permissions;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{fs, thread};

pub use crate::programs::{BOTH, WITH_MESSAGES, Which, built, built_usual, built_variant, version};
use crate::support::server::{Server, connect_to};
use crate::support::state::Descriptors;
use crate::support::{proc, sys, wait_until};

/// Runs the scenario with the stock nginx and with the one that is built with
/// the library, at the same time.
pub fn both<T: Send>(scenario: impl Fn(Which) -> T + Sync) -> [T; 2] {
    let scenario = &scenario;

    thread::scope(|scope| {
        BOTH.map(|which| scope.spawn(move || scenario(which)))
            .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

/// Runs the scenario with each program that has messages, at the same time.
pub fn with_messages(scenario: impl Fn(Which) + Sync) {
    let scenario = &scenario;

    thread::scope(|scope| {
        WITH_MESSAGES
            .map(|which| scope.spawn(move || scenario(which)))
            .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
    });
}

/// Runs the scenario with both programs, and checks that both results are
/// equal.
pub fn same<T: PartialEq + Debug + Send>(scenario: impl Fn(Which) -> T + Sync) -> T {
    let [stock, ipc] = both(scenario);

    assert_eq!(ipc, stock, "with the library (left) and stock (right)");
    ipc
}

/// The beginning of the names of AddressSanitizer's reports, in the directory
/// of a server.
const REPORT: &str = "report";

/// The number of repetitions in a test: `short` if T_SHORT is set, as `make
/// test` does it, or else `full`.
pub fn times(full: usize, short: usize) -> usize {
    if std::env::var_os("T_SHORT").is_some() {
        short
    } else {
        full
    }
}

/// An nginx with a directory of its own. It has all methods of [`Server`].
pub struct Nginx {
    pub which: Which,
    server: Server,
}

impl Deref for Nginx {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Nginx {
    /// An nginx with a configuration, which is not started yet.
    ///
    /// `main` are directives of the main context, and `http` are directives of
    /// the http block. In both, `PORT` is replaced by the port of the server,
    /// and `DIRECTORY` by its directory. Unless `main` says otherwise, nginx
    /// runs in the foreground, logs debug lines, and has 1024 connections.
    pub fn new(test: &str, which: Which, main: &str, http: &str) -> Self {
        Self::with_program(
            &which.program(),
            &format!("{test}-{which:?}"),
            which,
            main,
            http,
        )
    }

    /// An nginx that runs `program`, with a configuration as in [`Nginx::new`],
    /// which is not started yet.
    pub fn with_program(
        program: &std::path::Path,
        test: &str,
        which: Which,
        main: &str,
        http: &str,
    ) -> Self {
        let mut server = Server::new(test, "nginx", program);
        let directory = server.directory.display().to_string();

        server.instead = ["-p", &directory, "-c", "conf", "-e", "log"]
            .map(Into::into)
            .to_vec();
        // Workers can run as nobody, and write reports of AddressSanitizer to
        // the directory.
        fs::set_permissions(&server.directory, Permissions::from_mode(0o777)).expect("a directory");
        // Two checks of AddressSanitizer are off: nginx does not free all
        // memory at its exit, and each of its modules defines
        // `ngx_module_names`, as nginx itself does.
        server.environment = vec![(
            "ASAN_OPTIONS",
            format!("detect_leaks=0:detect_odr_violation=0:log_path={directory}/{REPORT}").into(),
        )];

        let nginx = Self { which, server };

        nginx.configure(main, http);
        nginx
    }

    /// Writes another configuration, which nginx reads at a reload.
    pub fn configure(&self, main: &str, http: &str) {
        let unless = |has: &str, line: &'static str| {
            if main.contains(has) { "" } else { line }
        };
        let text = format!(
            "pid pid;\nenv ASAN_OPTIONS;\n{main}\n{}{}{}\
             http {{\naccess_log off;\n{http}\n}}\n",
            unless("daemon", "daemon off;\n"),
            unless("error_log", "error_log log debug;\n"),
            unless("events", "events { worker_connections 1024; }\n"),
        );
        let text = text
            .replace("PORT", &self.port.to_string())
            .replace("DIRECTORY", &self.directory.display().to_string());

        fs::write(self.directory.join("conf"), text).expect("a configuration");
    }

    /// Runs nginx with additional options, such as `-s reload` or `-t`, and
    /// returns its output.
    pub fn run(&self, options: &[&str]) -> std::process::Output {
        Command::new(&self.exe)
            .args(&self.server.instead)
            .args(options)
            .envs(self.server.environment.iter().cloned())
            .stdin(Stdio::null())
            .output()
            .expect("nginx")
    }

    /// Runs `nginx -s NAME`, which must succeed.
    pub fn command_signal(&self, name: &str) {
        let out = self.run(&["-s", name]);

        assert!(out.status.success(), "{out:?}");
    }

    /// Requests `path` on a connection of its own; returns the whole answer.
    pub fn get(&self, path: &str) -> String {
        self.try_get(path).expect("an answer")
    }

    pub fn try_get(&self, path: &str) -> std::io::Result<String> {
        get_at(self.address(), path)
    }

    /// Waits until an nginx that was just started has so many workers and all
    /// processes know each other. Returns the descriptors of all processes.
    pub fn settled(&self, workers: usize) -> Vec<Descriptors> {
        self.wait_for_workers(workers);

        wait_until("processes that know each other", || {
            let log = self.log();
            let count = |text| log.matches(text).count();

            log.contains(": sigsuspend") && count(": pass channel ") == count(": get channel ")
        });

        self.descriptors()
    }

    /// Waits until an nginx without a master waits for events. If a signal
    /// arrives after nginx has checked its flags and before it waits, nginx
    /// handles the signal only at the next event. So a test sends a signal only
    /// while nginx waits.
    pub fn wait_for_idle(&self) {
        wait_until("a nginx that waits for events", || {
            let waits = |line: &str| line.contains("epoll timer: ");

            self.log().lines().last().is_some_and(waits) && proc::waits_for_events(self.master())
        });
    }

    /// Requests `path` from this worker; returns the whole answer.
    pub fn get_from(&self, worker: i32, path: &str) -> String {
        self.with_only(worker, || self.get(path))
    }

    /// Calls `act` while all workers but this one are stopped, so that this
    /// worker accepts.
    pub fn with_only<T>(&self, worker: i32, act: impl FnOnce() -> T) -> T {
        let mut others = self.workers();

        others.remove(&worker);
        stop(&others);

        let done = act();

        resume(&others);
        done
    }

    /// Calls `act` for each worker, while all other workers are stopped.
    pub fn with_each(&self, mut act: impl FnMut(i32)) {
        let workers = self.workers();

        stop(&workers);

        for worker in &workers {
            let one = BTreeSet::from([*worker]);

            resume(&one);
            act(*worker);
            stop(&one);
        }

        resume(&workers);
    }

    /// The reports of AddressSanitizer. If it cannot write a report, it writes
    /// a line to stderr, which is nginx's log; the result then contains this
    /// line.
    fn reports(&self) -> String {
        let files = fs::read_dir(&self.directory)
            .into_iter()
            .flatten()
            .flatten();
        let texts = files
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(REPORT))
            .filter_map(|entry| fs::read_to_string(entry.path()).ok());
        let unwritten = self.lines("ERROR: Can't open file: ");

        texts.chain(unwritten).collect::<Vec<_>>().join("\n")
    }

    /// The path of the status module, for the directive `load_module`.
    pub fn status_module() -> PathBuf {
        built("ipc").with_file_name("ngx_http_ipc_status_module.so")
    }
}

/// Requests `path` from a server at `address`, on a connection of its own;
/// returns the whole answer.
pub fn get_at(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = connect_to(address)?;
    let mut answer = Vec::new();

    ask(&mut stream, path)?;
    stream.read_to_end(&mut answer)?;

    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Stops the processes with SIGSTOP, and waits until all are stopped.
fn stop(pids: &BTreeSet<i32>) {
    for &pid in pids {
        sys::kill(pid, libc::SIGSTOP);
    }

    wait_until("stopped processes", || {
        pids.iter().all(|&pid| proc::state(pid) == Some('T'))
    });
}

fn resume(pids: &BTreeSet<i32>) {
    for &pid in pids {
        sys::kill(pid, libc::SIGCONT);
    }
}

/// Sends a request of `path`, after whose answer the server closes the
/// connection.
pub fn ask(stream: &mut TcpStream, path: &str) -> std::io::Result<()> {
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
}

/// The status code of an answer.
pub fn code(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

/// The value of a header of an answer, or "".
pub fn header<'a>(answer: &'a str, name: &str) -> &'a str {
    answer
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        .unwrap_or_default()
}

/// The body of an answer.
pub fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let reports = self.reports();

        if thread::panicking() {
            eprintln!("{reports}");
        } else {
            assert!(reports.is_empty(), "{reports}");
        }
    }
}
