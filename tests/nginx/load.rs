//! Clients that send requests all the time while a test reloads or kills nginx.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crate::nginx::{Nginx, body, code, get_at};
use crate::support::{SOON, find, sys, wait_until, wait_within};

/// Clients that request `/` all the time, each time on a new connection. The
/// answer is the worker's pid. If a request fails, the test fails.
pub struct Clients {
    end: Arc<AtomicBool>,
    seen: Arc<Mutex<Seen>>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Seen {
    requests: usize,
    pids: BTreeSet<i32>,
    failures: Vec<String>,
}

impl Clients {
    pub fn start(nginx: &Nginx, n: usize) -> Self {
        let end = Arc::new(AtomicBool::new(false));
        let seen = Arc::new(Mutex::new(Seen::default()));
        let address = nginx.address();
        let threads = (0..n)
            .map(|_| {
                let (end, seen) = (end.clone(), seen.clone());

                thread::spawn(move || {
                    while !end.load(Ordering::Relaxed) {
                        let answered = request(address);

                        seen.lock().unwrap().note(answered);
                    }
                })
            })
            .collect();

        Self { end, seen, threads }
    }

    /// Waits until each of these workers has answered a request. The kernel
    /// chooses the worker that accepts a connection, so this can take some
    /// time.
    pub fn wait_for_answers_of(&self, pids: &BTreeSet<i32>) {
        wait_within(6 * SOON, &format!("an answer of each of {pids:?}"), || {
            self.seen.lock().unwrap().pids.is_superset(pids)
        });
    }

    /// Waits until a request that was sent after this call has been answered.
    pub fn wait_for_next(&self) {
        let requests = || self.seen.lock().unwrap().requests;
        let before = requests();

        // When this call begins, each client can have a request without an
        // answer. So one answer more than there are clients must arrive.
        wait_until("an answer", || requests() > before + self.threads.len());
    }

    /// Stops the clients, and checks that no request has failed.
    pub fn end(mut self) {
        self.end.store(true, Ordering::Relaxed);

        for thread in self.threads.drain(..) {
            thread.join().expect("a client");
        }

        let seen = self.seen.lock().unwrap();

        assert!(seen.requests > 0);
        assert_eq!(seen.failures, [""; 0], "of {} requests", seen.requests);
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
    }
}

impl Seen {
    fn note(&mut self, answered: Result<i32, String>) {
        self.requests += 1;

        match answered {
            Ok(pid) => {
                self.pids.insert(pid);
            }
            Err(failure) => self.failures.push(failure),
        }
    }
}

/// Sends a request; returns the pid of the worker that has answered, or the
/// reason of the failure.
fn request(address: SocketAddr) -> Result<i32, String> {
    let answer = get_at(address, "/").map_err(|err| err.to_string())?;

    match (code(&answer), body(&answer).parse()) {
        ("200", Ok(pid)) => Ok(pid),
        _ => Err(answer),
    }
}

/// The program wrk, which keeps its connections open and always has a request
/// without an answer on each.
pub struct Wrk(Child);

/// The numbers that wrk prints at its end.
#[derive(Debug, Default)]
pub struct Report {
    pub requests: usize,
    pub bad_codes: usize,
    pub connect: usize,
    pub read: usize,
    pub write: usize,
    pub timeout: usize,
}

impl Wrk {
    pub fn start(nginx: &Nginx, connections: usize) -> Self {
        let wrk = Command::new("wrk")
            .args(["-t", "1", "-d", "1h", "--timeout", "10s"])
            .args(["-c", &connections.to_string()])
            .arg(format!("http://{}/", nginx.address()))
            .stdout(Stdio::piped())
            .spawn()
            .expect("wrk, see c-tests/run/deps.sh");

        Self(wrk)
    }

    /// Stops wrk, and returns its report.
    pub fn end(mut self) -> Report {
        sys::kill(self.pid(), libc::SIGINT);
        find("the end of wrk", || self.0.try_wait().expect("wrk"));

        let out = std::io::read_to_string(self.0.stdout.take().expect("a pipe")).expect("a report");

        Report::parse(&out)
    }

    fn pid(&self) -> i32 {
        self.0.id().try_into().expect("a pid")
    }
}

impl Drop for Wrk {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Report {
    /// Checks that all requests were answered, during so many reloads. One
    /// exception is allowed: a worker that shuts down closes its idle
    /// connections, while a client can just be sending a request on one of them
    /// (RFC 9112, 9.3.1: the client may send it again).
    pub fn check(&self, connections: usize, reloads: usize) {
        let closed = self.read + self.write;

        assert!(self.requests > 0, "{self:?}");
        assert_eq!(
            (self.bad_codes, self.connect, self.timeout),
            (0, 0, 0),
            "{self:?}"
        );
        assert!(closed <= connections * reloads, "{self:?}");
    }

    /// Parses wrk's lines "1 requests in 1.00s, 1.00MB read", "Non-2xx or 3xx
    /// responses: 1" and "Socket errors: connect 1, read 1, write 1, timeout
    /// 1". wrk prints the last two only if there were errors.
    fn parse(out: &str) -> Self {
        let number = |before: &str, after: &str| {
            out.lines()
                .filter_map(|line| line.split_once(before)?.1.split(after).next())
                .find_map(|number| number.trim().parse().ok())
        };
        let requests = out.lines().find_map(|line| {
            let (requests, _) = line.split_once(" requests in ")?;

            requests.trim().parse().ok()
        });

        Self {
            requests: requests.unwrap_or_else(|| panic!("no requests: {out}")),
            bad_codes: number("responses: ", ",").unwrap_or(0),
            connect: number("connect ", ",").unwrap_or(0),
            read: number(" read ", ",").unwrap_or(0),
            write: number("write ", ",").unwrap_or(0),
            timeout: number("timeout ", ",").unwrap_or(0),
        }
    }
}
