//! Requests that nginx handles for as long as a test needs, because the test
//! itself is the upstream server and delays the answers.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use crate::nginx::{Nginx, ask, body, code};
use crate::support::SOON;

/// A configuration that passes requests of `/held` to the test. Buffering is
/// off, so nginx sends each part of an answer to the client at once.
pub const PROXY: &str = "
    server {
        listen 127.0.0.1:PORT;
        location / { return 200 $pid; }
        location /held { proxy_pass http://127.0.0.1:UPSTREAM; proxy_buffering off; }
    }";

/// The listening socket of the test, to which nginx passes requests.
pub struct Upstream(TcpListener);

impl Upstream {
    pub fn new() -> Self {
        Self(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener"))
    }

    /// Puts the port of the test in the place of `UPSTREAM` in a configuration.
    pub fn in_place(&self, http: &str) -> String {
        let port = self.0.local_addr().expect("an address").port();

        http.replace("UPSTREAM", &port.to_string())
    }

    /// Sends a request to the given worker, which then waits for the answer.
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

    /// Sends a request to each worker, and answers each request half.
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

/// A request that nginx handles, with its connections from the client and to
/// the test.
pub struct Held {
    client: TcpStream,
    upstream: TcpStream,
    answer: Vec<u8>,
}

/// The size of each half of an answer.
const HALF: usize = 100_000;

impl Held {
    /// Sends the first half of the answer, and waits until the client has it.
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

    /// Sends the second half of the answer, and checks that the client gets the
    /// whole answer.
    pub fn end(mut self) {
        self.send(&[b'b'; HALF]);
        self.client
            .read_to_end(&mut self.answer)
            .expect("an answer");

        assert_eq!(code(&String::from_utf8_lossy(&self.answer)), "200");
        assert!(self.body() == "a".repeat(HALF) + &"b".repeat(HALF));
    }

    /// Makes the worker handle the request as one of `uri`. Returns the connection of the
    /// client, which gets the answer.
    pub fn redirect(mut self, uri: &str) -> TcpStream {
        let head = format!("HTTP/1.0 200 OK\r\nX-Accel-Redirect: {uri}\r\n\r\n");

        self.send(head.as_bytes());
        self.client
    }

    /// Closes the connection without an answer, and checks that the client gets
    /// the error 502.
    pub fn abandon(mut self) {
        drop(self.upstream);
        self.client
            .read_to_end(&mut self.answer)
            .expect("an answer");
        assert_eq!(code(&String::from_utf8_lossy(&self.answer)), "502");
    }

    /// Checks that nginx has closed both connections of the request after half
    /// of the answer.
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

/// Ignores a reset of the connection: the kernel resets a connection that is
/// closed while it has unread data.
fn reset(err: Error) -> Result<usize, Error> {
    match err.kind() {
        ErrorKind::ConnectionReset => Ok(0),
        _ => Err(err),
    }
}
