//! Tests of D1 to D5 and D10: processes that cannot be started, or exit soon.

use std::collections::BTreeSet;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{configure, daemon, in_slot, nginx, started, wake_up};
use crate::nginx::{BOTH, Which};
use crate::support::tracer::Tracer;
use crate::support::{proc, sys, wait_until};

/// Alerts that the log can contain when workers are killed and cannot be
/// forked.
const FAILS: [&str; 4] = [
    "exited on signal 9",
    "fork() failed",
    "socketpair() failed",
    "could not respawn",
];

/// One `fork()` of a respawn fails (D1, D2). From then on the stock nginx has
/// one worker less. When another worker is killed, it closes the first worker's
/// channel a second time.
#[test]
fn d01_d02_a_respawn_that_cannot_be_forked() {
    for which in BOTH {
        let (nginx, workers) = started("d01", which, 4);
        let before = nginx.settled_descriptors();
        let tracer = Tracer::fail_forks(&nginx, nginx.master(), ":when=1");

        sys::kill(workers[0], libc::SIGKILL);
        nginx.wait_for_line("fork() failed while spawning \"worker process\" (11: ");
        drop(tracer);

        if which == Which::Ipc {
            nginx.wait_for_workers(4);
            sys::kill(workers[1], libc::SIGKILL);
            wait_until("another worker", || in_slot(&nginx, 1) != workers[1]);
            nginx.wait_for_workers(4);
            nginx.wait_for_descriptors(&before);
            nginx.quit(&FAILS);
            continue;
        }

        // The test waits longer than the library waits before its first retry.
        let begin = Instant::now();

        wake_up(&nginx, libc::SIGALRM);
        wait_until("a second", || {
            assert_eq!(nginx.workers().len(), 3, "D2");
            begin.elapsed() > Duration::from_secs(1)
        });

        sys::kill(workers[1], libc::SIGKILL);
        nginx.wait_for_lines(2, "close() channel failed (9: Bad file descriptor)");
    }
}

/// A reload cannot fork any new worker (D2). The stock nginx then has no
/// workers, because it stops the old ones.
#[test]
fn d02_a_reload_that_cannot_fork() {
    for which in BOTH {
        let (nginx, old) = started("d02_reload", which, 3);
        let before = nginx.settled_descriptors();
        let tracer = Tracer::fail_forks(&nginx, nginx.master(), "");

        nginx.signal(libc::SIGHUP);
        nginx.wait_for_lines(3, "fork() failed while spawning");
        nginx.wait_for_end_of(&old.into_iter().collect());
        drop(tracer);

        match which {
            Which::Stock | Which::Loaded => {
                wake_up(&nginx, libc::SIGALRM);
                assert_eq!(nginx.workers(), BTreeSet::new());
            }
            Which::Ipc => {
                nginx.wait_for_workers(3);
                nginx.wait_for_descriptors(&before);
                assert!(nginx.get("/").ends_with("hello"));
                nginx.quit(&FAILS);
            }
        }
    }
}

/// SIGQUIT and SIGTERM stop an nginx that is built with the library while its
/// workers wait to be forked (D2): after a respawn that failed, and after a
/// reload that failed.
#[test]
fn d02_stopped_while_workers_wait() {
    for (signo, reload) in [
        (libc::SIGQUIT, false),
        (libc::SIGTERM, false),
        (libc::SIGQUIT, true),
        (libc::SIGTERM, true),
    ] {
        let (nginx, old) = started("d02_stopped", Which::Ipc, 3);
        let tracer = Tracer::fail_forks(&nginx, nginx.master(), "");

        if reload {
            nginx.signal(libc::SIGHUP);
            nginx.wait_for_lines(3, "fork() failed while spawning");
            nginx.wait_for_end_of(&old.into_iter().collect());
        } else {
            sys::kill(in_slot(&nginx, 0), libc::SIGKILL);
            nginx.wait_for_line("could not respawn");
        }

        nginx.signal(signo);
        wait_until("the end", || nginx.processes().is_empty());
        drop(tracer);
        nginx.finish(&FAILS);
    }
}

/// A worker cannot be forked for a while, because the user has too many
/// processes (D2).
#[test]
fn d02_a_limit_of_processes() {
    if !sys::is_root() {
        eprintln!("SKIP: only root can be another user");
        return;
    }

    for which in BOTH {
        let nginx = nginx("d02_limit", which, 3, "");
        let user = sys::new_user();
        let mut other = Command::new("cat")
            .stdin(Stdio::piped())
            .uid(user)
            .spawn()
            .unwrap();

        // The user may have four processes: one that this test has started, the
        // master and two of the three workers.
        nginx.spawn_limited(user, 4, &[]);
        nginx.wait_for_line("fork() failed while spawning \"worker process\" (11: ");
        nginx.wait_for_workers(2);
        drop(other.stdin.take());
        assert!(other.wait().unwrap().success());

        match which {
            Which::Stock | Which::Loaded => {
                wake_up(&nginx, libc::SIGALRM);
                assert_eq!(nginx.workers().len(), 2);
            }
            Which::Ipc => {
                nginx.wait_for_workers(3);
                nginx.quit(&FAILS);
            }
        }
    }
}

/// The sockets for which a process has more than one descriptor.
fn doubled(pid: i32) -> Vec<String> {
    let all: Vec<String> = proc::descriptors(pid)
        .into_values()
        .filter(|what| what.starts_with("socket:"))
        .collect();
    let mut doubled = all.clone();

    for what in all.iter().collect::<BTreeSet<_>>() {
        doubled.remove(doubled.iter().position(|other| other == what).unwrap());
    }

    doubled
}

/// `socketpair()` fails for the last new worker of a reload (D3). The stock
/// nginx then announces the previous worker a second time. Each process that
/// reads the message twice leaks a descriptor.
#[test]
fn d03_a_worker_without_a_channel() {
    for which in BOTH {
        let (nginx, old) = started("d03", which, 3);
        let tracer = Tracer::inject(&nginx, nginx.master(), "socketpair", "error=EMFILE:when=3");

        nginx.signal(libc::SIGHUP);
        nginx.wait_for_line("socketpair() failed while spawning \"worker process\" (24: ");
        nginx.wait_for_end_of(&old.iter().copied().collect());
        drop(tracer);

        if which == Which::Ipc {
            nginx.wait_for_workers(3);
            nginx.settled_descriptors();
        }

        let leaks = |pid: &i32| !doubled(*pid).is_empty();
        let workers = nginx.workers();

        match which {
            Which::Stock | Which::Loaded => wait_until("a leak", || workers.iter().any(leaks)),
            Which::Ipc => assert!(!workers.iter().any(leaks)),
        }

        if which == Which::Ipc {
            nginx.quit(&FAILS);
        }
    }
}

/// The process table has room for two of the three new workers of a reload,
/// until the old workers have exited (D2, D3).
#[test]
fn d03_a_table_that_is_full() {
    for which in BOTH {
        let (nginx, old) = started("d03_full", which, 3);
        let old: BTreeSet<i32> = old.into_iter().collect();

        configure(&nginx, 3, "fault full;");
        nginx.signal(libc::SIGHUP);
        nginx.wait_for_line("no more than 1024 processes can be spawned");
        nginx.wait_for_end_of(&old);

        let leaks = |pid: &i32| !doubled(*pid).is_empty();

        if which == Which::Stock {
            let workers = nginx.workers();

            assert_eq!(workers.len(), 2);
            wait_until("a leak", || workers.iter().any(leaks));
            continue;
        }

        let workers = nginx.wait_for_workers(3);

        for pid in nginx.processes() {
            if pid != nginx.master() && !workers.contains(&pid) {
                sys::kill(pid, libc::SIGKILL);
            }
        }

        wait_until("only workers", || nginx.processes().len() == 4);
        nginx.settled_descriptors();
        assert!(!workers.iter().any(leaks));
        nginx.quit(&["no more than 1024 processes", "exited on signal 9"]);
    }
}

/// Each worker exits as soon as it is initialized (D4). The stock nginx
/// respawns it at once, again and again.
#[test]
fn d04_workers_that_exit_at_once() {
    const STARTS: &str = "start worker process ";

    for which in BOTH {
        let nginx = nginx("d04", which, 1, "fault exit;");
        let begin = Instant::now();

        nginx.spawn(&[]);

        if which == Which::Stock {
            nginx.wait_for_lines(100, STARTS);
            continue;
        }

        nginx.wait_for_line("worker process exits too often, respawning in 800 ms");
        assert!(begin.elapsed() >= Duration::from_millis(700));

        // The worker was started at first, then at once, and then after 100,
        // 200 and 400 ms. On a loaded machine a worker can take a second until
        // it exits. Then it is started at once, and the delays begin again.
        let starts = nginx.lines(STARTS).len();
        let steps = nginx.lines("exits too often").len();

        assert!(starts < steps + 10, "{starts} starts, {steps} steps");
        nginx.signal(libc::SIGTERM);
        nginx.finish(&[]);
    }
}

/// A worker that cannot be respawned has been reaped, so the kernel can have
/// given its pid to another process. The stock nginx sends signals to this pid
/// (D5).
#[test]
fn d05_nobody_signals_a_process_that_is_gone() {
    for which in BOTH {
        let (nginx, workers) = started("d05", which, 2);
        let tracer = Tracer::fail_forks(&nginx, nginx.master(), "");
        let gone = workers[0];

        sys::kill(gone, libc::SIGKILL);
        nginx.wait_for_line("fork() failed while spawning");
        wake_up(&nginx, libc::SIGUSR1);
        drop(tracer);

        let signals = nginx.lines(&format!("kill ({gone}, {})", libc::SIGUSR1));

        match which {
            Which::Stock | Which::Loaded => {
                assert!(!signals.is_empty());
                nginx.wait_for_line(&format!("kill({gone}, 10) failed (3: No such process)"));
            }
            Which::Ipc => {
                assert_eq!(signals, [""; 0]);
                nginx.quit(&FAILS);
            }
        }
    }
}

/// The new binary cannot be forked (D10). The stock nginx then believes that a
/// new binary with the pid -1 runs, and does not remove its pid file at its
/// exit.
#[test]
fn d10_a_new_binary_that_cannot_be_forked() {
    for which in BOTH {
        let nginx = daemon("d10", which);
        let tracer = Tracer::fail_forks(&nginx, nginx.master(), "");

        nginx.signal(libc::SIGUSR2);
        nginx.wait_for_line("fork() failed while spawning \"new binary process\" (11: ");
        wake_up(&nginx, libc::SIGALRM);
        drop(tracer);

        let closed = nginx.lines("close() channel failed (9: Bad file descriptor)");

        if which == Which::Ipc {
            assert_eq!(closed, [""; 0]);
            nginx.quit(&FAILS);
            continue;
        }

        assert_eq!(closed.len(), 2);
        nginx.signal(libc::SIGQUIT);
        wait_until("the end", || nginx.processes().is_empty());
        assert!(nginx.pidfile().exists());
    }
}
