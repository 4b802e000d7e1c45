//! A program that is pid 1 of a pid namespace, as in a container.

use std::fs;
use std::process::Command;

use crate::support::client::ask;
use crate::support::server::Server;
use crate::support::{Killed, find, proc, sys, wait_until};

/// Whether this process may make a pid namespace.
fn may_unshare() -> bool {
    let may = Command::new("unshare")
        .args(["-pf", "--mount-proc", "true"])
        .status()
        .is_ok_and(|status| status.success());

    if !may {
        eprintln!("skipped: unshare(1) may not make a pid namespace here");
    }

    may
}

/// The process of the server that is pid 1 of its namespace.
fn first_process(server: &Server) -> i32 {
    find("the process 1", || {
        server
            .processes()
            .into_iter()
            .find(|&pid| proc::status(pid, "NSpid").is_some_and(|pids| pids.ends_with("\t1")))
    })
}

/// The children of a process, as the kernel lists them.
fn children(pid: i32) -> Vec<i32> {
    fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
        .unwrap_or_default()
        .split_ascii_whitespace()
        .map(|pid| pid.parse().unwrap())
        .collect()
}

/// The program is pid 1. It reacts to signals, and reaps a process that it has not
/// started, whose parent has exited.
#[test]
fn pid_1_reaps_orphans_and_reacts_to_signals() {
    if !may_unshare() {
        return;
    }

    for (mode, signo) in [
        ("-w1", libc::SIGQUIT),
        ("-w1", libc::SIGTERM),
        ("-w1", libc::SIGINT),
        ("-1", libc::SIGTERM),
    ] {
        let server = Server::configurable("pid_1");
        let inside = server.command(&[mode, "-w", "1"]);
        let mut process = Killed(
            Command::new("unshare")
                .args(["-pf", "--mount-proc"])
                .arg(inside.get_program())
                .args(inside.get_args())
                .spawn()
                .unwrap(),
        );
        let master = first_process(&server);
        let workers = usize::from(mode != "-1");

        server.wait_for_workers(workers);
        wait_until("the master's loop", || proc::waits_for_events(master));
        wait_until("the server", || server.try_connect().is_ok());
        ask(&mut server.connect(), 'w');

        let old = children(master);

        sys::kill(master, libc::SIGHUP);
        server.wait_for_line("reconfiguring");
        wait_until("the new workers", || {
            let new = children(master);

            new.len() == workers && !new.iter().any(|pid| old.contains(pid))
        });
        wait_until("the master's loop", || proc::waits_for_events(master));

        let before = proc::descriptors(master);
        let fifo = server.directory.join("fifo");

        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();

        let status = Command::new("nsenter")
            .args(["-p", "-t", &master.to_string(), "sh", "-c"])
            .arg(format!("cat <{} >/dev/null &", fifo.display()))
            .status()
            .unwrap();

        assert!(status.success());
        wait_until("the orphan", || children(master).len() == workers + 1);
        // The orphan exits at the end of its input.
        drop(fs::OpenOptions::new().write(true).open(&fifo).unwrap());
        wait_until("the end of the orphan", || {
            children(master).len() == workers
        });
        assert_eq!(server.wait_for_lines(1, "unknown process").len(), 1);
        assert_eq!(proc::descriptors(master), before);

        sys::kill(master, signo);
        assert!(process.0.wait().unwrap().success());
        server.finish(&["unknown process"]);
    }
}
