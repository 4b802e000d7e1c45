//! Tests of messages between the processes of a whole program.

use std::collections::HashSet;
use std::fs::{self, File};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::build;
use crate::support::ledger::{Event, Order, events};
use crate::support::server::Server;
use crate::support::{find, proc, sys, wait_until};

/// `NGX_IPC_GAP_DAMAGED`.
const DAMAGED: i64 = 1;

/// A number and the process that sends it.
type Note = (i32, i64);

/// What all processes have written to the file of `runtime_messages`.
#[derive(Default)]
struct Ledger {
    tried: HashSet<Note>,
    sent: HashSet<Note>,
    received: HashSet<Note>,
    /// The number of messages in gaps.
    gaps: i64,
}

impl Ledger {
    /// Reads the file. Checks that no number was received twice, or in another
    /// order than it was sent.
    fn read(server: &Server) -> Self {
        let mut ledger = Self::default();
        let mut order = Order::default();

        for Event {
            line,
            what,
            pid,
            first,
            second,
        } in events(&server.place)
        {
            match what {
                'T' => assert!(ledger.tried.insert((pid, first)), "{line}"),
                'S' => assert!(ledger.sent.insert((pid, first)), "{line}"),
                'F' => assert!(ledger.tried.contains(&(pid, first)), "{line}"),
                'R' => {
                    let sender = first as i32;

                    order.received(pid, sender, second);
                    assert!(ledger.received.insert((sender, second)), "twice: {line}");
                }
                'G' => {
                    ledger.gaps += first;
                    // No process writes garbage in these tests.
                    assert_ne!(second, DAMAGED, "{line}");
                }
                _ => panic!("{line}"),
            }
        }

        assert!(ledger.received.is_subset(&ledger.tried));
        ledger
    }

    /// The number of messages that were sent and not received.
    fn missing(&self) -> i64 {
        self.sent.difference(&self.received).count() as i64
    }
}

fn program(test: &str) -> Server {
    let mut server = Server::new(test, "server", &build::program("runtime_messages"));

    server.place = server.directory.join("ledger").display().to_string();
    server
}

/// Waits until so many messages more were received.
fn wait_for_messages(server: &Server, more: usize) {
    let before = Ledger::read(server).received.len();

    wait_until("messages", || {
        Ledger::read(server).received.len() >= before + more
    });
}

/// Makes all processes stop sending.
fn stop_sending(server: &Server) {
    File::create(format!("{}.stop", server.place)).unwrap();
}

/// Three workers and a helper send numbers to all workers, while the master
/// reloads 10 times and 5 workers are killed. Each number that was sent is
/// received once, or is in a gap that is reported.
#[test]
fn numbers_arrive_over_reloads_and_kills() {
    const KILLS: i64 = 5;

    let server = program("messages");

    server.start(3, &["-m"]);
    wait_for_messages(&server, 100);

    for round in 0..10 {
        server.reload();
        wait_for_messages(&server, 100);

        if round % 2 == 0 {
            let workers = server.wait_for_workers(3);
            let victim = *workers.first().unwrap();

            assert!(sys::kill(victim, libc::SIGKILL));
            wait_until("the end of the worker", || !proc::alive(victim));
            server.wait_for_workers(3);
            wait_for_messages(&server, 100);
        }
    }

    stop_sending(&server);

    let ledger = find("all numbers", || {
        let ledger = Ledger::read(&server);

        (ledger.missing() <= ledger.gaps).then_some(ledger)
    });
    // The killed process has not said what became of its last number, and what it
    // was handling is in a gap though it was received.
    let unknown = 2 * KILLS;

    assert!(ledger.gaps <= ledger.missing() + unknown, "{}", ledger.gaps);
    println!(
        "{} sent, {} received, {} in gaps",
        ledger.sent.len(),
        ledger.received.len(),
        ledger.gaps
    );
    server.quit(&["exited on signal 9"]);

    let ledger = Ledger::read(&server);

    assert!(ledger.missing() <= ledger.gaps, "{}", ledger.missing());
}

/// Eight workers and a helper send messages of up to 1 MiB to all workers, some with
/// a descriptor, while workers are killed and stopped and the master reloads, all
/// at random. Each number that was sent is received once and in order, or is in a
/// gap; payloads and descriptors are whole; no process and no descriptor is left.
#[test]
fn large_messages_and_descriptors_under_stress() {
    let seconds = std::env::var("T_STRESS").ok();
    let seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or(3);
    let server = program("messages_stress");
    let mut random = Random(7);
    let mut kills = 0;
    let mut reloads = 0;

    server.start(8, &["-m", "-s"]);

    let before = server.settled_descriptors();
    let end = Instant::now() + Duration::from_secs(seconds);

    while Instant::now() < end {
        let workers: Vec<_> = server.workers().into_iter().collect();
        let victim = workers.get(random.below(workers.len().max(1))).copied();

        // The time between two disturbances.
        sleep(Duration::from_millis(random.below(100) as u64));

        match (random.below(8), victim) {
            (0, _) => {
                // A process that exits after a reload has no replacement that could
                // report what is lost, so it is not killed.
                server.wait_for_workers(8);
                server.reload();
                wait_until("the old workers", || server.shutting_down().is_empty());
                reloads += 1;
            }
            (1..3, Some(victim)) => kills += i64::from(sys::kill(victim, libc::SIGKILL)),
            (3..6, Some(victim)) => {
                sys::kill(victim, libc::SIGSTOP);
                sleep(Duration::from_millis(random.below(100) as u64));
                sys::kill(victim, libc::SIGCONT);
            }
            _ => (),
        }
    }

    stop_sending(&server);
    server.wait_for_workers(8);

    let ledger = find("all numbers", || {
        let ledger = Ledger::read(&server);

        (ledger.missing() <= ledger.gaps).then_some(ledger)
    });

    println!(
        "{} sent, {} refused, {} received, {} in gaps, {kills} kills, {reloads} reloads",
        ledger.sent.len(),
        ledger.tried.len() - ledger.sent.len(),
        ledger.received.len(),
        ledger.gaps
    );
    // The process that was killed has not said what became of its last number, and
    // what it was handling is in a gap though it was received.
    assert!(ledger.gaps <= ledger.missing() + 2 * kills);
    server.wait_for_descriptors(&before);
    server.quit(&["exited on signal 9"]);
}

/// A generator of random numbers, xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// When nothing was sent for some seconds, no process of the program makes a system
/// call.
#[test]
fn an_idle_program_makes_no_system_calls() {
    let server = program("messages_idle");

    server.start(3, &[]);
    wait_until("messages", || {
        fs::metadata(&server.place).is_ok_and(|file| file.len() > 10_000)
    });
    stop_sending(&server);

    // The last message, and five seconds more.
    let end = Instant::now() + Duration::from_secs(6);
    let processes = server.processes();

    assert_eq!(processes.len(), 4);
    sleep(end - Instant::now());

    let waits = || {
        processes
            .iter()
            .map(|&pid| proc::waits(pid))
            .collect::<Vec<_>>()
    };
    let before = waits();

    sleep(Duration::from_secs(10));
    assert_eq!(waits(), before, "{processes:?}");
    server.quit(&[]);
}

/// A process that is master and worker in one sends numbers to itself, also after
/// a reload.
#[test]
fn a_single_process_sends_to_itself() {
    let server = program("messages_single");

    server.spawn(&["-1"]);
    wait_until("the ledger", || fs::exists(&server.place).unwrap());
    wait_for_messages(&server, 100);
    server.signal(libc::SIGHUP);
    server.wait_for_line("reconfiguring");
    wait_for_messages(&server, 100);
    stop_sending(&server);

    let ledger = find("all numbers", || {
        let ledger = Ledger::read(&server);

        (ledger.missing() == 0).then_some(ledger)
    });

    assert_eq!(ledger.gaps, 0);
    assert_eq!(ledger.sent.len(), ledger.tried.len());
    server.quit(&[]);
}
