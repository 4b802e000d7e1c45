//! Tests of the status module's counters of connections and requests.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::{HTTP, counter, json, nginx, number};
use crate::nginx::Nginx;
use crate::support::{sys, wait_until};

/// The counters are the sums over all workers, also after a worker was killed
/// and after a reload.
#[test]
fn counters_add_up() {
    const CONNECTIONS: i64 = 20;
    const REQUESTS: i64 = 5;

    let nginx = nginx("status_counters");
    let before = json(&nginx)["counters"].clone();

    for _ in 0..CONNECTIONS {
        let mut stream = nginx.connect();

        for i in 1..=REQUESTS {
            let close = if i == REQUESTS {
                "Connection: close\r\n"
            } else {
                ""
            };

            write!(stream, "GET / HTTP/1.1\r\nHost: localhost\r\n{close}\r\n").expect("a request");
        }

        let mut answers = String::new();
        stream.read_to_string(&mut answers).expect("answers");
        assert_eq!(answers.matches("200 OK").count(), REQUESTS as usize);
    }

    // A worker counts the end of a request after it has sent the answer, so the
    // client can have the answer before.
    wait_until("an idle server", || counter(&nginx, "active") == 1);

    let after = json(&nginx)["counters"].clone();
    let asked = number(&after, "accepted") - number(&before, "accepted") - CONNECTIONS;

    // Each request for the counters uses a connection of its own, and is
    // counted too.
    for (name, more) in [
        ("accepted", CONNECTIONS + asked),
        ("handled", CONNECTIONS + asked),
        ("requests", CONNECTIONS * REQUESTS + asked),
        ("active", 0),
        ("writing", 0),
    ] {
        assert_eq!(number(&after, name) - number(&before, name), more, "{name}");
    }

    nginx.reload();
    assert_eq!(counter(&nginx, "accepted"), number(&after, "accepted") + 1);

    nginx.quit(&[]);
}

/// A status module with one worker, which handles a request that is not complete. Returns the
/// connection of the request too.
fn with_a_request(name: &str) -> (Nginx, TcpStream) {
    let http = format!("{} client_body_timeout 60s;", HTTP.trim_end_matches('}'));
    let nginx = nginx(name);

    // nginx has read the header of the request and waits for its body, so the
    // request is active.
    nginx.configure(
        &format!(
            "worker_processes 1; load_module {};",
            Nginx::status_module().display()
        ),
        &format!("{http} location /slow {{ proxy_pass http://127.0.0.1:PORT/; }} }}"),
    );
    nginx.signal(libc::SIGHUP);
    nginx.wait_for_workers(1);
    wait_until("one request", || counter(&nginx, "active") == 1);

    let mut stream = nginx.connect();
    write!(
        stream,
        "POST /slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf"
    )
    .expect("a request");
    wait_until("two requests", || counter(&nginx, "active") == 2);

    (nginx, stream)
}

/// A worker is killed while it handles a request. The request is no longer
/// counted as active.
#[test]
fn killed_in_a_request() {
    let (nginx, _stream) = with_a_request("status_killed");
    let worker = nginx.workers();

    sys::kill(*worker.first().expect("a worker"), libc::SIGKILL);
    nginx.wait_for_others(1, &worker);
    wait_until("one request", || counter(&nginx, "active") == 1);

    nginx.quit(&["exited on signal 9"]);
}

/// The same for an old worker after a reload, whose slot no new worker gets.
#[test]
fn killed_after_a_reload() {
    let (nginx, _stream) = with_a_request("status_killed_old");
    let old = nginx.workers();

    nginx.signal(libc::SIGHUP);
    wait_until("an old and a new worker", || nginx.workers().len() == 2);
    sys::kill(*old.first().expect("a worker"), libc::SIGKILL);
    nginx.wait_for_others(1, &old);
    wait_until("one request", || counter(&nginx, "active") == 1);

    nginx.quit(&["exited on signal 9"]);
}
