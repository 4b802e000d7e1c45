//! Descriptors of a worker: there are none left, and programs that it executes.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Instant;

use crate::support::client::ask;
use crate::support::server::Server;

const FAILED: &str = "accept4() failed (24:";

/// A worker without free descriptors does not spin, and accepts the connections that
/// wait when it has free descriptors again.
#[test]
fn connections_wait_for_free_descriptors() {
    let server = Server::configurable("no_descriptors");
    let start = Instant::now();

    server.start(1, &["-n", "30"]);

    let mut clients: Vec<TcpStream> = (0..40)
        .map(|_| {
            let mut client = server.connect();

            client.write_all(b"w").unwrap();
            client
        })
        .collect();

    server.wait_for_lines(3, FAILED);

    // The worker waits for half a second after each line.
    let most = 1 + start.elapsed().as_millis() / 400;

    assert!(server.lines(FAILED).len() as u128 <= most);

    let last = clients.split_off(30);

    drop(clients);

    for mut client in last {
        assert_ne!(client.read(&mut [0; 100]).unwrap(), 0);
    }

    server.quit(&[FAILED]);
}

/// A program that a worker executes inherits no descriptor of the library: no channel,
/// no listening socket, no connection, and no descriptor of the event loop. It has the
/// same descriptors as a program that the test executes.
#[test]
fn an_executed_program_inherits_no_descriptor() {
    let server = Server::configurable("inherits");

    server.start(2, &["-m", "1"]);

    let other = server.connect();

    let out = Command::new("ls").arg("/proc/self/fd").output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    let expected: Vec<&str> = text.lines().collect();

    assert_eq!(ask(&mut server.connect(), 'f'), expected);
    drop(other);
    server.quit(&[]);
}
