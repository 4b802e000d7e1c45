//! Clients of the storm: each answer is complete, or the connection ends before the
//! first byte of the answer.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::support::random::Random;
use crate::support::server::connect_to;

/// The clients of a server, and the sums of their results.
#[derive(Default)]
pub struct Clients {
    pub stop: AtomicBool,
    /// The number of requests that were answered.
    pub answered: AtomicUsize,
    /// The number of connections that ended before the first byte of an answer.
    pub unanswered: AtomicUsize,
    /// The number of connections that were refused.
    pub refused: AtomicUsize,
    /// A description of each request that was answered in part, wrongly, or not in
    /// time.
    pub faults: Mutex<Vec<String>>,
}

/// The result of one request.
enum End {
    Answered,
    Unanswered,
    Fault(String),
}

impl Clients {
    /// Runs one client until the clients are stopped. It sends numbered requests on
    /// one connection after the other.
    pub fn run(&self, address: SocketAddr, number: usize) {
        let mut random = Random::new(number as u64 + 1);
        let mut request = 0;

        while !self.stop.load(Relaxed) {
            match connect_to(address) {
                Ok(stream) => self.talk(stream, number, &mut request, &mut random),
                Err(err) if err.kind() == ErrorKind::TimedOut => {
                    self.add_fault(format!("client {number}: no connection: {err}"));
                }
                Err(_) => {
                    self.refused.fetch_add(1, Relaxed);
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
        }
    }

    /// Sends some requests on one connection.
    fn talk(&self, mut stream: TcpStream, number: usize, request: &mut usize, random: &mut Random) {
        for _ in 0..=random.below(40) {
            *request += 1;

            match exchange(&mut stream, &text(number, *request, random.below(2000))) {
                End::Answered => {
                    self.answered.fetch_add(1, Relaxed);
                }
                End::Unanswered => {
                    self.unanswered.fetch_add(1, Relaxed);
                    return;
                }
                End::Fault(how) => {
                    self.add_fault(format!("client {number}, request {request}: {how}"));
                    return;
                }
            }

            std::thread::sleep(Duration::from_millis(random.below(10) as u64));
        }
    }

    fn add_fault(&self, how: String) {
        self.faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(how);
    }
}

/// The text of a request. It is not longer than the server's buffer, so that the
/// server answers with one call of `send(2)`, and a killed server sends all or nothing.
fn text(number: usize, request: usize, size: usize) -> String {
    format!("{number}:{request}:{:0>size$}\n", number ^ request)
}

/// Sends a request and reads the answer.
fn exchange(stream: &mut TcpStream, text: &str) -> End {
    let mut answer = vec![0; text.len()];
    let mut got = 0;

    if let Err(err) = stream.write_all(text.as_bytes()) {
        return ended(0, &err);
    }

    while got < answer.len() {
        match stream.read(&mut answer[got..]) {
            Ok(0) if got == 0 => return End::Unanswered,
            Ok(0) => return End::Fault(format!("closed after {got} of {} bytes", text.len())),
            Ok(n) => got += n,
            Err(err) => return ended(got, &err),
        }
    }

    if answer == text.as_bytes() {
        End::Answered
    } else {
        End::Fault("another answer than the request".into())
    }
}

/// The result if a call has failed after `got` bytes of the answer.
fn ended(got: usize, err: &std::io::Error) -> End {
    match err.kind() {
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset if got == 0 => End::Unanswered,
        _ => End::Fault(format!("{err} after {got} bytes")),
    }
}

/// Stops the clients when it is dropped, also after a panic.
pub struct Stop<'a>(pub &'a Clients);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Relaxed);
    }
}
