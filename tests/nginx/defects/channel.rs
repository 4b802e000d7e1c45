//! Tests of D12 to D15: messages that are lost, or arrive in parts.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::{
    ask, in_slot, in_slots, lines_of, nginx, resume, shell, started, stop, value, wait_for_line_of,
    wake_up,
};
use crate::nginx::{BOTH, Nginx, Which};
use crate::support::build::run;
use crate::support::tracer::Tracer;
use crate::support::{proc, sys, wait_until};

const FIVE_BYTES: &str = "recvmsg() returned not enough data: 5";

/// Kills the worker in slot 1; returns the worker that replaces it.
fn replace_second(nginx: &Nginx) -> i32 {
    let old = in_slot(nginx, 1);

    sys::kill(old, libc::SIGKILL);
    wait_until("another worker", || in_slot(nginx, 1) != old);

    in_slot(nginx, 1)
}

fn limit_descriptors(pid: i32, n: u32) {
    run(Command::new("prlimit").args(["--pid", &pid.to_string(), &format!("--nofile={n}:")]));
}

/// OPEN_CHANNEL arrives when the worker has no free descriptor (D12). The stock
/// nginx stores in its table an old descriptor number from its stack.
#[test]
fn d12_no_room_for_a_descriptor() {
    for which in BOTH {
        let (nginx, workers) = started("d12", which, 2);
        let told = |pid: i32| lines_of(&nginx, workers[0], &format!("get channel s:1 pid:{pid} "));

        limit_descriptors(workers[0], 0);

        let second = replace_second(&nginx);

        if which == Which::Stock {
            // If the stack of the stock nginx contains no descriptor number,
            // the worker logs an error and no longer reads its channel.
            wait_until("a message, or an error", || {
                let error = lines_of(&nginx, workers[0], " ancillary data");

                !told(second).is_empty() || !error.is_empty()
            });
            assert!(told(second).iter().all(|line| value(line, " fd:") >= 0));
            continue;
        }

        wait_until("a message", || !told(second).is_empty());
        assert_eq!(value(&told(second)[0], " fd:"), -1);

        limit_descriptors(workers[0], 1000);

        let third = replace_second(&nginx);

        wait_until("a message", || !told(third).is_empty());
        assert!(value(&told(third)[0], " fd:") > 0);
        nginx.quit(&[
            "exited on signal 9",
            "recvmsg() truncated data",
            "recvmsg() returned no ancillary data",
        ]);
    }
}

/// Reloads nginx; returns whether the first of its two workers exits.
fn leaves(nginx: &Nginx, workers: &[i32]) -> bool {
    nginx.signal(libc::SIGHUP);
    nginx.wait_for_end_of(&BTreeSet::from([workers[1]]));

    if nginx.which == Which::Ipc {
        nginx.wait_for_end_of(&BTreeSet::from([workers[0]]));
    }

    // The worker exits only if it has handled QUIT. After two more signals the
    // master has surely sent all its messages.
    for _ in 0..2 {
        wake_up(nginx, libc::SIGUSR1);
    }

    !proc::alive(workers[0])
}

/// A sibling sends five bytes, which is less than a message (D13). The worker
/// of the stock nginx then no longer reads its channel, and the master does not
/// notice this.
#[test]
fn d13_five_bytes() {
    for which in BOTH {
        let (nginx, workers) = started("d13", which, 2);

        ask(&nginx, &workers, workers[1], "do=send&to=0&size=5");

        assert_eq!(leaves(&nginx, &workers), which == Which::Ipc);

        match which {
            Which::Stock | Which::Loaded => nginx.wait_for_line(FIVE_BYTES),
            Which::Ipc => nginx.quit(&[FIVE_BYTES]),
        }
    }
}

/// A worker closes its end of the channel (D13). The master of the stock nginx
/// does not notice this, because it has the worker's end open itself.
#[test]
fn d13_a_worker_that_reads_no_more() {
    for which in BOTH {
        let (nginx, workers) = started("d13_deaf", which, 2);
        let answer = ask(&nginx, &workers, workers[0], "do=deaf");

        assert_eq!(answer, "closed");
        assert_eq!(leaves(&nginx, &workers), which == Which::Ipc);

        if which == Which::Ipc {
            nginx.quit(&[]);
        }
    }
}

/// Stops the first worker, and fills its channel with messages that have `fds`
/// descriptors each, until sending fails with `errno`. Then replaces the second
/// worker. Returns the number of messages, and the worker that replaces the
/// second one.
fn fill(nginx: &Nginx, workers: &[i32], fds: u32, errno: i32) -> (usize, i32) {
    stop(workers[0]);

    let query = format!("do=fill&to=0&fds={fds}");
    let filled = ask(nginx, workers, workers[1], &query);

    assert_eq!(value(&filled, "errno:"), errno);

    let second = replace_second(nginx);

    // The master has now sent its messages about the new worker.
    wake_up(nginx, libc::SIGALRM);

    (value(&filled, "sent:") as usize, second)
}

/// Lets the stopped worker continue, and waits until it has read `n` messages.
fn drain(nginx: &Nginx, worker: i32, n: usize) {
    resume(worker);
    wait_until("all messages", || {
        lines_of(nginx, worker, "channel command: 31").len() == n
    });
}

fn wait_for_second(nginx: &Nginx, worker: i32, second: i32) {
    let told = format!("get channel s:1 pid:{second} ");

    wait_for_line_of(nginx, worker, &told);
}

/// Fills the channel of the first worker, replaces the second worker, and lets
/// the first one continue. Returns what the first worker has in its table for
/// the second one.
fn knows_afterwards(nginx: &Nginx, workers: &[i32], fds: u32, errno: i32) -> String {
    let (n, second) = fill(nginx, workers, fds, errno);
    let first = workers[0];

    drain(nginx, first, n);

    match nginx.which {
        Which::Stock | Which::Loaded => wake_up(nginx, libc::SIGALRM),
        Which::Ipc => wait_for_second(nginx, first, second),
    }

    ask(nginx, &[first, second], first, "do=slot&to=1")
}

/// A worker is stopped, and its channel is full (D14). The worker of the stock
/// nginx never learns that a sibling has exited and another one was started.
#[test]
fn d14_a_worker_that_was_stopped() {
    for which in BOTH {
        let (nginx, workers) = started("d14", which, 2);
        let slot = knows_afterwards(&nginx, &workers, 0, libc::EAGAIN);

        match which {
            Which::Stock | Which::Loaded => assert_eq!(value(&slot, "pid:"), workers[1]),
            Which::Ipc => {
                assert_eq!(value(&slot, "pid:"), in_slot(&nginx, 1));
                assert!(value(&slot, "channel:") > 0);
                nginx.quit(&["exited on signal 9"]);
            }
        }
    }
}

/// The library sends the queued messages of a worker when the timer expires. If the
/// master gets no timer, it sends them at the next signal (D14).
#[test]
fn d14_when_the_queue_is_sent() {
    for has_timer in [true, false] {
        let (nginx, workers) = started("d14_ways", Which::Ipc, 2);
        let _tracer = (!has_timer).then(|| {
            let calls = "timer_create,timer_settime";

            Tracer::inject(&nginx, nginx.master(), calls, "error=EPERM")
        });
        let (n, second) = fill(&nginx, &workers, 0, libc::EAGAIN);

        drain(&nginx, workers[0], n);

        if !has_timer {
            wake_up(&nginx, libc::SIGUSR1);
        }

        wait_for_second(&nginx, workers[0], second);
        nginx.quit(&["exited on signal 9", "timer_settime() failed"]);
    }
}

/// An unprivileged master has so many descriptors in flight that it cannot send
/// another one (D14).
#[test]
fn d14_too_many_descriptors_on_their_way() {
    if !sys::is_root() {
        eprintln!("SKIP: only root can be another user");
        return;
    }

    for which in BOTH {
        let nginx = nginx("d14_refs", which, 2, "");
        let user = sys::new_user();
        let mut limited = shell(&nginx, "ulimit -n 64");

        fs::set_permissions(&nginx.directory, fs::Permissions::from_mode(0o777)).unwrap();
        limited.uid(user).gid(user);
        nginx.spawn_command(limited, &[]);

        let workers = in_slots(&nginx, 2);
        let slot = knows_afterwards(&nginx, &workers, 1, libc::ETOOMANYREFS);

        match which {
            Which::Stock | Which::Loaded => {
                nginx.wait_for_line("sendmsg() failed (109: Too many references");
                assert_ne!(value(&slot, "pid:"), in_slot(&nginx, 1));
            }
            Which::Ipc => {
                assert_eq!(value(&slot, "pid:"), in_slot(&nginx, 1));
                nginx.quit(&["exited on signal 9"]);
            }
        }
    }
}

/// A module writes a message to its own socketpair that is larger than the
/// kernel accepts in one call (D15). The stock nginx sends a part of it and
/// reports success.
#[test]
fn d15_a_message_that_is_sent_in_part() {
    const SIZE: i32 = 1024 * 1024;

    for which in BOTH {
        let (nginx, workers) = started("d15_write", which, 1);
        let query = format!("do=write&size={SIZE}");
        let answer = ask(&nginx, &workers, workers[0], &query);
        let arrived = value(&answer, "arrived:");

        match which {
            Which::Stock | Which::Loaded => {
                assert_eq!(value(&answer, "rc:"), 0);
                assert!(0 < arrived && arrived < SIZE, "{answer}");
            }
            Which::Ipc => {
                assert_eq!(answer, "rc:-1 arrived:0");
                nginx.quit(&["sendmsg() failed (90: Message too long)"]);
            }
        }
    }
}

/// A module reads a message of 256 bytes, of which 40 have arrived (D15). The
/// stock nginx returns the 40 bytes as if they were a message.
#[test]
fn d15_a_message_that_is_received_in_part() {
    for which in BOTH {
        let (nginx, workers) = started("d15_read", which, 1);
        let answer = ask(&nginx, &workers, workers[0], "do=read&size=256");

        match which {
            Which::Stock | Which::Loaded => assert_eq!(answer, "rc:40"),
            Which::Ipc => {
                assert_eq!(answer, "rc:-1");
                nginx.quit(&["recvmsg() returned not enough data: 40"]);
            }
        }
    }
}
