//! How evenly the workers of a program without nginx accept connections, compared with
//! a stock nginx.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::ops::RangeInclusive;
use std::thread;

use crate::nginx::{Nginx, Which};
use crate::support::server::{Server, connect_to};
use crate::support::{client, proc, wait_until};

/// The number of workers of each server.
const WORKERS: usize = 4;
/// The number of connections that all clients together open and keep open.
const CONNECTIONS: usize = 400;
/// How often each server is measured with a number of clients. The shares of nginx differ
/// by a third from run to run, so there are more rounds if the first ones do not suffice.
const ROUNDS: RangeInclusive<usize> = 5..=30;

/// Asks a server for the pid of the worker that has accepted the connection.
type AskPid = fn(&mut TcpStream) -> String;

fn pid_of_nginx(stream: &mut TcpStream) -> String {
    let mut answer = String::new();
    let mut bytes = [0; 1024];

    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();

    while !answer.ends_with(".\n") {
        let n = stream.read(&mut bytes).unwrap();

        assert_ne!(n, 0, "closed after {answer:?}");
        answer.push_str(std::str::from_utf8(&bytes[..n]).unwrap());
    }

    answer.lines().last().unwrap().to_string()
}

fn pid_of_server(stream: &mut TcpStream) -> String {
    let line = client::ask(stream, 'w').remove(0);

    line.split(' ').next().unwrap().to_string()
}

/// Opens the connections with so many clients at the same time; each client opens one
/// connection after the other. Returns the number of connections that the busiest
/// worker has accepted.
fn largest_share(server: &Server, ask_pid: AskPid, clients: usize) -> usize {
    wait_until("workers without connections", || {
        server
            .workers()
            .into_iter()
            .all(|pid| proc::waits_for_events(pid) && proc::clients_of(pid, server.port).is_empty())
    });

    let address = server.address();
    let open = |_| {
        let mut stream = connect_to(address).unwrap();
        let pid = ask_pid(&mut stream);

        (stream, pid)
    };
    let client = || (0..CONNECTIONS / clients).map(open).collect::<Vec<_>>();
    let connections: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..clients).map(|_| scope.spawn(client)).collect();

        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    let mut shares: BTreeMap<&str, usize> = BTreeMap::new();

    for (_, pid) in &connections {
        *shares.entry(pid).or_default() += 1;
    }

    *shares.values().max().unwrap()
}

/// The workers accept connections as evenly as those of nginx: the busiest worker has no
/// larger share than the busiest worker of nginx. With more clients than one the shares
/// depend on the scheduler, so the test allows a quarter more.
#[test]
fn workers_accept_as_evenly_as_nginx() {
    let nginx = Nginx::new(
        "balance",
        Which::Stock,
        &format!(
            "worker_processes {WORKERS};\nerror_log log notice;\n\
             events {{ worker_connections 2048; accept_mutex off; }}\n"
        ),
        "server { listen 127.0.0.1:PORT; location / { return 200 \"$pid.\\n\"; } }",
    );
    let server = Server::configurable("balance");

    nginx.spawn(&[]);
    nginx.wait_for_workers(WORKERS);
    server.start(WORKERS, &[]);

    for clients in [1, 16, 200] {
        let (mut of_nginx, mut ours) = (0, 0);
        let is_even = (1..=*ROUNDS.end()).any(|round| {
            of_nginx += largest_share(&nginx, pid_of_nginx, clients);
            ours += largest_share(&server, pid_of_server, clients);

            ROUNDS.contains(&round) && 4 * ours <= 5 * of_nginx
        });

        eprintln!("{clients} clients: nginx {of_nginx}, this server {ours}");
        assert!(is_even, "{ours} instead of {of_nginx}");
    }

    nginx.quit(&[]);
    server.quit(&[]);
}
