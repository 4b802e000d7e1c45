//! Messages in an unmodified nginx that has loaded the library: what differs from a linked
//! nginx. The tests of `messages*.rs` that both pass are there.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use crate::messages::{ask, start_with, wait_for_handled};
use crate::messages_counts::{
    Requests, WORKERS, check_gaps, lose_nothing, reload_and_kill, rounds, send_and_compare, start,
    wait_for_up,
};
use crate::messages_ledger::Ledger;
use crate::nginx::{Nginx, Which, times};
use crate::support::random::Random;
use crate::support::tracer::Tracer;
use crate::support::upgrade::{change_binary, retire};
use crate::support::{proc, sys, wait_until};

const NO_ROOM: &str = "no room for the messages of the process";

/// Each number that was sent is received once, or is in a gap that is reported, over
/// reloads, kills and an upgrade. The two binaries have memory of their own, so no number
/// goes from one to the other.
#[test]
fn no_number_is_lost_in_silence() {
    let nginx = start("messages_loaded", Which::Loaded);
    let kills = rounds(20);

    lose_nothing(&nginx, 0..kills / 2);

    let requests = Requests::start(&nginx, 2);
    let (old, new) = change_binary(&nginx, WORKERS);

    requests.wait_for(200);

    let (olds, news) = (nginx.workers_of(old), nginx.workers_of(new));

    for round in kills / 2..kills {
        reload_and_kill(&nginx, &requests, round);
    }

    assert_eq!(Ledger::read(&nginx).crossed(&olds, &news), 0);
    retire(&nginx, old);
    sys::reap(old);
    requests.wait_for(50);
    requests.stop();
    wait_until("the end of all workers that shut down", || {
        nginx.shutting_down().is_empty()
    });
    send_and_compare(&nginx, WORKERS);
    check_gaps(&nginx, kills);
    nginx.quit(&["exited on signal 9"]);
}

/// At a reload the fork of worker 1 fails. nginx starts worker 2 in its place, and does not
/// start worker 1. Both workers have messages, and so have the helpers.
#[test]
fn processes_have_messages_after_a_failed_fork() {
    let nginx = start_with(
        "messages_loaded_fork",
        Which::Loaded,
        "",
        "proxy_cache_path cache keys_zone=c:1m;",
    );
    let old = nginx.workers();
    let tracer = Tracer::fail_forks(&nginx, nginx.master(), ":when=2");

    nginx.signal(libc::SIGHUP);
    nginx.wait_for_line("fork() failed while spawning");
    drop(tracer);

    let new = nginx.wait_for_others(2, &old);
    let (&first, &last) = (new.first().unwrap(), new.last().unwrap());

    nginx.wait_for_end_of(&old);
    // The slot of worker 1 waits for the next reload.
    assert!(ask(&nginx, first, "/?n=1&helpers=1").starts_with("sent:4 "));
    wait_for_handled(&nginx, last, 1);
    nginx.wait_for_lines(2, "messages: helper handled:1");

    // The replacement of worker 2 has its messages.
    nginx.with_only(first, || {
        nginx.get("/?n=2");
        sys::kill(last, libc::SIGKILL);
    });

    let new = nginx.wait_for_others(2, &BTreeSet::from([last]));

    wait_for_handled(&nginx, *new.iter().find(|pid| **pid != first).unwrap(), 2);

    // The next reload starts all of them.
    nginx.signal(libc::SIGHUP);

    let new = nginx.wait_for_others(3, &new);

    nginx.wait_for_end_of(&BTreeSet::from([first]));
    assert!(ask(&nginx, *new.first().unwrap(), "/?n=1").starts_with("sent:2 "));
    wait_for_handled(&nginx, *new.last().unwrap(), 1);
    // nginx writes to the channel of the process that is missing.
    nginx.quit(&["fork() failed", "exited on signal 9", "Bad file descriptor"]);
}

/// Reloads follow each other so fast that some processes have not begun when the next
/// configuration starts. All processes get a slot, and nothing is lost in silence.
#[test]
fn fast_reloads() {
    let nginx = start("messages_loaded_storm", Which::Loaded);
    let requests = Requests::start(&nginx, 2);

    for round in 1..=times(60, 8) {
        nginx.signal(libc::SIGHUP);
        nginx.wait_for_lines(round, "start worker processes");
    }

    requests.wait_for(50);
    requests.stop();
    wait_for_two(&nginx);
    send_and_compare(&nginx, WORKERS);
    assert_eq!(nginx.lines(NO_ROOM), [""; 0]);
    check_gaps(&nginx, 0);
    nginx.quit(&[]);
}

/// Waits until only three workers are left, each of which sends to the two others: the
/// slots of killed ones are recovered within a second.
fn wait_for_two(nginx: &Nginx) {
    wait_until("the end of all workers that shut down", || {
        nginx.shutting_down().is_empty()
    });
    wait_for_up(nginx, WORKERS);
    wait_until("messages to the living only", || {
        let since = Ledger::read(nginx).moment();

        nginx.with_each(|_| {
            nginx.get("/");
        });
        Ledger::read(nginx).sent_since(&since) == [WORKERS as i64 - 1]
    });
}

/// Kills random processes at random moments, also while they start, and reloads.
#[test]
fn random_kills() {
    let seed = std::process::id().into();
    let nginx = start("messages_loaded_kills", Which::Loaded);
    let requests = Requests::start(&nginx, 2);
    let end = Instant::now() + Duration::from_secs(if times(1, 0) == 0 { 5 } else { 60 });
    let mut random = Random::new(seed);
    let mut kills = 0;

    println!("seed {seed}");

    while Instant::now() < end {
        let master = nginx.master();
        let children = nginx.processes().into_iter().filter(|&pid| pid != master);

        if let Some(victim) = random.one(children) {
            sys::kill(victim, libc::SIGKILL);
            kills += 1;
        }

        if random.below(8) == 0 {
            nginx.signal(libc::SIGHUP);
        }

        std::thread::sleep(Duration::from_micros(random.below(20_000) as u64));
    }

    requests.stop();
    wait_for_two(&nginx);
    send_and_compare(&nginx, WORKERS);
    check_gaps(&nginx, kills);
    assert_eq!(nginx.lines(NO_ROOM), [""; 0]);
    println!("{kills} kills");
    // A worker can be killed while it takes its slot.
    nginx.quit(&["exited on signal 9", "has exited and held the lock"]);
}

/// A worker that fails in `init_process` exits with 2, and nginx starts no other one in its
/// place. Nothing is sent to it.
#[test]
fn a_worker_that_cannot_start() {
    let nginx = start("messages_loaded_fatal", Which::Loaded);
    let ledger = nginx.directory.join("ledger");
    let moved = nginx.directory.join("moved");
    let victim = *nginx.workers().first().unwrap();

    // The module cannot open a directory.
    fs::rename(&ledger, &moved).unwrap();
    fs::create_dir(&ledger).unwrap();
    sys::kill(victim, libc::SIGKILL);
    nginx.wait_for_line("exited with fatal code 2 and cannot be respawned");
    fs::remove_dir(&ledger).unwrap();
    fs::rename(&moved, &ledger).unwrap();

    let since = Ledger::read(&nginx).moment();

    nginx.with_each(|_| {
        nginx.get("/");
    });
    assert_eq!(Ledger::read(&nginx).sent_since(&since), [1]);
    nginx.quit(&[
        "exited on signal 9",
        "is a directory",
        "Is a directory",
        "fatal code 2",
    ]);
}

/// The master has no event loop and no slot: a message to it fails with ESRCH.
#[test]
fn the_master_gets_no_messages() {
    let nginx = start_with("messages_loaded_master", Which::Loaded, "", "");
    let &worker = nginx.workers().first().unwrap();

    assert!(ask(&nginx, worker, "/?master=2").starts_with("sent:0 "));
    assert_eq!(
        nginx
            .lines("messages: none to the master (3: No such process)")
            .len(),
        2
    );
    nginx.quit(&[]);
}

/// The master is killed. Its workers go on, and send each other messages. When one of them
/// is killed, nginx starts no other one, and nothing is sent to it any more.
#[test]
fn the_master_is_killed() {
    let nginx = start("messages_loaded_orphans", Which::Loaded);
    let master = nginx.master();

    sys::kill(master, libc::SIGKILL);
    wait_until("the end of the master", || !proc::alive(master));
    sys::reap(master);
    send_and_compare(&nginx, WORKERS);

    let victim = *nginx.workers().first().unwrap();

    sys::kill(victim, libc::SIGKILL);
    wait_until("the end of the worker", || !proc::alive(victim));
    sys::reap(victim);
    wait_until("messages to the living only", || {
        let since = Ledger::read(&nginx).moment();

        nginx.with_each(|_| {
            nginx.get("/");
        });
        Ledger::read(&nginx).sent_since(&since) == [WORKERS as i64 - 2]
    });

    for worker in nginx.workers() {
        sys::kill(worker, libc::SIGQUIT);
    }

    fs::remove_file(nginx.pidfile()).unwrap();
    check_gaps(&nginx, 1);
    wait_until("the end of all processes", || nginx.processes().is_empty());
    nginx.check_log(&[]);
}

/// Workers are killed after the fork and before `init_process`. The first one that is not
/// killed takes over the messages that were sent meanwhile.
#[test]
fn workers_are_killed_before_they_begin() {
    let nginx = start("messages_loaded_early", Which::Loaded);
    let victim = *nginx.workers().first().unwrap();
    let tracer = Tracer::with_options(&nginx, nginx.master(), "setgid", "signal=KILL", &["-f"]);

    nginx.with_only(*nginx.workers().last().unwrap(), || {
        sys::kill(victim, libc::SIGKILL);
        nginx.wait_for_lines(4, "exited on signal 9");
        nginx.get("/");
    });
    drop(tracer);
    send_and_compare(&nginx, WORKERS);
    assert_eq!(nginx.lines(NO_ROOM), [""; 0]);
    check_gaps(&nginx, 1);
    nginx.quit(&["exited on signal 9"]);
}

/// A worker that is stopped at any moment does not hold up a reload, nor the others.
#[test]
fn a_stopped_worker_holds_up_nobody() {
    let nginx = start("messages_loaded_stopped", Which::Loaded);

    for _ in 0..times(10, 2) {
        let old = nginx.workers();
        let &stopped = old.first().unwrap();

        sys::kill(stopped, libc::SIGSTOP);
        nginx.signal(libc::SIGHUP);
        // The stopped worker cannot change its title.
        wait_until("new workers", || {
            let mut now = nginx.workers();

            now.remove(&stopped) && now.len() == WORKERS && now.is_disjoint(&old)
        });

        let requests = Requests::start(&nginx, 1);

        requests.wait_for(20);
        requests.stop();
        sys::kill(stopped, libc::SIGCONT);
        nginx.wait_for_end_of(&old);
    }

    send_and_compare(&nginx, WORKERS);
    check_gaps(&nginx, 0);
    nginx.quit(&[]);
}
