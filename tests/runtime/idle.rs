//! Idle processes use no processor time.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::client::echo;
use crate::support::proc;
use crate::support::server::Server;

/// For ten seconds an idle master and its workers use no processor time and are
/// not woken up: with open connections, after a reload, and after a respawn.
/// (This test measures time, so time must pass.)
#[test]
fn idle_processes_sleep() {
    let server = Server::echo("idle");

    server.start(4, &[]);

    let mut clients: Vec<_> = (0..8).map(|_| server.connect()).collect();

    clients
        .iter_mut()
        .for_each(|client| echo(client, "hello\n"));
    server.reload();
    crate::support::wait_until("the end of the old", || server.processes().len() == 5);

    let mut clients: Vec<_> = (0..8).map(|_| server.connect()).collect();

    clients
        .iter_mut()
        .for_each(|client| echo(client, "hello\n"));

    let measure = || -> BTreeMap<i32, (u64, u64)> {
        server
            .processes()
            .into_iter()
            .map(|pid| (pid, (proc::cpu_time(pid), proc::switches(pid))))
            .collect()
    };
    let settled = crate::support::find("processes at rest", || {
        let before = measure();
        std::thread::sleep(Duration::from_millis(50));
        (measure() == before).then_some(before)
    });

    std::thread::sleep(Duration::from_secs(10));
    assert_eq!(measure(), settled);
    server.quit(&[]);
}
