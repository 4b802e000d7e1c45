//! Listening sockets with `reuseport`: each worker has its own.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;

use crate::support::client::ask;
use crate::support::server::Server;
use crate::support::sys;
use crate::support::upgrade::{change_binary, retire};

/// The inodes of the listening sockets of a process.
fn sockets_of(pid: i32) -> BTreeSet<u64> {
    sys::listening_sockets_of(pid)
        .iter()
        .map(|sock| nix::sys::stat::fstat(sock).unwrap().st_ino)
        .collect()
}

/// The workers that have answered the clients.
fn answered_by(clients: &mut [TcpStream]) -> BTreeSet<i32> {
    clients
        .iter_mut()
        .map(|client| {
            ask(client, 'w')[0]
                .split(' ')
                .next()
                .unwrap()
                .parse()
                .unwrap()
        })
        .collect()
}

fn connect(server: &Server, n: usize) -> Vec<TcpStream> {
    (0..n).map(|_| server.connect()).collect()
}

fn start(test: &str, options: &[&str]) -> (Server, PathBuf, i32) {
    let server = Server::configurable(test);
    let conf = server.directory.join("conf");
    let options = [&["-r", conf.to_str().unwrap()], options].concat();
    let master = server.start(3, &options);

    (server, conf, master)
}

/// Reloads with another content of the configuration file, and waits for so many new
/// workers.
fn reload(server: &Server, conf: &PathBuf, content: &str, workers: usize) {
    let old = server.workers();

    fs::write(conf, content).unwrap();
    server.signal(libc::SIGHUP);
    server.wait_for_others(workers, &old);
    server.wait_for_end_of(&old);
}

/// Each worker has a socket, a reload keeps the sockets, and more workers get more
/// sockets. A new binary takes all of them over.
#[test]
fn each_worker_has_a_socket() {
    let (server, conf, master) = start("reuseport", &["-d", "-P"]);
    let sockets = sockets_of(master);

    assert_eq!(sockets.len(), 3);
    assert_eq!(answered_by(&mut connect(&server, 100)), server.workers());

    reload(&server, &conf, "", 3);
    assert_eq!(sockets_of(master), sockets);

    let (old, new) = change_binary(&server, 3);

    retire(&server, old);
    assert_eq!(sockets_of(new), sockets);
    assert_eq!(answered_by(&mut connect(&server, 100)), server.workers());

    reload(&server, &conf, "workers 5", 5);

    let more = sockets_of(new);

    assert_eq!(more.len(), 5);
    assert!(more.is_superset(&sockets));
    assert_eq!(answered_by(&mut connect(&server, 200)), server.workers());
    server.quit(&[]);
}

/// A reload with fewer workers loses no connection: the sockets stay, and the workers
/// that are left accept from all of them. The old workers are stopped, so that only
/// the new ones can answer.
#[test]
fn fewer_workers_lose_no_connection() {
    let (server, conf, master) = start("reuseport_fewer", &["-P"]);
    let sockets = sockets_of(master);
    let old = server.workers();

    for &pid in &old {
        sys::kill(pid, libc::SIGSTOP);
    }

    let mut clients = connect(&server, 60);

    fs::write(&conf, "workers 1").unwrap();
    server.signal(libc::SIGHUP);
    assert_eq!(answered_by(&mut clients).len(), 1);

    for &pid in &old {
        sys::kill(pid, libc::SIGCONT);
    }

    server.wait_for_end_of(&old);
    assert_eq!(sockets_of(master), sockets);
    assert_eq!(answered_by(&mut connect(&server, 60)), server.workers());
    drop(clients);

    reload(&server, &conf, "workers 2", 2);
    assert_eq!(sockets_of(master), sockets);
    assert_eq!(answered_by(&mut connect(&server, 100)), server.workers());
    server.quit(&[]);
}

/// A reload can turn `reuseport` on and off. Connections that wait are not lost.
#[test]
fn reuseport_is_turned_on_and_off() {
    let (server, conf, master) = start("reuseport_on_off", &[]);
    let first = sockets_of(master);

    assert_eq!(first.len(), 1);

    for (content, n) in [("reuseport 1", 3), ("reuseport 0", 3)] {
        let old = server.workers();

        for &pid in &old {
            sys::kill(pid, libc::SIGSTOP);
        }

        let mut clients = connect(&server, 30);

        fs::write(&conf, content).unwrap();
        server.signal(libc::SIGHUP);
        answered_by(&mut clients);

        for &pid in &old {
            sys::kill(pid, libc::SIGCONT);
        }

        server.wait_for_end_of(&old);
        assert_eq!(sockets_of(master).len(), n);
        assert!(sockets_of(master).is_superset(&first));
    }

    server.quit(&[]);
}

/// The port 0 is the same port for all sockets of an entry. A refused reload leaves
/// no descriptor.
#[test]
fn all_sockets_have_the_chosen_port() {
    let mut server = Server::configurable("reuseport_0");
    let conf = server.directory.join("conf");

    server.place = "127.0.0.1:0".into();
    server.places = vec!["127.0.0.1:0".into()];

    let master = server.start(2, &["-P", "-r", conf.to_str().unwrap()]);
    let ports = |n: usize| {
        let mut ports: Vec<u16> = sys::listening_sockets_of(master)
            .into_iter()
            .map(|sock| {
                std::net::TcpListener::from(sock)
                    .local_addr()
                    .unwrap()
                    .port()
            })
            .collect();

        assert_eq!(ports.len(), n);
        ports.sort_unstable();
        ports
    };
    let before = ports(4);

    assert_eq!(before.iter().collect::<BTreeSet<_>>().len(), 2);
    assert!(before[0] == before[1] && before[2] == before[3]);
    assert_eq!(server.lines("the port of 127.0.0.1:0 is ").len(), 2);

    reload(&server, &conf, "", 2);
    assert_eq!(ports(4), before);

    let descriptors = server.settled_descriptors();

    fs::write(&conf, "module").unwrap();
    server.signal(libc::SIGHUP);
    server.wait_for_line("a module could not");
    server.wait_for_descriptors(&descriptors);

    reload(&server, &conf, "workers 3", 3);
    assert_eq!(ports(6).iter().collect::<BTreeSet<_>>().len(), 2);
    server.quit(&["a module could not"]);
}

/// A single process accepts from its only socket.
#[test]
fn a_single_process_has_one_socket() {
    let server = Server::configurable("reuseport_single");
    let master = server.spawn(&["-1", "-P"]);

    assert_eq!(sockets_of(master).len(), 1);
    ask(&mut server.connect(), 'w');
    server.quit(&[]);
}
