//! Tests of D6 to D9 and D11: the children of a process, and the state in which
//! a child starts.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::process::Command;

use super::{ask, configure, daemon, in_slot, lines_of, nginx, shell, started, value, wake_up};
use crate::nginx::{BOTH, Which};
use crate::support::build::run;
use crate::support::{find, proc, sys, wait_until};

/// A child of the master that is not in its process table exits with 2. The
/// slot after the last one was that of a former worker (D6). The stock nginx
/// logs that this worker has exited.
#[test]
fn d06_a_child_that_nobody_knows() {
    for which in BOTH {
        let nginx = nginx("d06", which, 2, "");
        let (stdin, mut go) = std::io::pipe().unwrap();

        let mut parent = shell(&nginx, "exec 3<&0; (read go; exit 2) <&3 & exec 3<&-");

        parent.stdin(stdin);
        nginx.spawn_command(parent, &[]);
        nginx.wait_for_workers(2);

        // After two reloads the new workers are in slots 0 and 1 again, so
        // slots 2 and 3 are those of former workers.
        for _ in 0..2 {
            let old = nginx.workers();

            nginx.reload();
            nginx.wait_for_end_of(&old);
        }

        // When the master has handled this signal, it has reaped the old
        // workers.
        wake_up(&nginx, libc::SIGALRM);
        writeln!(go).unwrap();
        nginx.wait_for_line("unknown process ");
        wake_up(&nginx, libc::SIGALRM);

        let fatal = nginx.lines("exited with fatal code 2 and cannot be respawned");

        match which {
            Which::Stock | Which::Loaded => assert_eq!(fatal.len(), 1),
            Which::Ipc => {
                assert_eq!(fatal, [""; 0]);
                nginx.quit(&[]);
            }
        }
    }
}

/// A module in a worker waits for a child that it has forked itself (D7). In
/// the stock nginx, the worker has already reaped this child.
#[test]
fn d07_a_workers_own_child() {
    for which in BOTH {
        let (nginx, workers) = started("d07", which, 1);
        let answer = ask(&nginx, &workers, workers[0], "do=child");

        match which {
            Which::Stock | Which::Loaded => assert_eq!(answer, "pclose() failed, errno:10"),
            Which::Ipc => {
                assert_eq!(answer, "exited with code:3");
                nginx.quit(&[]);
            }
        }
    }
}

/// A module forks children and relies on nginx to reap them, as rtmp's `exec`
/// does (D7).
#[test]
fn d07_children_that_no_code_waits_for() {
    for which in BOTH {
        let (nginx, workers) = started("d07_orphans", which, 1);
        let answer = ask(&nginx, &workers, workers[0], "do=orphans&n=15");

        assert_eq!(answer, "forked");
        nginx.wait_for_lines(15, "unknown process ");
        nginx.quit(&[]);
    }
}

/// A module starts a process in `init_process`. The worker on the library then
/// serves requests and gets QUIT. In the stock nginx the start changes
/// `ngx_channel`, so the worker watches the channel of the new process, and gets no
/// QUIT of the master.
#[test]
fn a_worker_that_starts_a_process_serves() {
    for which in BOTH {
        let nginx = nginx("worker_spawns", which, 2, "fault spawns;");

        nginx.spawn(&[]);

        let workers = nginx.wait_for_workers(2);

        wait_until("a child of each worker", || nginx.processes().len() == 5);

        for _ in 0..10 {
            assert!(nginx.get("/").ends_with("hello"));
        }

        assert_eq!(nginx.workers(), workers);
        assert_eq!(nginx.lines("failed ("), [""; 0]);

        if which == Which::Stock {
            wake_up(&nginx, libc::SIGQUIT);
            assert_eq!(nginx.workers(), workers);
            // nginx handles a signal that arrives before it waits only at the
            // next event.
            wait_until("workers that wait", || {
                workers.iter().all(|&pid| proc::waits_for_events(pid))
            });
            workers
                .iter()
                .for_each(|&pid| assert!(sys::kill(pid, libc::SIGQUIT)));
            nginx.finish(&[]);
            continue;
        }

        nginx.quit(&[]);
    }
}

/// A module spawns a function, and the function returns (D8). In the stock
/// nginx, the process then continues as a second master, which starts workers
/// of its own.
#[test]
fn d08_a_function_that_returns() {
    for which in BOTH {
        let (nginx, _) = started("d08", which, 1);
        let master = nginx.master();

        configure(&nginx, 1, "fault returns;");
        nginx.signal(libc::SIGHUP);
        nginx.wait_for_line("fault: returns");

        if which == Which::Stock {
            nginx.wait_for_line("start fault 0");
            wait_until("another master's worker", || {
                nginx
                    .workers()
                    .iter()
                    .any(|&pid| proc::parent(pid) != Some(master))
            });
            continue;
        }

        nginx.wait_for_line(" returned from its function, exit");
        nginx.wait_for_line(" exited with code 0");
        nginx.wait_for_lines(2, "start worker process ");
        wait_until("one worker", || nginx.workers().len() == 1);
        assert_eq!(nginx.workers_of(master), nginx.workers());
        nginx.quit(&[]);
    }
}

/// A module starts a process in `init_module`, before nginx handles signals. The
/// process exits at once. The signal of its exit does not end nginx. nginx reaps
/// the process when the next child exits.
#[test]
fn a_process_of_init_module_exits_at_once() {
    for which in BOTH {
        let nginx = nginx("early", which, 1, "fault early;");

        nginx.spawn(&[]);
        nginx.wait_for_workers(1);
        assert_eq!(nginx.lines("fault: early exit").len(), 1);
        assert!(nginx.get("/").ends_with("hello"));

        assert!(
            nginx
                .workers()
                .iter()
                .all(|&pid| sys::kill(pid, libc::SIGKILL))
        );
        nginx.wait_for_line("worker process ");
        wait_until("a process that is reaped", || {
            let fault = nginx.lines("fault ");

            fault
                .iter()
                .any(|line| line.ends_with(" exited with code 0"))
        });
        nginx.wait_for_lines(2, "start worker process ");
        nginx.wait_for_workers(1);
        nginx.quit(&["exited on signal 9"]);
    }
}

/// The signals in a field of `/proc/PID/status`, such as "SigBlk". Real-time
/// signals are left out, because a process inherits their state from the test.
fn signals(pid: i32, set: &str) -> BTreeSet<i32> {
    let set = proc::status(pid, set).unwrap_or_default();
    let bits = u64::from_str_radix(&set, 16).unwrap_or(u64::MAX);

    (1..32).filter(|n| bits & 1 << (n - 1) != 0).collect()
}

/// The blocked and ignored signals with which a new binary starts (D9). The new
/// binary waits for its configuration, which is a FIFO, so it has not installed
/// its handlers yet.
#[test]
fn d09_signals_of_a_new_binary() {
    for which in BOTH {
        let nginx = daemon("d09", which);
        let old = nginx.processes();
        let conf = nginx.directory.join("conf");

        fs::remove_file(&conf).unwrap();
        run(Command::new("mkfifo").arg(conf));
        nginx.signal(libc::SIGUSR2);

        let new = find("a new binary", || {
            let new = *nginx.processes().difference(&old).next()?;

            (!signals(new, "SigCgt").contains(&libc::SIGHUP)).then_some(new)
        });
        let blocked = signals(new, "SigBlk");
        let ignored = signals(new, "SigIgn");

        sys::kill(new, libc::SIGKILL);
        nginx.wait_for_line("new binary process ");

        match which {
            Which::Stock | Which::Loaded => {
                assert_eq!(blocked.len(), 10);
                assert_eq!(ignored, [libc::SIGPIPE, libc::SIGSYS].into());
            }
            Which::Ipc => {
                assert_eq!(blocked, [].into());
                assert_eq!(ignored, [].into());
                wait_until("the pid file", || nginx.old_master().is_none());
                nginx.quit(&["exited on signal 9"]);
            }
        }
    }
}

/// The file of the new binary does not exist (D9). The stock nginx starts a
/// process for it, and learns only that this process has exited.
#[test]
fn d09_no_new_binary() {
    for which in BOTH {
        let nginx = daemon("d09_no", which);
        let master = nginx.master();

        fs::remove_file(&nginx.exe).unwrap();
        nginx.signal(libc::SIGUSR2);
        nginx.wait_for_line("execve() failed while executing new binary process");
        wake_up(&nginx, libc::SIGALRM);

        match which {
            Which::Stock | Which::Loaded => nginx.wait_for_line(" exited with code 1"),
            Which::Ipc => {
                assert_eq!(nginx.lines(" exited with code 1"), [""; 0]);
                assert_eq!(nginx.master(), master, "the pid file is where it was");

                // The master does not believe that a new binary runs, so it can
                // reload.
                nginx.reload();
                nginx.wait_for_workers(1);
                nginx.quit(&["execve() failed"]);
            }
        }
    }
}

/// A worker's module reads the worker's own slot of the process table (D11). In
/// the stock nginx, this slot is not filled in.
#[test]
fn d11_a_workers_own_slot() {
    for which in BOTH {
        let (nginx, workers) = started("d11", which, 2);

        for (slot, &worker) in workers.iter().enumerate() {
            let lines = nginx.lines(&format!("fault: slot:{slot} "));
            let own = value(&lines[0], "in table:");
            let last = value(&lines[0], "last:");
            let table = ask(&nginx, &workers, worker, "do=slot");

            match which {
                Which::Stock | Which::Loaded => {
                    assert_eq!((own, last), (0, slot as i32));
                    assert!(
                        value(&table, "channel:") > 0,
                        "the channel is closed, and its number is kept"
                    );
                    assert_eq!(
                        value(&table, "last:"),
                        last,
                        "workers that were started later are missing"
                    );
                }
                Which::Ipc => {
                    assert_eq!((own, last), (worker, slot as i32 + 1));
                    assert_eq!(table, format!("pid:{worker} channel:-1 last:2"));
                }
            }
        }

        if which == Which::Ipc {
            nginx.quit(&[]);
        }
    }
}

/// A module in a respawned worker reads the worker's own slot (D11). In the
/// stock nginx, the slot contains the pid of the previous worker.
#[test]
fn d11_the_slot_of_a_worker_that_was_started_again() {
    for which in BOTH {
        let (nginx, workers) = started("d11_again", which, 2);

        sys::kill(workers[1], libc::SIGKILL);

        let lines = nginx.wait_for_lines(2, "fault: slot:1 ");
        let own = value(&lines[1], "in table:");

        match which {
            Which::Stock | Which::Loaded => assert_eq!(own, workers[1]),
            Which::Ipc => {
                assert_eq!(own, in_slot(&nginx, 1));
                nginx.wait_for_workers(2);
                nginx.quit(&["exited on signal 9"]);
            }
        }
    }
}

/// stdin is closed when nginx starts, so a channel can get descriptor 0 (D11).
/// The library uses descriptors above 2.
#[test]
fn d11_channels_are_not_stdin() {
    for which in BOTH {
        let nginx = nginx("d11_stdin", which, 2, "");

        nginx.spawn_command(shell(&nginx, "exec <&-"), &[]);
        nginx.wait_for_workers(2);

        let channels = lines_of(&nginx, nginx.master(), ": channel ");
        let first: Vec<i32> = channels
            .iter()
            .map(|line| value(line, ": channel "))
            .collect();

        assert_eq!(first.len(), 2);

        match which {
            Which::Stock | Which::Loaded => assert_eq!(first[0], 0),
            Which::Ipc => {
                assert!(first.iter().all(|&fd| fd > 2), "{channels:?}");
                nginx.quit(&[]);
            }
        }
    }
}
