//! Tests of workers whose master is killed.

use std::collections::BTreeSet;

use crate::support::client::ask;
use crate::support::server::Server;
use crate::support::{proc, sys, wait_until};

fn kill_master(server: &Server) -> BTreeSet<i32> {
    let master = server.master();
    let workers = server.workers();

    sys::kill(master, libc::SIGKILL);
    wait_until("the master's end", || !proc::alive(master));

    workers
}

/// Workers whose master is killed shut down gracefully.
#[test]
fn orphans_shut_down_gracefully() {
    let server = Server::configurable("orphans");

    server.start(3, &[]);

    let mut held = server.connect();

    ask(&mut held, 'w');

    let workers = kill_master(&server);

    wait_until("one worker, which shuts down", || {
        server.processes().len() == 1 && server.shutting_down().len() == 1
    });
    ask(&mut held, 'w');
    drop(held);
    server.wait_for_end_of(&workers);
    assert_eq!(server.lines("gracefully shutting down").len(), 3);
    server.check_log(&[]);
}

/// Workers that run as another user also shut down gracefully when their master
/// is killed. The change of user clears PR_SET_PDEATHSIG (prctl(2)), so the
/// library must set it again.
#[test]
fn orphans_of_another_user_shut_down() {
    if !sys::is_root() {
        return;
    }

    let server = Server::configurable("orphans_nobody");

    server.start(2, &["-u", "nobody"]);

    let workers = kill_master(&server);

    server.wait_for_end_of(&workers);
    server.check_log(&[]);
}

/// With the option for it, workers whose master is killed continue to serve and
/// still handle signals.
#[test]
fn orphans_may_stay() {
    let server = Server::configurable("orphans_stay");

    server.start(2, &["-o"]);

    let mut held = server.connect();

    ask(&mut held, 'w');

    let workers = kill_master(&server);

    for _ in 0..20 {
        ask(&mut server.connect(), 'w');
    }

    assert_eq!(server.workers(), workers);
    ask(&mut held, 'w');
    drop(held);

    for &pid in &workers {
        sys::kill(pid, libc::SIGQUIT);
    }

    server.wait_for_end_of(&workers);
    server.check_log(&[]);
}
