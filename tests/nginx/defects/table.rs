//! Tests of D11 and D16 to D18: what a message changes in a worker's table and
//! descriptors. One of two workers sends the message, and the other one, in
//! slot 0, receives it.

use std::fs;

use super::{ask, lines_of, started, value, wait_for_line_of};
use crate::nginx::{BOTH, Nginx, Which};
use crate::support::{proc, wait_until};

/// Makes the second worker send a message to the first one, and waits until the
/// first worker has handled it.
fn send(nginx: &Nginx, workers: &[i32], query: &str) {
    const NEXT: &str = "channel command: 99";

    let received = || lines_of(nginx, workers[0], NEXT).len();
    let before = received();

    // A second message follows. When its log line appears, the worker has
    // handled the message before it.
    for query in [query, "command=99"] {
        let query = format!("do=send&to=0&{query}");

        assert_eq!(ask(nginx, workers, workers[1], &query), "sent:32");
    }

    wait_until(NEXT, || received() == before + 1);
}

/// The number of descriptors of the log file that a process has. The messages
/// of these tests pass descriptors of the log.
fn logs(nginx: &Nginx, pid: i32) -> usize {
    let log = nginx.logfile().display().to_string();

    proc::descriptors(pid)
        .values()
        .filter(|what| **what == log)
        .count()
}

/// CLOSE_CHANNEL for a slot that the worker never used, and which therefore
/// contains descriptor 0 (D11). The stock nginx closes stdin.
#[test]
fn d11_close_of_a_slot_that_was_never_opened() {
    for which in BOTH {
        let (nginx, workers) = started("d11_close", which, 2);

        send(&nginx, &workers, "command=2&slot=7");

        let stdin = proc::descriptors(workers[0]).contains_key(&0);

        match which {
            Which::Stock | Which::Loaded => assert!(!stdin),
            Which::Ipc => {
                assert!(stdin);
                nginx.quit(&[]);
            }
        }
    }
}

/// A message with another command than OPEN_CHANNEL passes a descriptor, and an
/// OPEN_CHANNEL passes two (D16). The stock nginx leaves the superfluous
/// descriptors open.
#[test]
fn d16_descriptors_that_nobody_wants() {
    for which in BOTH {
        let (nginx, workers) = started("d16", which, 2);
        let before = logs(&nginx, workers[0]);

        send(&nginx, &workers, "command=31&fds=1");

        let other = logs(&nginx, workers[0]) - before;

        send(&nginx, &workers, "command=1&slot=7&fds=2");

        let all = logs(&nginx, workers[0]) - before;

        // Only the first descriptor of the OPEN_CHANNEL stays open.
        match which {
            Which::Stock | Which::Loaded => assert_eq!((other, all), (1, 3)),
            Which::Ipc => {
                assert_eq!((other, all), (0, 1));
                nginx.quit(&[]);
            }
        }
    }
}

/// A worker sends a descriptor with a message that is too short (D16). The
/// stock nginx leaves the descriptor open.
#[test]
fn d16_a_descriptor_with_a_short_message() {
    const FIVE_BYTES: &str = "recvmsg() returned not enough data: 5";

    for which in BOTH {
        let (nginx, workers) = started("d16_short", which, 2);
        let before = logs(&nginx, workers[0]);
        let more = || logs(&nginx, workers[0]) - before;

        ask(&nginx, &workers, workers[1], "do=send&to=0&size=5&fds=1");
        nginx.wait_for_line(FIVE_BYTES);

        match which {
            Which::Stock | Which::Loaded => assert_eq!(more(), 1),
            Which::Ipc => {
                assert_eq!(more(), 0);
                nginx.quit(&[FIVE_BYTES]);
            }
        }
    }
}

/// The descriptors of a process that are Unix sockets, and that a program which
/// the process executes would inherit.
fn inherited_channels(pid: i32) -> Vec<i32> {
    let unix = fs::read_to_string("/proc/net/unix").unwrap();
    let is_unix = |what: &str| {
        what.strip_prefix("socket:[")
            .and_then(|rest| rest.strip_suffix(']'))
            .is_some_and(|inode| unix.lines().any(|line| line.split(' ').any(|w| w == inode)))
    };
    let inherited = |fd: &i32| {
        let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).unwrap();
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = i32::from_str_radix(flags.unwrap().trim(), 8).unwrap();

        flags & libc::O_CLOEXEC == 0
    };

    proc::descriptors(pid)
        .into_iter()
        .filter(|(fd, what)| is_unix(what) && inherited(fd))
        .map(|(fd, _)| fd)
        .collect()
}

/// A worker has received descriptors of its siblings' channels from the master.
/// In the stock nginx, a program that the worker executes inherits these
/// descriptors (D17).
#[test]
fn d17_programs_inherit_no_channel() {
    for which in BOTH {
        let (nginx, workers) = started("d17", which, 3);

        wait_for_line_of(&nginx, workers[0], "get channel s:2 ");

        let inherited = inherited_channels(workers[0]);

        match which {
            Which::Stock | Which::Loaded => assert_eq!(inherited.len(), 2),
            Which::Ipc => {
                assert_eq!(inherited, [0; 0]);
                nginx.quit(&[]);
            }
        }
    }
}

/// OPEN_CHANNEL for a slot that does not exist (D18). The worker of the stock
/// nginx crashes.
#[test]
fn d18_a_slot_out_of_range() {
    for which in BOTH {
        let (nginx, workers) = started("d18_range", which, 2);
        let query = "do=send&to=0&command=1&slot=100000000&fds=1";
        let before = logs(&nginx, workers[0]);

        ask(&nginx, &workers, workers[1], query);

        match which {
            Which::Stock | Which::Loaded => {
                nginx.wait_for_line(&format!(
                    "worker process {} exited on signal 11",
                    workers[0]
                ));
            }
            Which::Ipc => {
                wait_for_line_of(
                    &nginx,
                    workers[0],
                    "channel command 1 for slot 100000000 ignored",
                );
                send(&nginx, &workers, "command=31");
                assert_eq!(logs(&nginx, workers[0]), before);
                nginx.quit(&["for slot 100000000 ignored"]);
            }
        }
    }
}

/// OPEN_CHANNEL for a slot that has a channel already (D18). The stock nginx
/// leaves the old descriptor open.
#[test]
fn d18_open_twice() {
    for which in BOTH {
        let (nginx, workers) = started("d18_open", which, 2);
        let before = logs(&nginx, workers[0]);

        send(&nginx, &workers, "command=1&slot=7&fds=1");
        send(&nginx, &workers, "command=1&slot=7&fds=1");

        let more = logs(&nginx, workers[0]) - before;

        match which {
            Which::Stock | Which::Loaded => assert_eq!(more, 2),
            Which::Ipc => {
                assert_eq!(more, 1);
                nginx.quit(&[]);
            }
        }
    }
}

/// CLOSE_CHANNEL, after which the slot must not have a pid (D18). The stock
/// nginx keeps the old pid.
#[test]
fn d18_the_pid_of_a_slot_that_is_closed() {
    for which in BOTH {
        let (nginx, workers) = started("d18_pid", which, 2);

        send(&nginx, &workers, "command=1&slot=7&pid=4711&fds=1");
        assert_eq!(
            value(&ask(&nginx, &workers, workers[0], "do=slot&to=7"), "pid:"),
            4711
        );
        send(&nginx, &workers, "command=2&slot=7&pid=4711");

        let slot = ask(&nginx, &workers, workers[0], "do=slot&to=7");

        assert_eq!(value(&slot, "channel:"), -1);

        match which {
            Which::Stock | Which::Loaded => assert_eq!(value(&slot, "pid:"), 4711),
            Which::Ipc => {
                assert_eq!(value(&slot, "pid:"), -1);
                nginx.quit(&[]);
            }
        }
    }
}
