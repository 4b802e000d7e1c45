//! A module broadcasts a number at each request to the workers of all generations and
//! of both binaries, while nginx reloads, workers are killed, and another binary
//! replaces the running one. With the library each number arrives once at each
//! worker, or is in a gap that is reported. On a stock nginx the same module uses
//! nginx's channels, and numbers are lost.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use crate::defects::compiled;
use crate::messages_ledger::{Ledger, Moment};
use crate::nginx::{Nginx, Which, get_at};
use crate::support::upgrade::{change_binary, retire};
use crate::support::{find, proc, sys, wait_until};

pub const WORKERS: usize = 3;
const MANY: usize = 12;

pub const HTTP: &str = "broadcast_ledger DIRECTORY/ledger;
    server { listen 127.0.0.1:PORT; location / { broadcast; } }";

/// Clients that send requests all the time. A request to a worker that is killed
/// fails.
pub struct Requests {
    end: Arc<AtomicBool>,
    answers: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<()>>,
}

impl Requests {
    pub fn start(nginx: &Nginx, clients: usize) -> Self {
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
    pub fn wait_for(&self, more: usize) {
        let goal = self.answers.load(Ordering::Relaxed) + more;

        wait_until("answers", || self.answers.load(Ordering::Relaxed) >= goal);
    }

    pub fn stop(mut self) {
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

pub fn main_with(which: Which, workers: usize) -> String {
    format!(
        "{}\nload_module {};\nuser root;\ndaemon on;\nworker_processes {workers};\n\
         error_log log info;\nevents {{ worker_connections 512; }}",
        which.load_library(),
        compiled("ngx_http_broadcast_module", which).display()
    )
}

pub fn start(test: &str, which: Which) -> Nginx {
    let nginx = Nginx::new(test, which, &main_with(which, WORKERS), HTTP);

    nginx.spawn(&["-d"]);
    wait_for_up(&nginx, WORKERS);
    nginx
}

/// Waits until nginx has so many workers, which all handle broadcasts.
pub fn wait_for_up(nginx: &Nginx, workers: usize) -> BTreeSet<i32> {
    find("workers that handle broadcasts", || {
        let now = nginx.workers();

        (now.len() == workers && Ledger::read(nginx).up.is_superset(&now)).then_some(now)
    })
}

/// Waits until the running binary, and the old one if there is one, has so many
/// workers, and none of those that are `gone`.
fn wait_for_workers_but(nginx: &Nginx, gone: &BTreeSet<i32>) {
    wait_until("new workers", || {
        [Some(nginx.master()), nginx.old_master()]
            .into_iter()
            .flatten()
            .map(|master| nginx.workers_of(master))
            .all(|workers| workers.len() == WORKERS && workers.is_disjoint(gone))
    });
}

/// Reloads, and kills a worker: one of those that shut down, a new one, or during an
/// upgrade one of the old binary. Waits until all workers run.
pub fn reload_and_kill(nginx: &Nginx, requests: &Requests, round: usize) {
    let master = nginx.master();
    let mut gone = nginx.workers_of(master);

    requests.wait_for(20);
    nginx.signal(libc::SIGHUP);

    let victims = match nginx.old_master() {
        Some(old) if round.is_multiple_of(2) => nginx.workers_of(old),
        _ if round.is_multiple_of(3) => gone.clone(),
        _ => find("new workers", || {
            let now = nginx.workers_of(master);

            (now.len() == WORKERS && now.is_disjoint(&gone)).then_some(now)
        }),
    };
    let victim = *victims.iter().nth(round % WORKERS).unwrap();

    sys::kill(victim, libc::SIGKILL);
    wait_until("the end of a worker", || !proc::alive(victim));
    gone.insert(victim);
    wait_for_workers_but(nginx, &gone);
}

/// Reloads with a number of workers, and waits until the old ones have
/// exited.
pub fn change_workers(nginx: &Nginx, workers: usize) {
    let old = nginx.workers();

    nginx.configure(&main_with(nginx.which, workers), HTTP);
    nginx.signal(libc::SIGHUP);
    nginx.wait_for_others(workers, &old);
    nginx.wait_for_end_of(&old);
}

/// The rounds of a test: `T_ROUNDS`, or `usual`.
pub fn rounds(usual: usize) -> usize {
    let wanted = std::env::var("T_ROUNDS").ok();

    wanted
        .and_then(|wanted| wanted.parse().ok())
        .unwrap_or(usual)
}

/// Waits until all workers of all binaries have received all numbers that they have
/// sent each other since a moment. No request is being handled.
pub fn counters_agree(nginx: &Nginx, workers: usize, since: &Moment) {
    let workers = wait_for_up(nginx, workers);

    nginx.with_each(|_| {
        nginx.get("/");
    });
    wait_until("the same counters in all workers", || {
        Ledger::read(nginx).agree(&workers, since)
    });
}

/// Sends requests to all workers that run now, and waits until their counters agree.
pub fn send_and_compare(nginx: &Nginx, workers: usize) {
    let since = Ledger::read(nginx).moment();
    let requests = Requests::start(nginx, 2);

    wait_for_up(nginx, workers);
    requests.wait_for(100);
    requests.stop();
    counters_agree(nginx, workers, &since);
    // Nothing is sent to the dead.
    assert_eq!(Ledger::read(nginx).sent_since(&since), [workers as i64 - 1]);
}

/// Each number that was sent is received once, or is in a gap that is reported with
/// a true cause, over 20 reloads, 20 kills and an upgrade. Half of the reloads and of
/// the kills happen while both binaries run, and workers of both are killed. The
/// counters of all workers agree: before the upgrade, while both binaries run, and
/// when the old one has exited.
#[test]
fn no_number_is_lost_in_silence() {
    let nginx = start("messages_counts", Which::Ipc);
    let kills = rounds(20);

    lose_nothing(&nginx, 0..kills / 2);

    let requests = Requests::start(&nginx, 2);
    let (old, _) = change_binary(&nginx, WORKERS);

    for round in kills / 2..kills {
        reload_and_kill(&nginx, &requests, round);
    }

    requests.stop();
    wait_until("the end of all workers that shut down", || {
        nginx.shutting_down().is_empty()
    });
    send_and_compare(&nginx, 2 * WORKERS);

    let requests = Requests::start(&nginx, 2);

    retire(&nginx, old);
    sys::reap(old);
    requests.wait_for(50);
    change_workers(&nginx, WORKERS);
    requests.stop();
    send_and_compare(&nginx, WORKERS);
    check_gaps(&nginx, kills);
    nginx.quit(&["exited on signal 9"]);
}

/// Reloads, kills a worker in each round, and changes the number of workers, under load.
/// Then the counters of all workers agree.
pub fn lose_nothing(nginx: &Nginx, rounds: Range<usize>) {
    let requests = Requests::start(nginx, 2);

    for round in rounds {
        reload_and_kill(nginx, &requests, round);
    }

    // Most of the slots of the many workers get no other process.
    change_workers(nginx, MANY);
    requests.wait_for(20);
    change_workers(nginx, WORKERS);
    requests.wait_for(50);
    requests.stop();
    // These workers have sent each other all that they have ever sent.
    counters_agree(nginx, WORKERS, &Moment::new());
}

/// Checks that all numbers that are missing are in gaps, and that each gap has a true
/// cause.
pub fn check_gaps(nginx: &Nginx, kills: usize) {
    let ledger = find("gaps for all that is missing", || {
        let ledger = Ledger::read(nginx);

        (ledger.missing() <= ledger.lost()).then_some(ledger)
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
}

/// While nothing happens to the workers, the module loses nothing on a stock nginx
/// either. When nginx reloads and workers are killed, it loses numbers. During an
/// upgrade no number goes from one binary to the other.
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

    let (old, new) = change_binary(&nginx, WORKERS);

    wait_for_up(&nginx, 2 * WORKERS);

    let (olds, news) = (nginx.workers_of(old), nginx.workers_of(new));

    nginx.with_each(|worker| {
        nginx.get("/");
        wait_until("a worker that waits", || proc::waits_for_events(worker));
    });
    nginx.with_each(|worker| {
        nginx.get("/");
        wait_until("a worker that waits", || proc::waits_for_events(worker));
    });
    assert_eq!(Ledger::read(&nginx).crossed(&olds, &news), 0);
    retire(&nginx, old);
    sys::reap(old);
    // nginx logs alerts when it writes to the channel of a dead worker.
    nginx.quit(&["[alert]", "Bad file descriptor"]);
}
