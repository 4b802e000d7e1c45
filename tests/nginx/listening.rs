//! Listening sockets: what nginx does, which tests/runtime/listening_faults.rs and
//! tests/runtime/listening_reuseport.rs ask of a program without nginx.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};

use crate::nginx::{Nginx, both, get_at};
use crate::support::{proc, sys, wait_until};

const ANSWER: &str = "location / { return 200 served; }";

/// A reload applies a changed backlog to the open socket.
#[test]
fn a_reload_changes_the_backlog() {
    both(|which| {
        let server = |backlog| format!("server {{ listen 127.0.0.1:PORT backlog={backlog}; }}");
        let nginx = Nginx::new("backlog", which, "", &server(5));

        nginx.spawn(&[]);
        nginx.settled(1);
        assert_eq!(sys::backlogs_of(nginx.master()), [5]);
        nginx.configure("", &server(7));
        nginx.reload();
        wait_until("the new backlog", || {
            sys::backlogs_of(nginx.master()) == [7]
        });
        nginx.quit(&[]);
    });
}

/// An IPv6 socket accepts IPv6 only.
#[test]
fn ipv4_beside_ipv6() {
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        eprintln!("skipped: this system has no IPv6");
        return;
    }

    both(|which| {
        let http = format!("server {{ listen 0.0.0.0:PORT; listen [::]:PORT; {ANSWER} }}");
        let nginx = Nginx::new("ipv4_beside_ipv6", which, "", &http);

        nginx.spawn(&[]);
        nginx.settled(1);
        assert!(nginx.get("/").ends_with("served"));

        let ipv6 = get_at((Ipv6Addr::LOCALHOST, nginx.port).into(), "/").unwrap();

        assert!(ipv6.ends_with("served"));
        nginx.quit(&[]);
    });
}

/// nginx tries five times to bind an address that is in use.
#[test]
fn an_address_stays_in_use() {
    both(|which| {
        let nginx = Nginx::new("in_use", which, "", "server { listen 127.0.0.1:PORT; }");
        let busy = TcpListener::bind((Ipv4Addr::LOCALHOST, nginx.port)).unwrap();
        let out = nginx.run(&[]);
        let bind = format!("bind() to 127.0.0.1:{} failed (98:", nginx.port);

        drop(busy);
        assert_eq!(out.status.code(), Some(1));
        assert_eq!(nginx.lines(&bind).len(), 5);
        assert_eq!(nginx.lines("try again to bind() after 500ms").len(), 5);
        assert_eq!(nginx.lines("still could not bind()").len(), 1);
    });
}

/// A reload with fewer workers closes the sockets of the workers that go, and with them
/// the connections that wait there. A program without nginx keeps these sockets.
#[test]
fn fewer_workers_reset_connections_that_wait() {
    both(|which| {
        let main = |n| format!("worker_processes {n};");
        let http = format!("server {{ listen 127.0.0.1:PORT reuseport; {ANSWER} }}");
        let nginx = Nginx::new("reuseport_fewer", which, &main(3), &http);

        nginx.spawn(&[]);
        nginx.settled(3);

        let old = nginx.workers();

        for &pid in &old {
            sys::kill(pid, libc::SIGSTOP);
        }

        let clients: Vec<TcpStream> = (0..60)
            .map(|_| {
                let mut client = nginx.connect();

                client.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
                client
            })
            .collect();

        nginx.configure(&main(1), &http);
        nginx.signal(libc::SIGHUP);
        // The commands to quit wait in the channels of the old workers.
        nginx.wait_for_lines(4, ": child: ");
        wait_until("an idle master", || proc::waits_for_events(nginx.master()));

        for &pid in &old {
            sys::kill(pid, libc::SIGCONT);
        }

        let lost = clients
            .into_iter()
            .filter(|client| {
                let mut answer = String::new();

                !(&*client)
                    .read_to_string(&mut answer)
                    .is_ok_and(|_| answer.ends_with("served"))
            })
            .count();

        assert!(lost > 0, "no connection is lost");
        nginx.quit(&[]);
    });
}
