//! Listening sockets that receive datagrams.

use std::collections::BTreeSet;
use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::net::UnixDatagram;

use crate::support::client::ask;
use crate::support::server::Server;
use crate::support::upgrade::{change_binary, retire};
use crate::support::{SOON, proc, sys, wait_until};

fn client(server: SocketAddr) -> UdpSocket {
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();

    client.connect(server).unwrap();
    client.set_read_timeout(Some(SOON)).unwrap();
    client
}

/// The pid of the worker that answers.
fn answer(client: &UdpSocket) -> i32 {
    let mut answer = [0; 1000];
    let n = client.recv(&mut answer).unwrap();
    let answer = str::from_utf8(&answer[..n]).unwrap();

    answer.split(' ').next().unwrap().parse().unwrap()
}

fn ask_worker(client: &UdpSocket) -> i32 {
    client.send(b"w").unwrap();
    answer(client)
}

/// A server with a TCP and a UDP socket on the same port.
fn start(test: &str, options: &[&str]) -> Server {
    let mut server = Server::configurable(test);

    server.places = vec![server.place.clone()];
    server.start(2, &[&["-U", "1"], options].concat());
    server
}

/// Workers answer datagrams, also after a reload and in a new binary. No datagram and
/// no connection leaves a descriptor.
#[test]
fn datagrams_are_answered() {
    let server = start("datagrams", &["-d"]);
    let client = client(server.address());
    let before = server.settled_descriptors();

    assert!(server.workers().contains(&ask_worker(&client)));
    ask(&mut server.connect(), 'w');

    // Datagrams that are empty, too long for the handler's buffer, or not answered.
    for bytes in [&b""[..], &[b'n'; 20_000], b"n"] {
        client.send(bytes).unwrap();
    }

    for _ in 0..200 {
        ask_worker(&client);
    }

    server.wait_for_descriptors(&before);

    server.reload();
    assert!(server.workers().contains(&ask_worker(&client)));

    let (old, new) = change_binary(&server, 2);

    retire(&server, old);
    wait_until("the new workers alone", || server.workers().len() == 2);
    assert!(server.workers_of(new).contains(&ask_worker(&client)));
    server.quit(&[]);
}

/// Datagrams that wait during a reload are answered by the new workers.
#[test]
fn a_reload_keeps_datagrams() {
    let server = start("datagrams_wait", &[]);
    let old = server.workers();

    for &pid in &old {
        sys::kill(pid, libc::SIGSTOP);
    }

    let clients: Vec<UdpSocket> = (0..50).map(|_| client(server.address())).collect();

    for client in &clients {
        client.send(b"w").unwrap();
    }

    server.signal(libc::SIGHUP);

    for client in &clients {
        assert!(!old.contains(&answer(client)));
    }

    for &pid in &old {
        sys::kill(pid, libc::SIGCONT);
    }

    server.wait_for_end_of(&old);
    server.quit(&[]);
}

/// A worker that shuts down waits for its datagrams that are not answered yet.
#[test]
fn a_shutdown_waits_for_answers() {
    let server = start("datagrams_shutdown", &[]);
    let client = client(server.address());

    client.send(b"k").unwrap();
    assert!(server.workers().contains(&ask_worker(&client)));

    // Another worker can have received the first datagram. It has, when it waits for
    // events again.
    let workers = server.workers();

    wait_until("idle workers", || {
        workers.iter().all(|&pid| proc::waits_for_events(pid))
    });
    server.signal(libc::SIGQUIT);
    assert!(workers.contains(&answer(&client)));
    server.finish(&[]);
    assert_eq!(server.lines("datagram answered:1").len(), 2);
}

/// A socket that is bound to all addresses answers from the address to which the
/// datagram was sent. A client that is connected drops answers from other addresses.
#[test]
fn answers_come_from_the_address_of_the_question() {
    let mut server = Server::configurable("datagrams_local");
    let port = server.port;

    server.places = vec![format!("*:{port}")];

    if UdpSocket::bind("[::1]:0").is_ok() {
        server.places.push(format!("[::]:{port}"));
    } else {
        eprintln!("IPv6 is skipped: this system has no IPv6");
    }

    server.start(1, &["-D"]);

    for (own, other) in [
        ("127.0.0.1", "127.0.0.2"),
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]", "[::1]"),
    ]
    .into_iter()
    .take(1 + server.places.len())
    {
        let client = UdpSocket::bind(format!("{own}:0")).unwrap();

        client.connect(format!("{other}:{port}")).unwrap();
        client.set_read_timeout(Some(SOON)).unwrap();
        assert!(server.workers().contains(&ask_worker(&client)));
    }

    server.reload();

    let client = client(format!("127.0.0.3:{port}").parse().unwrap());

    assert!(server.workers().contains(&ask_worker(&client)));
    server.quit(&[]);
}

/// With `reuseport` each worker has a socket for datagrams.
#[test]
fn each_worker_has_a_socket_for_datagrams() {
    let server = start("datagrams_reuseport", &["-P"]);
    let pids: BTreeSet<i32> = (0..100)
        .map(|_| ask_worker(&client(server.address())))
        .collect();

    assert_eq!(pids, server.workers());
    server.quit(&[]);
}

/// A Unix socket receives datagrams too. Its file goes at the end. A sender without an
/// address gets no answer.
#[test]
fn unix_datagrams() {
    let mut server = Server::configurable("datagrams_unix");
    let path = server.directory.join("socket");
    let own = server.directory.join("own");

    server.places = vec![format!("unix:{}", path.display())];
    server.start(1, &["-U", "1"]);

    UnixDatagram::unbound()
        .unwrap()
        .send_to(b"w", &path)
        .unwrap();
    server.wait_for_line("datagram answered:0");

    let client = UnixDatagram::bind(&own).unwrap();
    let mut bytes = [0; 1000];

    client.set_read_timeout(Some(SOON)).unwrap();
    client.send_to(b"w", &path).unwrap();
    assert!(client.recv(&mut bytes).unwrap() > 1);
    server.quit(&[]);
    assert!(!path.exists());
    fs::remove_file(own).unwrap();
}

/// Two programs cannot have the same address for datagrams.
#[test]
fn an_address_for_datagrams_is_in_use() {
    let server = start("datagrams_in_use", &[]);
    let mut other = Server::configurable("datagrams_in_use_too");

    other.places = vec![server.place.clone()];

    let status = other.command(&["-w", "1", "-U", "1"]).status().unwrap();
    let stderr = fs::read_to_string(other.directory.join("stderr")).unwrap();

    assert_eq!(status.code(), Some(1));
    assert!(stderr.contains("still could not bind()"), "{stderr}");
    server.quit(&[]);
}
