//! Connections of datagrams that the program keeps, without a free descriptor, and
//! programs that close the listening socket of datagrams themselves.

use std::net::UdpSocket;

use crate::support::server::Server;
use crate::support::{SOON, build, proc, wait_until};

/// The server `c-tests/fixtures/runtime_datagrams.c`, and a client.
fn start(test: &str) -> (Server, UdpSocket) {
    let mut server = Server::new(test, "server", &build::program("runtime_datagrams"));
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();

    server.instead = vec![
        server.place.clone().into(),
        server.pidfile().into(),
        server.logfile().into(),
    ];
    server.spawn(&[]);
    server.wait_for_workers(1);
    client.connect(server.address()).unwrap();
    client.set_read_timeout(Some(SOON)).unwrap();

    (server, client)
}

fn has_answer(client: &UdpSocket) -> bool {
    let mut answer = [0; 16];

    client
        .recv(&mut answer)
        .is_ok_and(|n| &answer[..n] == b"answer")
}

/// The worker has no descriptor for a connection that it keeps. When the worker has
/// closed the listening socket, another socket can have the number of that socket. The
/// connection does not use it.
#[test]
fn a_kept_connection_uses_no_closed_descriptor() {
    for letter in ["k", "i"] {
        let (server, client) = start("datagrams_kept");

        client.send(letter.as_bytes()).unwrap();
        server.wait_for_line("fcntl(F_DUPFD_CLOEXEC) failed (24:");
        server.signal(libc::SIGQUIT);
        server.wait_for_line("sent:");
        assert_eq!(server.lines("sent:-1 other unused:1").len(), 1, "{letter}");
        server.finish(&["fcntl(F_DUPFD_CLOEXEC)"]);
        client.set_nonblocking(true).unwrap();
        assert!(!has_answer(&client));
    }
}

/// The worker has descriptors again when it shuts down. So the connection that it keeps
/// gets one, and answers.
#[test]
fn a_kept_connection_gets_its_descriptor_later() {
    let (server, client) = start("datagrams_kept_later");
    let worker = *server.workers().first().unwrap();
    let count = || proc::descriptors(worker).len();
    let before = count();

    client.send(b"f").unwrap();
    server.wait_for_line("fcntl(F_DUPFD_CLOEXEC) failed (24:");
    wait_until("free descriptors", || count() == before);
    server.signal(libc::SIGQUIT);
    assert!(has_answer(&client));
    server.finish(&["fcntl(F_DUPFD_CLOEXEC)"]);
    assert_eq!(server.lines("sent:6 other unused:1").len(), 1);
}

/// The handler closes the listening socket, and another socket gets its number. The
/// connection that the handler keeps still answers from the listening socket.
#[test]
fn a_handler_closes_the_socket_and_keeps_its_connection() {
    let (server, client) = start("datagrams_closed");

    client.send(b"c").unwrap();
    assert!(has_answer(&client));
    server.wait_for_line("sent:6 other unused:1");
    server.quit(&[]);
}

/// The handler closes the listening socket, and a new connection gets its memory. The
/// library takes no datagram out of the socket of the new connection.
#[test]
fn a_handler_replaces_the_connection_of_the_socket() {
    let (server, client) = start("datagrams_replaced");

    client.send(b"r").unwrap();
    server.wait_for_line("same memory:1");
    server.wait_for_line("other has:");
    assert_eq!(server.lines("other has:4").len(), 1, "{}", server.log());
    server.quit(&[]);
}
