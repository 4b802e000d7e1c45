//! [`Peer`], the syslog server of a log. A line becomes one message of RFC 3164, as in
//! nginx: `<PRIORITY>TIME HOST TAG: LINE`.
//!
//! A line never waits for the server: if its socket is full, or if there is no server, the
//! line is lost. A message with the number of lost lines follows when the server takes
//! messages again.

use std::io::Write;
use std::os::fd::{IntoRawFd, OwnedFd, RawFd};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize};

use nix::errno::Errno;

use super::syslog_conf::{LONGEST_TAG, Parameters, is_of_tag};
use super::times;
use crate::config::ngx_uint_t;
use crate::sys::buffer::copy;
use crate::sys::fd;
use crate::sys::log_socket::{self, HOST_NAME, Server};

/// The length of the longest "HOST TAG: ".
const ORIGIN: usize = HOST_NAME + LONGEST_TAG + 2;
/// The length of the longest "<PRIORITY>TIME ".
const HEAD: usize = "<191>Jan 01 00:00:00 ".len();

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// A syslog server, and the socket of this process that is connected to it. After fork()
/// the child has a copy, and at first shares the socket.
pub struct Peer {
    server: Server,
    facility: u8,
    /// "HOST TAG: ".
    origin: [u8; ORIGIN],
    origin_len: usize,
    /// The socket, or -1.
    fd: AtomicI32,
    /// Whether this process is connecting. A signal handler that has interrupted it must
    /// not connect, because one of the two sockets would leak.
    connecting: AtomicBool,
    /// The number of lines that are lost since the last message.
    lost: AtomicUsize,
}

impl Peer {
    /// Makes a peer, which connects to the server at the first line. `program` is the
    /// tag if the configuration has none; other characters than those of a tag become
    /// "_".
    pub fn new(parameters: &Parameters<'_>, program: &[u8]) -> Self {
        let mut origin = [0; ORIGIN];
        let mut len = 0;
        let mut add = |bytes: &[u8]| len += copy(origin.get_mut(len..).unwrap_or_default(), bytes);

        if parameters.hostname {
            let mut name = [0; HOST_NAME];
            let n = log_socket::host_name(&mut name);

            add(name.get(..n).unwrap_or_default());
            add(b" ");
        }

        match parameters.tag {
            Some(tag) => add(tag.as_bytes()),
            None => program.iter().take(LONGEST_TAG).for_each(|&byte| {
                add(&[if is_of_tag(byte) { byte } else { b'_' }]);
            }),
        }

        add(b": ");

        Self {
            server: parameters.server,
            facility: parameters.facility,
            origin,
            origin_len: len,
            fd: AtomicI32::new(-1),
            connecting: AtomicBool::new(false),
            lost: AtomicUsize::new(0),
        }
    }

    /// Sends `line`, without a newline, as a message whose severity is that of `level`.
    /// Returns the number of lines that were lost before this one, if this one was sent.
    ///
    /// Async-signal-safe.
    pub fn send(&self, level: ngx_uint_t, line: &[u8]) -> usize {
        let mut head = [0; HEAD];
        let n = self.head(level, &mut head);
        let head = head.get(..n).unwrap_or_default();
        let origin = self.origin.get(..self.origin_len).unwrap_or_default();
        let parts = [head, origin, line];
        let sent = match log_socket::send(self.fd.load(Relaxed), &parts) {
            // The server is busy.
            Err(Errno::EAGAIN | Errno::ENOBUFS) => false,
            // The server has refused the message before this one.
            Err(Errno::ECONNREFUSED) if matches!(self.server, Server::Inet(_)) => {
                self.lost.fetch_add(1, Relaxed);
                log_socket::send(self.fd.load(Relaxed), &parts).is_ok()
            }
            Err(_) => self
                .connect()
                .is_some_and(|fd| log_socket::send(fd, &parts).is_ok()),
            Ok(()) => true,
        };

        if sent {
            return self.lost.swap(0, Relaxed);
        }

        self.lost.fetch_add(1, Relaxed);
        0
    }

    /// Replaces the socket by one that is connected to the server. Returns the new
    /// socket.
    fn connect(&self) -> Option<RawFd> {
        if self.connecting.swap(true, Relaxed) {
            return None;
        }

        let old = self.fd.swap(-1, Relaxed);

        if old != -1 {
            let _ = fd::close(old);
        }

        let sock = self.server.connect().ok().map(OwnedFd::into_raw_fd);

        self.fd.store(sock.unwrap_or(-1), Relaxed);
        self.connecting.store(false, Relaxed);

        sock
    }

    /// Returns the socket of this process, which the caller closes. The peer never
    /// connects again.
    pub fn take_socket(&self) -> Option<RawFd> {
        self.connecting.store(true, Relaxed);

        Some(self.fd.load(Relaxed)).filter(|&fd| fd != -1)
    }

    /// Writes "<PRIORITY>TIME " to `head`, as "<187>Nov  7 03:06:33 ". Returns its
    /// length.
    fn head(&self, level: ngx_uint_t, head: &mut [u8; HEAD]) -> usize {
        let severity = level.saturating_sub(1).min(7);
        let priority = usize::from(self.facility) * 8 + severity;
        let time = times::err_log_time();
        let (mut left, time) = (&mut head[..], time.as_slice());
        let [month, day, clock] = [5..7, 8..10, 11..19].map(|part| time.get(part).unwrap_or(b""));
        let number = |digits: &[u8]| digits.iter().fold(0, |n, d| n * 10 + usize::from(d & 15));
        let name = MONTHS
            .get(number(month).wrapping_sub(1))
            .copied()
            .unwrap_or(b"Jan");
        let day = number(day);

        // `head` has room for each time.
        let _ = write!(left, "<{priority}>")
            .and_then(|()| left.write_all(name))
            .and_then(|()| write!(left, " {day:2} "))
            .and_then(|()| left.write_all(clock))
            .and_then(|()| left.write_all(b" "));

        HEAD - left.len()
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;
    use crate::log::Log;
    use crate::sys::log::RawLog;

    #[test]
    fn a_message_has_its_head() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = server.local_addr().unwrap().port();
        let text = format!("server=127.0.0.1:{port},facility=user,nohostname");
        let log = Log::new(RawLog::none());
        let parameters = super::super::syslog_conf::parse(&text, log).unwrap();
        let peer = Peer::new(&parameters, b"my-program");
        let mut buffer = [0; 100];

        times::update();

        for (level, priority) in [(0, 8), (1, 8), (4, 11), (8, 15)] {
            assert_eq!(peer.send(level, b"line"), 0);

            let n = server.recv(&mut buffer).unwrap();
            let text = std::str::from_utf8(&buffer[..n]).unwrap();

            assert!(text.starts_with(&format!("<{priority}>")), "{text}");
            assert!(text.ends_with(" my_program: line"), "{text}");
        }

        let date = std::process::Command::new("date")
            .arg("+%b %e ")
            .output()
            .unwrap();

        assert!(buffer[4..].starts_with(date.stdout.trim_ascii_end()));
        fd::close(peer.take_socket().unwrap()).unwrap();
    }
}
