//! Test of idle processes: they use no processor time.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::client::echo;
use crate::support::proc;
use crate::support::server::Server;

/// A reload has started workers, and the clients of these workers send nothing.
/// For ten seconds the master and the workers use no processor time and are not
/// woken up. The test measures time, so it has to wait.
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

    // A process that is ready to run, but gets no processor, uses no processor time
    // either. So the function also checks the state of the process.
    let measure = || -> BTreeMap<i32, (u64, u64, bool)> {
        let one = |pid| {
            let sleeps = proc::state(pid) == Some('S');

            (proc::cpu_time(pid), proc::switches(pid), sleeps)
        };

        server
            .processes()
            .into_iter()
            .map(|pid| (pid, one(pid)))
            .collect()
    };
    let sleep = |all: &BTreeMap<i32, (u64, u64, bool)>| all.values().all(|one| one.2);
    let settled = crate::support::find("processes at rest", || {
        let before = measure();
        std::thread::sleep(Duration::from_millis(50));
        (measure() == before && sleep(&before)).then_some(before)
    });

    std::thread::sleep(Duration::from_secs(10));
    assert_eq!(measure(), settled);
    server.quit(&[]);
}
