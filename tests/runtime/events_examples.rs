//! The examples of timers and connections in docs/servers.md.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::build::{directory, example};
use crate::support::server::free_port;
use crate::support::{Killed, SOON, find, proc, sys, wait_until};

/// Runs an example; returns it and the file with its log.
fn start(name: &str, arguments: &[&str]) -> (Killed, PathBuf) {
    let log = directory().join(format!("{name}.log"));
    let mut command = Command::new(example(name));

    command
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(File::create(&log).unwrap());

    (Killed(command.spawn().unwrap()), log)
}

/// The lines of the log that contain `text`.
pub fn lines(log: &PathBuf, text: &str) -> Vec<String> {
    let log = std::fs::read_to_string(log).unwrap();

    log.lines()
        .filter(|line| line.contains(text))
        .map(str::to_string)
        .collect()
}

/// Stops a server, which must exit without an error.
fn quit(mut server: Killed) {
    assert!(sys::kill(server.0.id().cast_signed(), libc::SIGQUIT));
    assert!(server.0.wait().unwrap().success());
}

/// One worker works at each interval, also after a reload. A graceful shutdown does not
/// wait for the timer.
#[test]
fn a_timer_in_one_worker() {
    let start_time = Instant::now();
    let (program, log) = start("timer", &[]);
    let pid = program.0.id().cast_signed();
    let works = || lines(&log, "works");

    wait_until("two intervals", || works().len() >= 2);
    assert!(start_time.elapsed() >= Duration::from_secs(2));
    assert!(works().iter().all(|line| line.ends_with("worker 0 works")));

    sys::kill(pid, libc::SIGHUP);
    wait_until("the end of the old workers", || {
        lines(&log, "exited with code 0").len() == 2
    });

    let before = works().len();

    wait_until("another interval", || works().len() > before);
    quit(program);
}

/// The worker asks a server, and logs the answer. A server that refuses the connection
/// is logged too.
#[test]
fn a_connection_to_a_server() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (program, log) = start("connect", &[&port.to_string()]);
    let (stream, _) = listener.accept().unwrap();
    let mut line = String::new();

    stream.set_read_timeout(Some(SOON)).unwrap();
    BufReader::new(&stream).read_line(&mut line).unwrap();
    assert_eq!(line, "question\n");
    (&stream).write_all(b"42").unwrap();
    wait_until("the answer", || lines(&log, "answer: 42").len() == 1);

    // The worker has closed its end.
    assert_eq!((&stream).read(&mut [0]).unwrap(), 0);
    quit(program);

    drop(listener);

    let (program, log) = start("connect", &[&port.to_string()]);

    wait_until("a refusal", || {
        lines(&log, "recv() failed (111: Connection refused)").len() == 1
    });
    quit(program);
}

/// A connection on which nothing arrives is closed, and not before its time. Data make
/// the time begin again.
#[test]
fn a_connection_with_a_timeout() {
    const LIMIT: Duration = Duration::from_secs(3);

    let address = format!("127.0.0.1:{}", free_port());
    let (program, _) = start("timeout", &[&address, &LIMIT.as_millis().to_string()]);
    let mut stream = find("a server", || TcpStream::connect(&address).ok());
    let mut bytes = [0; 5];

    stream.set_read_timeout(Some(SOON)).unwrap();
    std::thread::sleep(LIMIT / 5);

    let start = Instant::now();

    stream.write_all(b"hello").unwrap();
    stream.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"hello");
    assert_eq!(stream.read(&mut bytes).unwrap(), 0);
    assert!(start.elapsed() >= LIMIT, "{:?}", start.elapsed());

    // An idle connection does not delay a graceful shutdown.
    let mut stream = TcpStream::connect(&address).unwrap();

    stream.write_all(b"again").unwrap();
    stream.read_exact(&mut bytes).unwrap();
    quit(program);
    assert_eq!(stream.read(&mut bytes).unwrap(), 0);
}

/// A client of `examples/count.c`. Returns how many clients the program has counted.
pub fn count(address: &str) -> usize {
    let mut text = String::new();
    let mut stream = find("a server", || TcpStream::connect(address).ok());

    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.read_to_string(&mut text).unwrap();
    text.trim().parse().unwrap()
}

/// The processes of an example whose parent is `master`.
pub fn children_of(name: &str, master: i32) -> BTreeSet<i32> {
    let mut all = proc::running(&example(name));

    all.retain(|&pid| proc::parent(pid) == Some(master));
    all
}

/// The clients of all workers are counted together, also when workers are killed, and over
/// reloads and upgrades.
#[test]
fn clients_are_counted_in_a_zone() {
    const CLIENTS: usize = 40;

    let address = format!("127.0.0.1:{}", free_port());
    let (mut program, log) = start("count", &[&address]);
    let mut master = program.0.id().cast_signed();
    let workers = |master| {
        let mut workers = BTreeSet::new();

        wait_until("four workers", || {
            workers = children_of("count", master);
            workers.len() == 4
        });
        workers
    };
    let mut counted = 0;
    let mut some_clients = || {
        for _ in 0..CLIENTS {
            counted += 1;
            assert_eq!(count(&address), counted);
        }
    };

    some_clients();

    for signo in [libc::SIGHUP, libc::SIGKILL] {
        let old = workers(master);

        if signo == libc::SIGHUP {
            sys::kill(master, signo);
        } else {
            for &worker in &old {
                sys::kill(worker, signo);
            }
        }

        wait_until("other workers", || {
            let now = children_of("count", master);

            now.len() == 4 && now.is_disjoint(&old)
        });
        some_clients();
    }

    // The new binary and the old one count together. Then the old one ends, and the new
    // one is upgraded in turn.
    for _ in 0..2 {
        let old = workers(master);

        sys::kill(master, libc::SIGUSR2);

        let new = find("a new master", || {
            children_of("count", master)
                .difference(&old)
                .next()
                .copied()
        });

        workers(new);
        some_clients();
        sys::kill(master, libc::SIGQUIT);

        if program.0.id().cast_signed() == master {
            assert!(program.0.wait().unwrap().success());
        } else {
            wait_until("the end of the old master", || !proc::alive(master));
        }

        some_clients();
        master = new;
    }

    assert!(lines(&log, "[emerg]").is_empty());
    assert!(lines(&log, "[warn]").is_empty());
    sys::kill(master, libc::SIGQUIT);
    wait_until("the end of the last master", || !proc::alive(master));
}

/// A client of `examples/visits.c`. Returns the numbers of this visit and of those before it;
/// `None` if its worker was killed.
pub fn visit(address: &str) -> Option<Vec<usize>> {
    visit_over(find("a server", || TcpStream::connect(address).ok()))
}

/// A visit over a connection, as [`visit`].
pub fn visit_over(mut stream: TcpStream) -> Option<Vec<usize>> {
    let mut text = String::new();

    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.read_to_string(&mut text).ok()?;

    (!text.is_empty()).then(|| {
        text.split_whitespace()
            .map(|n| n.parse().unwrap())
            .collect()
    })
}

/// The list in the zone and its counter always agree: after workers are killed at any moment,
/// over a reload, and over an upgrade.
#[test]
fn visits_are_kept_in_a_typed_zone() {
    let address = format!("127.0.0.1:{}", free_port());
    let (mut program, log) = start("visits", &[&address]);
    let master = program.0.id().cast_signed();
    let mut last = 0;
    let mut visit_until = |is_enough: &mut dyn FnMut(usize) -> bool| {
        for n in 0.. {
            if let Some(numbers) = visit(&address) {
                let now = numbers[0];
                let expected: Vec<_> = (1..=now).rev().take(3).collect();

                assert!(now > last, "{now} after {last}");
                assert_eq!(numbers, expected);
                last = now;

                if is_enough(n) {
                    break;
                }
            }
        }
    };

    visit_until(&mut |n| n >= 20);

    // Workers are killed while other clients wait for their locks.
    for _ in 0..20 {
        if let Some(&worker) = children_of("visits", master).first() {
            sys::kill(worker, libc::SIGKILL);
        }

        visit_until(&mut |n| n >= 5);
    }

    let old = children_of("visits", master);

    sys::kill(master, libc::SIGHUP);
    visit_until(&mut |_| {
        let now = children_of("visits", master);

        now.len() == 4 && now.is_disjoint(&old)
    });

    let old = children_of("visits", master);

    sys::kill(master, libc::SIGUSR2);

    let new = find("a new master", || {
        children_of("visits", master)
            .difference(&old)
            .next()
            .copied()
    });

    visit_until(&mut |_| children_of("visits", new).len() == 4);
    sys::kill(master, libc::SIGQUIT);
    assert!(program.0.wait().unwrap().success());
    visit_until(&mut |n| n >= 20);

    assert!(lines(&log, "[emerg]").is_empty());
    // Other warnings are about the killed workers.
    assert!(lines(&log, "of the old binary is not used").is_empty());
    sys::kill(new, libc::SIGQUIT);
    wait_until("the end of the last master", || !proc::alive(new));
}
