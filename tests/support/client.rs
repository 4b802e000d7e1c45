//! Clients of the servers under test.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::server::Server;

/// Sends a line to an echo server, and checks that the server sends the same
/// line back.
pub fn echo(stream: &mut TcpStream, line: &str) {
    let mut answer = vec![0; line.len()];

    stream.write_all(line.as_bytes()).expect("a line sent");
    stream.read_exact(&mut answer).expect("an answer");
    assert_eq!(String::from_utf8_lossy(&answer), line);
}

/// Sends a letter to the server `c-tests/fixtures/runtime_server.c`; returns
/// the lines of the answer.
pub fn ask(stream: &mut TcpStream, what: char) -> Vec<String> {
    let mut answer = Vec::new();
    let mut bytes = [0; 4096];

    stream.write_all(&[what as u8]).expect("a question sent");

    while !answer.ends_with(b".\n") {
        let n = stream.read(&mut bytes).expect("an answer");

        assert_ne!(n, 0, "closed instead of an answer to '{what}'");
        answer.extend_from_slice(&bytes[..n]);
    }

    let text = String::from_utf8(answer).expect("text");

    text.lines()
        .filter(|&line| line != ".")
        .map(str::to_string)
        .collect()
}

/// Waits until the server closes or resets the connection; returns false if the
/// server sends a byte instead. Panics if neither happens for some time.
pub fn closes(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0]) {
        Ok(n) => n == 0,
        Err(err) if err.kind() == ErrorKind::ConnectionReset => true,
        Err(err) => panic!("the connection stays open: {err}"),
    }
}

/// Clients that send lines to an echo server all the time, and the sums of
/// their results.
#[derive(Default)]
pub struct Load {
    pub stop: AtomicBool,
    /// The number of lines that came back.
    pub answered: AtomicUsize,
    /// The number of connections that were opened.
    pub connections: AtomicUsize,
    /// The number of connections that the server closed before the client sent
    /// a line.
    pub closed_idle: AtomicUsize,
    /// The number of connections that the server closed when a line had arrived
    /// and was not read.
    pub unread: AtomicUsize,
    /// The number of closed connections whose worker the test has killed.
    pub killed: AtomicUsize,
    /// The clients' ports on the connections of workers that the test has
    /// killed.
    pub victims: Mutex<BTreeSet<u16>>,
    /// A description of each line that was lost.
    pub lost: Mutex<Vec<String>>,
}

/// The result of sending one line.
enum End {
    Answered,
    /// The server had closed the connection before the line arrived.
    ClosedBefore,
    /// The line had arrived, and the server closed the connection without
    /// reading it.
    Unread,
    /// The server has read the line or a part of it, and has not sent all of it
    /// back.
    Lost(String),
}

impl Load {
    /// Runs one client until the load is stopped. It sends numbered lines, and
    /// connects again when the server has closed the connection.
    pub fn client(&self, server: &LoadTarget, number: usize) {
        let mut line = 0;

        while !self.stop.load(Relaxed) {
            let mut stream = match server.connect() {
                Ok(stream) => stream,
                Err(err) => return self.lose(format!("client {number}: no connection: {err}")),
            };

            self.connections.fetch_add(1, Relaxed);
            self.talk(&mut stream, number, &mut line);
        }
    }

    fn talk(&self, stream: &mut TcpStream, number: usize, line: &mut usize) {
        let port = stream.local_addr().expect("an address").port();

        while !self.stop.load(Relaxed) {
            match exchange(stream, &text(number, *line)) {
                End::Answered => {
                    self.answered.fetch_add(1, Relaxed);
                    *line += 1;
                    continue;
                }
                _ if self.was_killed(port) => {
                    self.killed.fetch_add(1, Relaxed);
                }
                End::ClosedBefore => {
                    self.closed_idle.fetch_add(1, Relaxed);
                }
                End::Unread => {
                    self.unread.fetch_add(1, Relaxed);
                }
                End::Lost(how) => {
                    self.lose(format!("client {number}, port {port}, line {line}: {how}"));
                }
            }

            return;
        }
    }

    fn was_killed(&self, port: u16) -> bool {
        self.victims
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&port)
    }

    fn lose(&self, how: String) {
        self.lost
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(how);
    }
}

/// The address of the server, to which the clients connect.
pub struct LoadTarget(std::net::SocketAddr);

impl LoadTarget {
    pub fn new(server: &Server) -> Self {
        Self(server.address())
    }

    fn connect(&self) -> std::io::Result<TcpStream> {
        let stream = TcpStream::connect_timeout(&self.0, super::SOON)?;

        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(3 * super::SOON))?;
        stream.set_write_timeout(Some(3 * super::SOON))?;

        Ok(stream)
    }
}

/// The text of a line. Every 16th line is longer than the server's buffer, so
/// that a part of the answer arrives while the client still sends.
fn text(number: usize, line: usize) -> String {
    let size = if line % 16 == number % 16 { 20_000 } else { 30 };

    format!("{number}:{line}:{:0>size$}\n", number ^ line)
}

/// Sends a line and reads the answer.
///
/// The way in which the connection ends shows when the server closed it:
///
/// - before the line arrived: the client reads an end of file, and then gets a
///   reset (EPIPE) for its line;
/// - when the line was in the server's socket: the client gets a reset
///   (ECONNRESET);
/// - after the server had read the line: the client reads an end of file, and
///   gets no reset.
///
/// The reset can arrive a little later than the end of file.
fn exchange(stream: &mut TcpStream, line: &str) -> End {
    let mut answer = vec![0; line.len()];

    if let Err(err) = stream.write_all(line.as_bytes()) {
        return unanswered(&err);
    }

    let mut got = 0;

    while got < answer.len() {
        match stream.read(&mut answer[got..]) {
            Ok(0) if got == 0 => return closed_before(stream),
            Ok(0) => return End::Lost(format!("closed after {got} of {} bytes", line.len())),
            Ok(n) => got += n,
            Err(err) if got == 0 => return unanswered(&err),
            Err(err) => return End::Lost(format!("{err} after {got} of {} bytes", line.len())),
        }
    }

    if answer == line.as_bytes() {
        End::Answered
    } else {
        End::Lost("another answer than the line".into())
    }
}

fn unanswered(err: &std::io::Error) -> End {
    match err.kind() {
        ErrorKind::BrokenPipe => End::ClosedBefore,
        ErrorKind::ConnectionReset => End::Unread,
        _ => End::Lost(err.to_string()),
    }
}

fn closed_before(stream: &TcpStream) -> End {
    let deadline = Instant::now() + Duration::from_secs(5);

    while Instant::now() < deadline {
        match stream.take_error() {
            Ok(None) => std::thread::sleep(Duration::from_millis(1)),
            Ok(Some(err)) => return unanswered(&err),
            Err(err) => return End::Lost(err.to_string()),
        }
    }

    End::Lost("read but not answered".into())
}
