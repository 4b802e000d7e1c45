//! A short test under valgrind of an nginx that is built with the library.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::nginx::{Nginx, Which, body, built_usual};
use crate::support::{find_within, proc, sys, wait_within};

/// A time limit for programs under valgrind, which makes them slow.
const LONG: Duration = Duration::from_secs(120);

const TWO: &str = "worker_processes 2;";

const HTTP: &str = "
    limit_req_zone all zone=r:64k rate=1000r/s;
    proxy_cache_path DIRECTORY/cache keys_zone=c:1m;
    server {
        listen 127.0.0.1:PORT;
        location / { limit_req zone=r; proxy_cache c; proxy_pass http://127.0.0.1:PORT/origin; }
        location /origin { return 200 hello; }
    }";

/// An nginx that runs under valgrind. Its processes have valgrind's path and
/// title, so they are found as children of the first one.
struct Checked {
    nginx: Nginx,
    valgrind: Child,
}

impl Checked {
    fn start() -> Self {
        let nginx = Nginx::with_program(&built_usual("ipc"), "valgrind", Which::Ipc, TWO, HTTP);
        let valgrind = Command::new("valgrind")
            .args(["-q", "--vgdb=no", "--trace-children=yes"])
            .arg(format!(
                "--log-file={}/checked.%p",
                nginx.directory.display()
            ))
            .arg(&nginx.exe)
            .args(&nginx.instead)
            .stdin(Stdio::null())
            .spawn()
            .expect("valgrind");

        Self { nginx, valgrind }
    }

    /// Waits until `started` workers have been started since the beginning,
    /// only the last two of them run, and nginx answers a request. Returns the
    /// two workers.
    fn wait_for_workers(&self, started: usize) -> Vec<i32> {
        let two = find_within(LONG, "two workers", || {
            let workers = self.started("start worker process ");
            let two = workers
                .last_chunk::<2>()
                .filter(|_| workers.len() == started)?;

            (self.children() == self.expected(two)).then(|| two.to_vec())
        });
        let answer = find_within(LONG, "an answer", || self.nginx.try_get("/").ok());

        assert_eq!(body(&answer), "hello");
        two
    }

    /// The pids of these workers and of the helpers that were started last.
    fn expected(&self, workers: &[i32]) -> BTreeSet<i32> {
        [
            "start cache manager process ",
            "start cache loader process ",
        ]
        .into_iter()
        .filter_map(|text| self.started(text).last().copied())
        .chain(workers.iter().copied())
        .collect()
    }

    /// The pids that follow `text` in lines of the log.
    fn started(&self, text: &str) -> Vec<i32> {
        self.nginx
            .lines(text)
            .iter()
            .filter_map(|line| line.rsplit_once(' ')?.1.parse().ok())
            .collect()
    }

    fn children(&self) -> BTreeSet<i32> {
        children_of(self.nginx.master())
    }

    /// The reports of valgrind, one for each process.
    fn reports(&self) -> Vec<String> {
        fs::read_dir(&self.nginx.directory)
            .expect("a directory")
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("checked."))
            .map(|entry| fs::read_to_string(entry.path()).expect("a file"))
            .collect()
    }
}

/// The children of a process that have not exited (proc(5)).
fn children_of(pid: i32) -> BTreeSet<i32> {
    fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|child| child.parse().ok())
        .filter(|&child| proc::alive(child))
        .collect()
}

impl Drop for Checked {
    fn drop(&mut self) {
        for pid in children_of(self.valgrind.id().cast_signed()) {
            sys::kill(pid, libc::SIGKILL);
        }

        let _ = self.valgrind.kill();
        let _ = self.valgrind.wait();
    }
}

#[test]
fn no_errors() {
    let mut checked = Checked::start();

    checked.wait_for_workers(2);

    checked.nginx.signal(libc::SIGHUP);

    let [victim, other] = checked.wait_for_workers(4)[..] else {
        panic!("two workers");
    };

    sys::kill(victim, libc::SIGKILL);
    find_within(LONG, "another worker", || {
        let workers = checked.started("start worker process ");

        (workers.len() == 5 && checked.children() == checked.expected(&[other, workers[4]]))
            .then_some(())
    });
    assert_eq!(body(&checked.nginx.get("/")), "hello");

    checked.nginx.signal(libc::SIGQUIT);
    wait_within(LONG, "the master's exit", || {
        checked.valgrind.try_wait().expect("a child").is_some()
    });

    // One report each for the master, five workers, two cache managers and two
    // cache loaders.
    assert_eq!(checked.reports(), [""; 10]);
    checked.nginx.finish(&["exited on signal 9"]);
}
