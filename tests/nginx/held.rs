//! Requests that nginx handles for as long as a test needs.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use crate::nginx::{Nginx, ask, body, code};
use crate::support::SOON;

/// nginx sends each part of an answer at once.
pub const PROXY: &str = "
    server {
        listen 127.0.0.1:PORT;
        location / { return 200 $pid; }
        location /held { proxy_pass http://127.0.0.1:UPSTREAM; proxy_buffering off; }
    }";

/// The server that nginx passes requests to.
pub struct Upstream(TcpListener);

impl Upstream {
    pub fn new() -> Self {
        Self(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener"))
    }

    /// A configuration with the port for `UPSTREAM`.
    pub fn in_place(&self, http: &str) -> String {
        let port = self.0.local_addr().expect("an address").port();

        http.replace("UPSTREAM", &port.to_string())
    }

    /// Sends a request to one worker, which then waits for the answer.
    pub fn hold(&self, nginx: &Nginx, worker: i32) -> Held {
        nginx.with_only(worker, || {
            let mut client = nginx.connect();

            ask(&mut client, "/held").expect("a request sent");

            let (upstream, _) = self.0.accept().expect("a request sent on");

            upstream.set_read_timeout(Some(SOON)).expect("a timeout");
            Held {
                client,
                upstream,
                answer: Vec::new(),
            }
        })
    }

    /// Sends a request to each worker, and answers half of each.
    pub fn hold_each(&self, nginx: &Nginx) -> Vec<Held> {
        let mut all: Vec<_> = nginx
            .workers()
            .into_iter()
            .map(|worker| self.hold(nginx, worker))
            .collect();

        all.iter_mut().for_each(Held::begin);
        all
    }
}

/// One of these requests.
pub struct Held {
    client: TcpStream,
    upstream: TcpStream,
    answer: Vec<u8>,
}

/// Both halves of an answer have this size.
const HALF: usize = 100_000;

impl Held {
    /// Answers the first half; the client gets it unless nginx buffers it.
    pub fn begin(&mut self) {
        let mut lines = BufReader::new(&self.upstream).lines();

        let blank = lines.find(|line| line.as_ref().is_ok_and(String::is_empty));

        assert!(blank.is_some(), "a whole request");

        let head = format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n", 2 * HALF);

        self.send(head.as_bytes());
        self.send(&[b'a'; HALF]);

        while !self.answer.ends_with(b"a") || self.body().len() < HALF {
            let mut some = [0; 4096];
            let n = self.client.read(&mut some).expect("half an answer");

            assert_ne!(n, 0, "the end of half an answer");
            self.answer.extend(&some[..n]);
        }
    }

    /// Answers the rest; the client gets all of it.
    pub fn end(mut self) {
        self.send(&[b'b'; HALF]);
        self.client
            .read_to_end(&mut self.answer)
            .expect("an answer");

        assert_eq!(code(&String::from_utf8_lossy(&self.answer)), "200");
        assert!(self.body() == "a".repeat(HALF) + &"b".repeat(HALF));
    }

    /// Closes without an answer; the client gets an error.
    pub fn abandon(mut self) {
        drop(self.upstream);
        self.client
            .read_to_end(&mut self.answer)
            .expect("an answer");
        assert_eq!(code(&String::from_utf8_lossy(&self.answer)), "502");
    }

    /// nginx has closed both connections before all was answered.
    pub fn was_cut_off(mut self) {
        self.upstream
            .read_to_end(&mut Vec::new())
            .or_else(reset)
            .expect("the end");
        self.client
            .read_to_end(&mut self.answer)
            .or_else(reset)
            .expect("the end");

        assert_eq!(self.body().len(), HALF);
    }

    fn send(&mut self, bytes: &[u8]) {
        self.upstream.write_all(bytes).expect("an answer sent");
    }

    fn body(&self) -> String {
        body(&String::from_utf8_lossy(&self.answer)).to_string()
    }
}

/// A reset is right for a connection that is closed with unread bytes.
fn reset(err: Error) -> Result<usize, Error> {
    match err.kind() {
        ErrorKind::ConnectionReset => Ok(0),
        _ => Err(err),
    }
}
