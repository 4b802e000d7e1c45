//! Test of idle processes: they use no processor time.

use std::time::Duration;

use crate::support::client::echo;
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

    server.stays_idle(Duration::from_secs(10));
    server.quit(&[]);
}
