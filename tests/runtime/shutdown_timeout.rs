//! `shutdown_timeout` is a deadline, whatever the handlers of the program do.

use std::io::Write;

use crate::support::client::{ask, closes};
use crate::support::server::Server;

const TIMEOUT: &[&str] = &["-t", "300"];

/// At the deadline a worker closes a connection whose handler ignores `c->close`, and
/// does not wait for a timer that its handler adds again.
#[test]
fn handlers_that_go_on_are_ended() {
    for (test, what) in [("timeout_ignored", 'g'), ("timeout_timer", 't')] {
        let server = Server::configurable(test);

        server.start(1, TIMEOUT);

        let mut client = server.connect();

        ask(&mut client, what);
        server.signal(libc::SIGQUIT);
        assert!(closes(&mut client));
        server.finish(&[]);

        let closed = server.lines("is still open, closing it").len();

        assert_eq!(closed, usize::from(what == 'g'), "{what}");
        assert_eq!(server.lines("gets SIGKILL"), [""; 0]);
        assert_eq!(server.lines("hook exit_process").len(), 1);
    }
}

/// The deadline does not concern a connection that the program has made itself: nothing
/// calls its handler, and the worker does not close it.
#[test]
fn an_own_connection_is_left_alone() {
    let server = Server::configurable("timeout_own");

    server.start(1, TIMEOUT);

    let mut client = server.connect();

    assert_eq!(ask(&mut client, 'o'), ["own."]);
    ask(&mut client, 'g');
    server.signal(libc::SIGQUIT);
    assert!(closes(&mut client));
    server.finish(&[]);
    assert_eq!(server.lines("is still open, closing it").len(), 1);
    assert_eq!(server.lines("the own connection is ready"), [""; 0]);
}

/// The lines that a test expects when the master kills a process.
const KILLED: [&str; 2] = ["gets SIGKILL", "exited on signal 9"];

/// The master kills a worker whose handler does not return, after a reload and at the
/// end. The other processes are not killed.
#[test]
fn a_stuck_worker_is_killed() {
    let server = Server::configurable("timeout_stuck");

    server.start(1, TIMEOUT);

    for n in 1..=2 {
        let old = server.workers();
        let mut client = server.connect();

        client.write_all(b"s").unwrap();
        server.wait_for_lines(n, "a handler sticks");
        server.signal(if n == 1 { libc::SIGHUP } else { libc::SIGQUIT });
        assert!(closes(&mut client));
        server.wait_for_end_of(&old);

        if n == 1 {
            server.wait_for_others(1, &old);
            ask(&mut server.connect(), 'w');
        }
    }

    server.finish(&KILLED);
    assert_eq!(server.lines(KILLED[0]).len(), 2);
}

/// The master kills a helper whose handler does not return.
#[test]
fn a_stuck_helper_is_killed() {
    let server = Server::configurable("timeout_helper");

    server.start(1, &[TIMEOUT, &["-m", "1", "-H"]].concat());
    server.wait_for_line("a handler sticks");
    server.quit(&KILLED);
    assert_eq!(server.lines(KILLED[0]).len(), 1);
}
