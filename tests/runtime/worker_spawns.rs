//! Workers that start processes themselves.

use std::collections::BTreeSet;

use crate::support::client::ask;
use crate::support::server::Server;
use crate::support::{proc, sys, wait_until};

/// Each worker starts a process in `init_process`, and then serves. So does a worker
/// that is respawned, and a worker that a reload has started.
#[test]
fn workers_that_start_a_process_serve() {
    let server = Server::configurable("worker_spawns");
    let master = server.spawn(&["-w", "2", "-s"]);
    let workers = || -> BTreeSet<i32> {
        let mut workers = server.processes();

        workers.retain(|&pid| proc::parent(pid) == Some(master));
        workers
    };
    let serve = || {
        wait_until("two workers with a child each", || {
            workers().len() == 2 && server.processes().len() == 5
        });

        for _ in 0..10 {
            let answer = ask(&mut server.connect(), 'w');
            let pid = answer[0].split(' ').next().unwrap().parse().unwrap();

            assert!(workers().contains(&pid));
        }
    };

    serve();
    sys::kill(*workers().first().unwrap(), libc::SIGKILL);
    serve();

    let old = workers();

    server.signal(libc::SIGHUP);
    server.wait_for_end_of(&old);
    serve();
    server.quit(&["exited on signal 9"]);
}
