//! A stand-in for systemd: it receives the messages of `sd_notify(3)` as systemd does.

use std::cell::Cell;
use std::io::{ErrorKind, IoSliceMut};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use nix::sys::socket::sockopt::PassCred;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt};
use nix::unistd::getpid;

use super::server::Server;
use super::{SOON, proc};

/// The socket of the service manager, and the main process of the service. Messages of
/// other processes are errors, `NotifyAccess=main` of `systemd.service(5)`.
pub struct Manager {
    sock: UnixDatagram,
    main: Cell<i32>,
    next_main: Cell<i32>,
}

impl Manager {
    /// Makes the socket in the directory of `server`, and sets the variable of the
    /// service manager for `server`.
    pub fn of(server: &mut Server) -> Self {
        let path = server.directory.join("notify");
        let sock = UnixDatagram::bind(&path).expect("a socket");

        setsockopt(&sock, PassCred, &true).expect("SO_PASSCRED");
        server.environment.push(("NOTIFY_SOCKET", path.into()));

        Self {
            sock,
            main: Cell::new(0),
            next_main: Cell::new(0),
        }
    }

    /// The pid of the main process.
    pub fn main(&self) -> i32 {
        self.main.get()
    }

    /// Waits for the next message; returns its lines. The first sender becomes the main
    /// process. A message can name another main process, which must be alive.
    pub fn next(&self) -> Vec<String> {
        self.next_within(SOON).expect("a message")
    }

    /// Waits for the next message that is not for the watchdog.
    pub fn next_event(&self) -> Vec<String> {
        loop {
            let message = self.next();

            if message != ["WATCHDOG=1"] {
                return message;
            }
        }
    }

    /// Waits for messages for the watchdog until `n` have arrived. Returns the time that
    /// they took.
    pub fn watchdogs(&self, n: u32) -> Duration {
        let start = Instant::now();

        for _ in 0..n {
            assert_eq!(self.next(), ["WATCHDOG=1"]);
        }

        start.elapsed()
    }

    /// Checks that there is no message, and that none arrives within `wait`.
    pub fn is_silent(&self, wait: Duration) {
        assert_eq!(self.next_within(wait), None);
    }

    /// Makes `pid` the main process when its first message arrives. systemd finds it by
    /// the pid file when the main process was killed.
    pub fn expect_main(&self, pid: i32) {
        self.next_main.set(pid);
    }

    /// Receives the messages that have arrived.
    pub fn drain(&self) {
        while self.next_within(Duration::from_millis(1)).is_some() {}
    }

    fn next_within(&self, wait: Duration) -> Option<Vec<String>> {
        let mut bytes = [0; 4096];
        let mut buffers = [IoSliceMut::new(&mut bytes)];
        let mut space = nix::cmsg_space!(nix::libc::ucred);

        self.sock.set_read_timeout(Some(wait)).expect("a timeout");

        let received = recvmsg::<()>(
            self.sock.as_raw_fd(),
            &mut buffers,
            Some(&mut space),
            MsgFlags::empty(),
        );
        let received = match received.map_err(std::io::Error::from) {
            Err(err) if err.kind() == ErrorKind::WouldBlock => return None,
            received => received.expect("a message"),
        };
        let n = received.bytes;
        let sender = received
            .cmsgs()
            .expect("control data")
            .find_map(|data| match data {
                ControlMessageOwned::ScmCredentials(sender) => Some(sender.pid()),
                _ => None,
            });
        let text = String::from_utf8(bytes[..n].to_vec()).expect("text");
        let lines: Vec<String> = text.lines().map(str::to_string).collect();

        self.check(sender.expect("a sender"), &lines);

        Some(lines)
    }

    fn check(&self, sender: i32, lines: &[String]) {
        assert_ne!(sender, getpid().as_raw());

        if self.main() == 0 || sender == self.next_main.get() {
            self.main.set(sender);
        }

        assert_eq!(sender, self.main(), "not from the main process: {lines:?}");

        for pid in lines
            .iter()
            .filter_map(|line| line.strip_prefix("MAINPID="))
        {
            let pid = pid.parse().expect("a pid");

            assert!(proc::alive(pid), "{lines:?}");
            self.main.set(pid);
        }
    }
}
