//! A module broadcasts a number at each request, while nginx reloads, workers are
//! killed, and another binary replaces the running one. With the library each
//! number arrives once at each worker, or is in a gap that is reported. On a stock
//! nginx the same module uses nginx's channels, and numbers are lost.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use crate::defects::compiled;
use crate::nginx::{Nginx, Which, get_at};
use crate::support::upgrade::{change_binary, retire};
use crate::support::{find, proc, sys, wait_until};

const WORKERS: usize = 3;

/// The workers of the last reload: more than all slots that were used before, so
/// that each slot has a worker that reports what its earlier processes have lost.
const ALL_SLOTS: usize = 16;

const HTTP: &str = "broadcast_ledger DIRECTORY/ledger;
    server { listen 127.0.0.1:PORT; location / { broadcast; } }";

/// A number and the pid of the worker that has sent it.
type Note = (i32, i64);

/// What all workers have written to the ledger.
#[derive(Default)]
struct Ledger {
    up: BTreeSet<i32>,
    tried: BTreeSet<Note>,
    /// To how many workers each number was sent.
    sent: HashMap<Note, i64>,
    /// By how many workers each number was received.
    received: HashMap<Note, i64>,
    /// How many numbers each worker has received from each.
    counters: BTreeMap<(i32, i32), i64>,
    /// The numbers of lost messages, by the cause that was reported.
    gaps: BTreeMap<i64, i64>,
}

impl Ledger {
    /// Reads the ledger. Checks that no worker has received a number twice, or in
    /// another order than it was sent.
    fn read(nginx: &Nginx) -> Self {
        let mut ledger = Self::default();
        let mut last: HashMap<(i32, i32), i64> = HashMap::new();
        let text = fs::read_to_string(nginx.directory.join("ledger")).unwrap_or_default();
        // The end of the last line may not be in the file yet.
        let (whole, _) = text.rsplit_once('\n').unwrap_or_default();

        for line in whole.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let number = |index: usize| words[index].parse::<i64>().expect(line);
            let pid = number(0) as i32;

            match words[1] {
                "up" => assert!(ledger.up.insert(pid), "{line}"),
                "try" => assert!(ledger.tried.insert((pid, number(2))), "{line}"),
                "sent" => assert_eq!(ledger.sent.insert((pid, number(2)), number(3)), None),
                "gap" => *ledger.gaps.entry(number(2)).or_default() += number(3),
                "got" => {
                    let sender = number(2) as i32;

                    assert!(
                        last.insert((pid, sender), number(3)) < Some(number(3)),
                        "twice, or in another order: {line}"
                    );
                    *ledger.received.entry((sender, number(3))).or_default() += 1;
                    *ledger.counters.entry((pid, sender)).or_default() += 1;
                }
                _ => panic!("{line}"),
            }
        }

        ledger
    }

    /// The number of messages that were sent and not received.
    fn missing(&self) -> i64 {
        let received = |note| self.received.get(note).copied().unwrap_or_default();

        for (note, &n) in &self.received {
            let most = self.sent.get(note).copied().unwrap_or(ALL_SLOTS as i64);

            assert!(self.tried.contains(note), "{note:?} was not sent");
            assert!(n <= most, "{note:?} was received {n} times, sent to {most}");
        }

        self.sent.iter().map(|(note, n)| n - received(note)).sum()
    }

    fn lost(&self) -> i64 {
        self.gaps.values().sum()
    }

    /// The number of messages of workers that were killed before they could say to
    /// how many they have sent.
    fn unknown(&self) -> i64 {
        let tried = self
            .tried
            .iter()
            .filter(|note| !self.sent.contains_key(note));

        tried.count() as i64 * (ALL_SLOTS as i64 - 1)
    }

    /// Whether these workers have all received the same from each of them.
    fn agree(&self, workers: &BTreeSet<i32>) -> bool {
        workers.iter().all(|&sender| {
            let counters: BTreeSet<i64> = workers
                .iter()
                .filter(|&&receiver| receiver != sender)
                .map(|&receiver| self.counters.get(&(receiver, sender)).copied())
                .map(Option::unwrap_or_default)
                .collect();

            counters.len() == 1 && !counters.contains(&0)
        })
    }
}

/// Clients that send requests all the time. A request to a worker that is killed
/// fails.
struct Requests {
    end: Arc<AtomicBool>,
    answers: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<()>>,
}

impl Requests {
    fn start(nginx: &Nginx, clients: usize) -> Self {
        let (end, answers) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let address = nginx.address();
        let client = |_| {
            let (end, answers): (_, Arc<AtomicUsize>) = (Arc::clone(&end), Arc::clone(&answers));

            thread::spawn(move || {
                while !end.load(Ordering::Relaxed) {
                    if get_at(address, "/").is_ok_and(|answer| answer.contains(" 200 ")) {
                        answers.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        };
        let threads = (0..clients).map(client).collect();

        Self {
            end,
            answers,
            threads,
        }
    }

    /// Waits until so many requests more were answered.
    fn wait_for(&self, more: usize) {
        let goal = self.answers.load(Ordering::Relaxed) + more;

        wait_until("answers", || self.answers.load(Ordering::Relaxed) >= goal);
    }

    fn stop(mut self) {
        self.end.store(true, Ordering::Relaxed);

        for thread in self.threads.drain(..) {
            thread.join().expect("a client");
        }
    }
}

impl Drop for Requests {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
    }
}

fn main_with(which: Which, workers: usize) -> String {
    format!(
        "load_module {};\nuser root;\ndaemon on;\nworker_processes {workers};\n\
         error_log log info;\nevents {{ worker_connections 512; }}",
        compiled("ngx_http_broadcast_module", which).display()
    )
}

fn start(test: &str, which: Which) -> Nginx {
    let nginx = Nginx::new(test, which, &main_with(which, WORKERS), HTTP);

    nginx.spawn(&["-d"]);
    wait_for_up(&nginx, WORKERS);
    nginx
}

/// Waits until nginx has so many workers, which all handle broadcasts.
fn wait_for_up(nginx: &Nginx, workers: usize) -> BTreeSet<i32> {
    find("workers that handle broadcasts", || {
        let now = nginx.workers();

        (now.len() == workers && Ledger::read(nginx).up.is_superset(&now)).then_some(now)
    })
}

/// Reloads, and kills a worker: a new one, or one of those that shut down. Waits
/// until all workers run.
fn reload_and_kill(nginx: &Nginx, requests: &Requests, round: usize) {
    let old = nginx.workers();

    requests.wait_for(20);
    nginx.signal(libc::SIGHUP);

    let of_old = round.is_multiple_of(3);
    let victims = if of_old {
        old.clone()
    } else {
        nginx.wait_for_others(WORKERS, &old)
    };
    let victim = *victims.iter().nth(round % WORKERS).unwrap();

    sys::kill(victim, libc::SIGKILL);
    wait_until("the end of a worker", || !proc::alive(victim));
    wait_until("new workers", || {
        let now = nginx.workers();

        now.len() == WORKERS && now.is_disjoint(&old) && !now.contains(&victim)
    });
}

/// Reloads with another number of workers, and waits until the old ones have
/// exited.
fn change_workers(nginx: &Nginx, workers: usize) {
    let old = nginx.workers();

    nginx.configure(&main_with(nginx.which, workers), HTTP);
    nginx.signal(libc::SIGHUP);
    nginx.wait_for_others(workers, &old);
    nginx.wait_for_end_of(&old);
}

/// The rounds of a test: `T_ROUNDS`, or `usual`.
fn rounds(usual: usize) -> usize {
    let wanted = std::env::var("T_ROUNDS").ok();

    wanted
        .and_then(|wanted| wanted.parse().ok())
        .unwrap_or(usual)
}

/// Each number that was sent is received once, or is in a gap that is reported with
/// a true cause, over 20 reloads, 20 kills and an upgrade. At the end the counters
/// of all workers agree.
#[test]
fn no_number_is_lost_in_silence() {
    let nginx = start("messages_counts", Which::Ipc);
    let requests = Requests::start(&nginx, 2);
    let kills = rounds(20);

    for round in 0..kills {
        reload_and_kill(&nginx, &requests, round);
    }

    // What the dead have lost is reported by the next workers in their slots.
    change_workers(&nginx, ALL_SLOTS);
    requests.wait_for(20);
    change_workers(&nginx, WORKERS);

    let (old, _) = change_binary(&nginx, WORKERS);

    requests.wait_for(50);
    retire(&nginx, old);
    sys::reap(old);
    requests.wait_for(50);
    requests.stop();

    let workers = wait_for_up(&nginx, WORKERS);

    nginx.with_each(|_| {
        nginx.get("/");
    });

    let ledger = find("the same counters in all workers", || {
        let ledger = Ledger::read(&nginx);

        (ledger.agree(&workers) && ledger.missing() <= ledger.lost()).then_some(ledger)
    });

    println!(
        "{} broadcasts, {} received, {} missing, gaps {:?}",
        ledger.tried.len(),
        ledger.received.values().sum::<i64>(),
        ledger.missing(),
        ledger.gaps
    );

    // A killed worker had handled one message at most, which is in a gap even if its
    // handler had written its line.
    let handled = ledger.gaps.get(&3).copied().unwrap_or_default();

    assert!(handled <= kills as i64, "{:?}", ledger.gaps);
    assert_eq!(ledger.gaps.get(&1), None, "no message was damaged");
    assert!(
        ledger.lost() <= ledger.missing() + ledger.unknown() + handled,
        "gaps without a lost message"
    );

    nginx.quit(&["exited on signal 9"]);
}

/// While nothing happens to the workers, the module loses nothing on a stock nginx
/// either. When nginx reloads and workers are killed, it loses numbers.
#[test]
fn a_stock_nginx_loses_numbers() {
    let nginx = start("messages_counts_stock", Which::Stock);

    nginx.settled_descriptors();

    let requests = Requests::start(&nginx, 1);

    requests.wait_for(200);
    requests.stop();
    wait_until("all numbers", || {
        let ledger = Ledger::read(&nginx);
        let sent: i64 = ledger.sent.values().sum();

        ledger.missing() == 0 && sent == 2 * ledger.tried.len() as i64
    });

    let requests = Requests::start(&nginx, 2);

    for round in 0..rounds(20) {
        reload_and_kill(&nginx, &requests, round);
    }

    requests.stop();

    let workers = wait_for_up(&nginx, WORKERS);

    nginx.with_each(|_| {
        nginx.get("/");
    });

    // Each worker has handled what it has received when it answers once more.
    nginx.with_each(|worker| {
        nginx.get("/");
        wait_until("a worker that waits", || proc::waits_for_events(worker));
    });

    let ledger = Ledger::read(&nginx);

    println!(
        "{} broadcasts, {} received, {} lost, {} workers",
        ledger.tried.len(),
        ledger.received.values().sum::<i64>(),
        ledger.missing(),
        workers.len()
    );
    assert!(ledger.missing() > 0, "nothing is lost");
    // nginx logs alerts when it writes to the channel of a dead worker.
    nginx.quit(&["[alert]", "Bad file descriptor"]);
}
