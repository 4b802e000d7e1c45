//! Clients of `ipc_publish` and `ipc_receive` that do something unusual.

use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use crate::messages_http::{Client, post_to};
use crate::nginx::{Nginx, Which, code, with_messages};
use crate::support::server::connect_to;
use crate::support::{proc, wait_until};

const LOCATIONS: &str = "
    client_body_temp_path body;
    server {
        listen 127.0.0.1:PORT sndbuf=16k;
        location = /publish { ipc_publish news; }
        location = /any     { ipc_publish news; client_max_body_size 0; }
        location = /events  { ipc_receive news; send_timeout 2s; }
        location = /proxy   {
            proxy_pass http://127.0.0.1:1;
            proxy_request_buffering off;
            error_page 502 = @later;
        }
        location @later { ipc_publish news; }
    }";

fn start(test: &str, which: Which) -> Nginx {
    let main = format!(
        "{}\nuser root;\nworker_processes 1;\nerror_log log info;\nipc_messages max=2m;",
        which.load_http()
    );
    let nginx = Nginx::new(test, which, &main, LOCATIONS);

    nginx.spawn(&[]);
    nginx.wait_for_workers(1);
    wait_until("a worker that takes messages", || {
        code(&post(&nginx, "/publish", "", b"")) == "200"
    });
    nginx
}

fn post(nginx: &Nginx, path: &str, head: &str, bytes: &[u8]) -> String {
    post_to(nginx.address(), path, head, bytes)
}

/// A message was sent: the answer does not say that the condition of the client has failed,
/// or that nothing has changed.
#[test]
fn conditions_do_not_change_an_answer() {
    with_messages(conditions_do_not_change_an_answer_in);
}

fn conditions_do_not_change_an_answer_in(which: Which) {
    let nginx = start("messages_http_conditions", which);

    for condition in [
        "If-Match: \"other\"\r\n",
        "If-None-Match: *\r\n",
        "If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n",
    ] {
        let mut client = Client::with_head(&nginx, condition);
        let answer = post(&nginx, "/publish", condition, b"text");

        assert_eq!(code(&answer), "200", "{condition}: {answer}");
        assert!(answer.contains("{\"worker\":0,\"clients\":1}"), "{answer}");
        assert_eq!(client.event(), ["data: text"]);

        drop(client);
        wait_until("no client", || {
            post(&nginx, "/publish", "", b"").contains("\"clients\":0")
        });
    }

    nginx.quit(&[]);
}

/// A body that no configuration allows is refused before the worker reads it to its memory.
#[test]
fn a_body_larger_than_any_message() {
    with_messages(a_body_larger_than_any_message_in);
}

fn a_body_larger_than_any_message_in(which: Which) {
    let nginx = start("messages_http_huge", which);
    let worker = *nginx.workers().first().expect("a worker");
    let body = vec![b'x'; 160 << 20];

    assert_eq!(code(&post(&nginx, "/any", "", &body)), "413");

    let most = proc::status(worker, "VmHWM").expect("the memory of the worker");
    let most: usize = most.trim_end_matches(" kB").parse().expect("a number");

    assert!(most < 100 << 10, "{most} kB");
    assert_eq!(code(&post(&nginx, "/any", "", &body[..1000])), "200");
    nginx.quit(&[]);
}

/// Another module has read a part of the body: no part of a message is sent.
#[test]
fn a_body_that_was_not_read_to_its_end() {
    with_messages(a_body_that_was_not_read_to_its_end_in);
}

fn a_body_that_was_not_read_to_its_end_in(which: Which) {
    let nginx = start("messages_http_part", which);
    let mut client = Client::new(&nginx);

    // nginx reads the head and what follows at once.
    let post = |length, body| {
        let mut stream = connect_to(nginx.address()).expect("a connection");
        let mut answer = String::new();
        let request = format!(
            "POST /proxy HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n{body}"
        );

        stream.write_all(request.as_bytes()).expect("a request");
        stream.read_to_string(&mut answer).expect("an answer");
        code(&answer).to_string()
    };

    assert_eq!(post(100, "only a part"), "500");
    assert_eq!(post(5, "whole"), "200");
    assert_eq!(client.event(), ["data: whole"]);
    nginx.quit(&[
        "Connection refused",
        "the body for \"ipc_publish\" was not read to its end",
    ]);
}

/// A client that is behind, and reads all the time, is not disconnected after the time of
/// `send_timeout`.
#[test]
fn a_client_that_reads_slowly() {
    with_messages(a_client_that_reads_slowly_in);
}

fn a_client_that_reads_slowly_in(which: Which) {
    let nginx = start("messages_http_behind", which);
    let mut client = Client::new(&nginx);
    let text = vec![b'x'; 900_000];
    let mut part = [0; 10_000];

    for _ in 0..4 {
        assert_eq!(code(&post(&nginx, "/publish", "", &text)), "200");
    }

    let begin = Instant::now();

    while begin.elapsed() < Duration::from_secs(5) {
        client.read_exact(&mut part);
        thread::sleep(Duration::from_millis(50));
    }

    assert!(post(&nginx, "/publish", "", b"").contains("\"clients\":1"));
    drop(client);
    nginx.quit(&[]);
}
