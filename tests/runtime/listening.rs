//! Listening sockets, which all workers share.

use std::os::fd::AsRawFd;
use std::time::Instant;

use nix::sys::socket::{Shutdown, shutdown};

use crate::support::server::Server;
use crate::support::sys;

const FAILED: &str = "accept4() failed (22:";

/// A worker that an attacker controls shuts the listening socket down,
/// `shutdown(2)`. The other worker, which has the same socket, must not spin.
#[test]
fn a_listening_socket_is_shut_down() {
    let server = Server::echo("shut_down");

    server.start(1, &[]);

    let worker = *server.workers().first().unwrap();
    let socket = sys::listening_socket_of(worker);
    let start = Instant::now();

    shutdown(socket.as_raw_fd(), Shutdown::Both).unwrap();
    drop(socket);
    server.wait_for_lines(2, FAILED);
    server.quit(&[FAILED]);

    // The worker waits for half a second after each line.
    let most = 2 + start.elapsed().as_millis() / 400;

    assert!(server.lines(FAILED).len() as u128 <= most);
}
