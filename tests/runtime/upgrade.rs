//! Tests of SIGUSR2, at which the master starts another binary.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use crate::support::client::{ask, echo};
use crate::support::server::Server;
use crate::support::tracer::Tracer;
use crate::support::upgrade::{change_binary, retire, take_back};
use crate::support::{SOON, proc, sys, wait_until};

/// The new binary listens on the sockets of the old one. The old master renames
/// its pid file, and removes it at its exit.
#[test]
fn a_new_binary_takes_over() {
    let server = Server::echo("upgrade");

    server.start(2, &["-d"]);

    let (old, new) = change_binary(&server, 2);

    assert_eq!(server.workers_of(old).len(), 2, "both work");
    server.wait_for_line("using inherited sockets from");
    retire(&server, old);

    let workers = server.wait_for_workers(2);

    assert_eq!(server.master(), new);
    echo(&mut server.connect(), "after the upgrade\n");

    // A third binary can replace the new one.
    let (old, newest) = change_binary(&server, 2);

    assert_eq!(old, new);
    retire(&server, old);
    server.wait_for_end_of(&workers);
    assert_eq!(server.master(), newest);
    server.reload();
    server.quit(&[]);
}

/// In the foreground a new binary also takes over. There, the new master is a
/// child of the old one.
#[test]
fn a_new_binary_takes_over_in_the_foreground() {
    let server = Server::echo("upgrade_foreground");

    server.start(2, &[]);

    let (old, new) = change_binary(&server, 2);

    retire(&server, old);
    server.wait_for_workers(2);
    assert_eq!(server.master(), new);
    server.reload();
    server.quit(&[]);
}

/// The new binary is stopped. The old master has its workers and its pid file
/// again.
#[test]
fn a_new_binary_is_taken_back() {
    let server = Server::echo("taken_back");

    server.start(2, &["-d"]);

    for _ in 0..2 {
        let (old, new) = change_binary(&server, 2);

        take_back(&server, old, new, 2);
        server.wait_for_workers(2);
        echo(&mut server.connect(), "as before\n");
    }

    let old = server.workers();

    server.reload();
    server.wait_for_end_of(&old);
    assert_eq!(server.processes().len(), 3);
    server.quit(&[]);
}

/// In the foreground SIGWINCH has no effect. So the new binary gets QUIT, and
/// the old one serves all the time.
#[test]
fn a_new_binary_is_taken_back_in_the_foreground() {
    let server = Server::echo("taken_back_foreground");

    server.start(2, &[]);

    let workers = server.workers();

    for _ in 0..2 {
        let (old, new) = change_binary(&server, 2);

        sys::kill(new, libc::SIGQUIT);
        wait_until("the new master's end", || !proc::alive(new));
        wait_until("the old pid file", || {
            !server.old_pidfile().exists() && server.pidfile().exists()
        });
        assert_eq!(server.master(), old);
        wait_until("the old workers alone", || server.workers() == workers);
        echo(&mut server.connect(), "as before\n");
    }

    server.reload();
    server.wait_for_end_of(&workers);
    assert_eq!(server.processes().len(), 3);
    server.quit(&[]);
}

/// The new binary dies while the old master has no workers. The old master
/// starts its workers again.
#[test]
fn a_new_binary_dies() {
    let server = Server::echo("new_dies");

    server.start(2, &["-d"]);

    let (old, new) = change_binary(&server, 2);

    sys::kill(old, libc::SIGWINCH);
    wait_until("the end of the old master's workers", || {
        server.workers_of(old).is_empty()
    });
    sys::kill(new, libc::SIGKILL);
    wait_until("the old master's workers alone", || {
        server.workers_of(old).len() == 2 && server.workers().len() == 2
    });
    assert!(!server.old_pidfile().exists());
    assert_eq!(server.master(), old);
    echo(&mut server.connect(), "as before\n");
    server.quit(&["exited on signal 9"]);
}

/// SIGWINCH stops the workers and SIGHUP starts them again. If a new binary
/// dies afterwards, the old master does not start workers a second time.
#[test]
fn workers_are_not_started_twice() {
    let server = Server::echo("not_twice");

    server.start(2, &["-d"]);

    let old = server.workers();

    server.signal(libc::SIGWINCH);
    server.wait_for_end_of(&old);
    server.signal(libc::SIGHUP);

    let workers = server.wait_for_workers(2);
    let (_, new) = change_binary(&server, 2);
    let all = server.workers();

    sys::kill(new, libc::SIGKILL);
    wait_until("the pid file back", || !server.old_pidfile().exists());
    server.wait_for_end_of(&all.difference(&workers).copied().collect());

    // When the workers of this reload run, the log contains all starts that the
    // death of the new binary has caused.
    let lines = server.lines("start worker processes").len();

    server.signal(libc::SIGHUP);
    server.wait_for_lines(lines + 1, "start worker processes");
    server.wait_for_others(2, &workers);
    assert_eq!(
        server.lines("start worker processes").len(),
        lines + 1,
        "{lines} before"
    );
    assert_eq!(
        lines, 3,
        "at the beginning, after SIGHUP, of the new binary"
    );
    server.quit(&["exited on signal 9"]);
}

/// A second SIGUSR2 has no effect while both binaries run.
#[test]
fn there_is_no_third_binary() {
    let server = Server::echo("third_binary");

    server.start(1, &["-d"]);

    let (old, new) = change_binary(&server, 1);

    for master in [old, new] {
        sys::kill(master, libc::SIGUSR2);
    }

    server.wait_for_lines(2, "the changing binary signal is ignored");
    assert_eq!(server.processes().len(), 4);
    retire(&server, old);
    assert_eq!(server.master(), new);
    server.quit(&["the changing binary signal is ignored"]);
}

/// There is no third binary either if the signal arrives while the old master still starts the
/// new one.
#[test]
fn there_is_no_third_binary_at_the_same_time() {
    let server = Server::echo("third_binary_soon");
    let master = server.start(1, &["-d"]);
    let tracer = Tracer::delay_forks(&server, master, 2000);
    let (old, new) = change_binary(&server, 1);

    sys::kill(old, libc::SIGUSR2);
    server.wait_for_line("start new binary process");
    server.wait_for_line("the changing binary signal is ignored");
    drop(tracer);
    assert_eq!(server.processes().len(), 4);
    retire(&server, old);
    assert_eq!(server.master(), new);
    server.quit(&["the changing binary signal is ignored"]);
}

/// If the binary cannot be executed, nothing changes.
#[test]
fn a_missing_binary_changes_nothing() {
    let server = Server::echo("missing_binary");
    let master = server.start(2, &["-d"]);
    let workers = server.workers();
    let descriptors = proc::kinds_of_descriptors(master);

    fs::remove_file(&server.exe).unwrap();
    server.signal(libc::SIGUSR2);
    server.wait_for_line("execve");
    wait_until("the pid file back", || {
        server.pidfile().exists() && !server.old_pidfile().exists()
    });
    assert_eq!(server.master(), master);
    wait_until("the processes as they were", || {
        let mut all = workers.clone();

        all.insert(master);
        server.processes() == all
    });
    assert_eq!(proc::kinds_of_descriptors(master), descriptors);
    assert_eq!(server.processes(), {
        let mut all: BTreeSet<i32> = workers;

        all.insert(master);
        all
    });
    server.quit(&["execve"]);
}

/// The file of a Unix socket exists until the last binary that listens on the
/// socket has exited.
#[test]
fn a_unix_socket_s_file_stays() {
    let mut server = Server::echo("upgrade_unix");
    let path = server.directory.join("socket");

    server.place = format!("unix:{}", path.display());
    server.start(1, &["-d"]);

    let exchange = || {
        let mut client = UnixStream::connect(&path).unwrap();
        let mut answer = [0; 2];

        client.set_read_timeout(Some(SOON)).unwrap();
        client.write_all(b"a\n").unwrap();
        client.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"a\n");
    };

    exchange();

    let (old, new) = change_binary(&server, 1);

    exchange();
    take_back(&server, old, new, 1);
    assert!(path.exists(), "after the new binary's end");
    exchange();

    let (old, _) = change_binary(&server, 1);

    retire(&server, old);
    assert!(path.exists(), "after the old binary's end");
    exchange();
    server.reload();
    exchange();
    server.quit(&[]);
    assert!(!path.exists());
}

/// The second new binary gets the sockets of the first one, and not those that the old
/// binary had: one of these is closed.
#[test]
fn each_upgrade_has_its_own_list() {
    let mut server = Server::configurable("upgrade_list");
    let drops = server.directory.join("drops");

    server.places = vec!["127.0.0.1:0".into()];

    let listed = |n: usize| {
        let lines = server.lines("using inherited sockets from");

        assert_eq!(lines.len(), n);
        lines[n - 1].matches(';').count()
    };
    let inherited = |pid| {
        let text = fs::read_to_string(format!("/proc/{pid}/environ")).unwrap();

        text.split('\0')
            .filter(|one| one.starts_with("NGINX="))
            .count()
    };

    server.start(1, &["-d", "-E", drops.to_str().unwrap()]);
    fs::write(&drops, "").unwrap();

    for (n, sockets) in [(1, 2), (2, 1)] {
        let (old, new) = change_binary(&server, 1);

        assert_eq!(listed(n), sockets);
        assert_eq!(inherited(new), 1);
        retire(&server, old);
    }

    assert_eq!(ask(&mut server.connect(), 'e'), [""; 0]);
    server.quit(&[]);
}
