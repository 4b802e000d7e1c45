//! Messages between the workers of an nginx that is built with the library, and of an
//! unmodified nginx that has loaded it.

use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};

use crate::defects::compiled;
use crate::nginx::{Nginx, Which, body, with_messages};
use crate::support::{find, sys, wait_until};

pub const HTTP: &str = "server { listen 127.0.0.1:PORT; location / { messages; } }";

/// The directives of the main context with which nginx loads the module and has 3
/// workers, and additional ones.
pub fn main_with(which: Which, additional: &str) -> String {
    let module = compiled("ngx_http_messages_module", which);

    format!(
        "{}\nload_module {};\nuser root;\nworker_processes 3;\n{additional}",
        which.load_library(),
        module.display()
    )
}

/// An nginx with 3 workers whose module sends messages, with additional directives
/// of the main context and of the block `http`.
pub fn start_with(test: &str, which: Which, main: &str, http: &str) -> Nginx {
    let nginx = Nginx::new(
        test,
        which,
        &main_with(which, main),
        &format!("{http}\n{HTTP}"),
    );

    nginx.spawn(&[]);
    nginx.settled(3);
    nginx
}

/// An nginx with 3 workers whose module sends messages, and additional
/// directives of the block `events`.
fn start(test: &str, which: Which, events: &str) -> Nginx {
    let events = format!("events {{ worker_connections 64; {events} }}");

    start_with(test, which, &events, "")
}

/// The answer of the module to a request of one worker.
pub fn ask(nginx: &Nginx, worker: i32, path: &str) -> String {
    body(&nginx.get_from(worker, path)).to_string()
}

/// Waits until a worker has handled so many messages.
pub fn wait_for_handled(nginx: &Nginx, worker: i32, count: usize) {
    let expected = format!("sent:0 handled:{count} gaps:0");

    wait_until("messages that were handled", || {
        ask(nginx, worker, "/") == expected
    });
}

/// Each worker broadcasts; the two others handle each message once.
fn broadcast(test: &str, which: Which, events: &str) {
    let nginx = start(test, which, events);
    let workers = nginx.workers();

    for &worker in &workers {
        assert_eq!(
            ask(&nginx, worker, "/?n=10").split(' ').next(),
            Some("sent:20")
        );
    }

    for &worker in &workers {
        wait_for_handled(&nginx, worker, 20);
    }

    nginx.quit(&[]);
}

#[test]
fn workers_broadcast() {
    with_messages(|which| broadcast("workers_broadcast", which, ""));
}

#[test]
fn workers_broadcast_with_poll() {
    with_messages(|which| broadcast("workers_broadcast_with_poll", which, "use poll;"));
}

#[test]
fn workers_broadcast_with_select() {
    with_messages(|which| broadcast("workers_broadcast_with_select", which, "use select;"));
}

/// The replacement of a killed worker gets the messages that the worker had not
/// handled.
#[test]
fn a_replacement_gets_the_messages() {
    with_messages(a_replacement_gets_the_messages_in);
}

fn a_replacement_gets_the_messages_in(which: Which) {
    let nginx = start("a_replacement_gets_the_messages", which, "");
    let workers = nginx.workers();
    let (&sender, &killed) = (workers.first().unwrap(), workers.last().unwrap());

    nginx.with_only(sender, || {
        assert!(body(&nginx.get("/?n=10")).starts_with("sent:20 "));
        sys::kill(killed, libc::SIGKILL);
    });

    let replacement = find("a replacement", || {
        let now = nginx.workers();

        (now.len() == 3)
            .then(|| now.difference(&workers).next().copied())
            .flatten()
    });

    wait_for_handled(&nginx, replacement, 10);
    nginx.quit(&["exited on signal 9"]);
}

/// The wake-up descriptors of all slots, which the master has made.
fn wake_up_descriptors(nginx: &Nginx) -> Vec<OwnedFd> {
    sys::duplicates(nginx.master(), |name, _| name.contains("eventfd"))
}

/// The counter of an eventfd.
fn count_of(fd: &OwnedFd) -> u64 {
    let path = format!("/proc/self/fdinfo/{}", fd.as_raw_fd());
    let info = fs::read_to_string(path).unwrap();
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("eventfd-count:"));

    u64::from_str_radix(line.expect("an eventfd").trim(), 16).unwrap()
}

/// The largest counter of an eventfd.
const FULL: u64 = u64::MAX - 1;

/// Fills eventfds, as a process that an attacker controls can: no write to them succeeds then.
fn fill(fds: &[OwnedFd]) {
    for fd in fds {
        let fill = || nix::unistd::write(fd, &(FULL - count_of(fd)).to_ne_bytes());

        // A process can be woken up between the two calls.
        while fill() == Err(nix::errno::Errno::EAGAIN) {}
    }
}

/// Whether the descriptors of 3 workers are not full any more, so that others can wake them up.
fn are_workers_wakeable(fds: &[OwnedFd]) -> bool {
    fds.iter().filter(|fd| count_of(fd) < FULL).count() == 3
}

/// Workers whose wake-up descriptors were filled can be woken up again.
#[test]
fn wake_up_descriptors_are_filled() {
    with_messages(wake_up_descriptors_are_filled_in);
}

fn wake_up_descriptors_are_filled_in(which: Which) {
    let nginx = start("wake_up_descriptors_are_filled", which, "");
    let workers = nginx.workers();
    let (&sender, &other) = (workers.first().unwrap(), workers.last().unwrap());
    let fds = wake_up_descriptors(&nginx);

    fill(&fds);
    wait_until("workers that read their descriptors", || {
        are_workers_wakeable(&fds)
    });

    // Now they have a message when they look.
    nginx.with_only(sender, || {
        assert!(body(&nginx.get("/?n=1")).starts_with("sent:2 "));
        fill(&fds);
    });

    let mut n = 1;

    wait_until("workers that read their descriptors", || {
        n += 1;
        assert!(ask(&nginx, sender, "/?n=1").starts_with("sent:2 "));
        wait_for_handled(&nginx, other, n);
        are_workers_wakeable(&fds)
    });

    nginx.quit(&[]);
}

/// A worker that asks a stopped worker is told that it is too late, and then gets
/// a reply.
#[test]
fn a_request_ends() {
    with_messages(a_request_ends_in);
}

fn a_request_ends_in(which: Which) {
    let nginx = start("a_request_ends", which, "");
    let workers = nginx.workers();
    let asks = *workers.last().unwrap();

    nginx.with_only(asks, || {
        assert!(body(&nginx.get("/?ask=1")).starts_with("sent:1 "));
        nginx.wait_for_line("messages: outcome:2");
    });

    assert!(ask(&nginx, asks, "/?ask=1").starts_with("sent:1 "));
    nginx.wait_for_line("messages: outcome:1");
    nginx.quit(&[]);
}

/// The number of eventfds of the master.
fn eventfds(which: Which, main: &str) -> usize {
    let test = format!("eventfds{}", main.len());
    let nginx = Nginx::new(&test, which, main, "");

    nginx.spawn(&[]);
    nginx.wait_for_workers(1);

    let count = std::fs::read_dir(format!("/proc/{}/fd", nginx.master()))
        .unwrap()
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .filter(|target| target.to_string_lossy().contains("eventfd"))
        .count();

    nginx.quit(&[]);
    count
}

/// An nginx without messages has as many descriptors as a stock nginx. The
/// directive makes an eventfd for each process, and for two slots at which masters can
/// look. That of the master is not used.
#[test]
fn only_messages_have_descriptors() {
    let stock = eventfds(Which::Stock, "");

    for without in ["", "ipc_messages off;"] {
        assert_eq!(eventfds(Which::Ipc, without), stock, "{without}");
    }

    // Four times the number of workers and helpers, and at least 64.
    for (with, processes) in [("processes=8", 8), ("on", 64)] {
        assert_eq!(
            eventfds(Which::Ipc, &format!("ipc_messages {with};")),
            stock + processes + 2,
            "{with}"
        );
    }
}
