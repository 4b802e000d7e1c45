//! Messages to the service manager that has started this program, `sd_notify(3)`.
//!
//! A message is one datagram to a Unix socket. The manager learns the pid of the sender
//! from the kernel.

use std::fmt;
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::sys::socket::sockopt::SendTimeout;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, UnixAddr, sendto, setsockopt, socket,
};
use nix::sys::time::TimeVal;

/// Seconds for which a message waits if the queue of the manager is full.
const PATIENCE: libc::time_t = 1;

/// The socket of a service manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manager(UnixAddr);

impl Manager {
    /// The manager whose socket has the name `name`: a path that begins with "/", or
    /// "@" and a name in the abstract namespace. `None` if the name is something else.
    pub fn new(name: &str) -> Option<Self> {
        let address = match name.strip_prefix('@') {
            Some(name) => UnixAddr::new_abstract(name.as_bytes()),
            None if name.starts_with('/') => UnixAddr::new(name),
            None => return None,
        };

        address.ok().map(Self)
    }

    /// Sends a message. If the queue of the manager is full, the call waits for a second.
    /// No descriptor stays open.
    ///
    /// # References
    ///
    /// `socket(2)`, `sendto(2)`, SO_SNDTIMEO of `socket(7)`.
    pub fn send(&self, message: &[u8]) -> Result<(), Errno> {
        let sock = socket(
            AddressFamily::Unix,
            SockType::Datagram,
            SockFlag::SOCK_CLOEXEC,
            None,
        )?;

        setsockopt(&sock, SendTimeout, &TimeVal::new(PATIENCE, 0))?;

        loop {
            match sendto(sock.as_raw_fd(), message, &self.0, MsgFlags::MSG_NOSIGNAL) {
                // A signal has arrived. Each signal ends the wait at most once.
                Err(Errno::EINTR) => {}
                result => return result.map(drop),
            }
        }
    }
}

impl fmt::Display for Manager {
    /// Writes the name of the socket, as [`Manager::new`] takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.path(), self.0.as_abstract()) {
            (Some(path), _) => path.display().fmt(f),
            (None, name) => {
                let name = str::from_utf8(name.unwrap_or_default()).or(Err(fmt::Error))?;

                write!(f, "@{name}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    use std::time::{Duration, Instant};

    use super::*;

    /// A name in the abstract namespace that no other process uses. Processes in other
    /// PID namespaces can have the same pid.
    fn name(test: &str) -> String {
        let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap();

        format!("{test} {} {}", std::process::id(), namespace.display())
    }

    fn receive(sock: &UnixDatagram) -> Vec<u8> {
        let mut buffer = [0; 100];
        let n = sock.recv(&mut buffer).unwrap();

        buffer[..n].to_vec()
    }

    #[test]
    fn a_message_arrives_by_path_and_by_name() {
        let path = std::env::temp_dir().join(name("path"));
        let by_path = UnixDatagram::bind(&path).unwrap();
        let address = SocketAddr::from_abstract_name(name("name")).unwrap();
        let by_name = UnixDatagram::bind_addr(&address).unwrap();
        let texts = [path.to_str().unwrap(), &format!("@{}", name("name"))];

        for (sock, text) in [by_path, by_name].iter().zip(texts) {
            let manager = Manager::new(text).unwrap();

            assert_eq!(manager.to_string(), text);
            assert_eq!(manager.send(b"READY=1"), Ok(()));
            assert_eq!(receive(sock), b"READY=1");
        }

        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn other_names_are_no_managers() {
        for text in [
            "",
            "relative/path",
            "vsock:2:1234",
            &format!("/{}", "x".repeat(108)),
        ] {
            assert_eq!(Manager::new(text), None, "{text}");
        }
    }

    #[test]
    fn a_manager_that_does_not_receive_ends_the_wait() {
        let address = SocketAddr::from_abstract_name(name("full")).unwrap();
        let sock = UnixDatagram::bind_addr(&address).unwrap();
        let manager = Manager::new(&format!("@{}", name("full"))).unwrap();
        let start = Instant::now();
        let mut result = Ok(());

        while result.is_ok() && start.elapsed() < Duration::from_secs(60) {
            result = manager.send(b"WATCHDOG=1");
        }

        assert_eq!(result, Err(Errno::EAGAIN));
        drop(sock);
        assert_eq!(manager.send(b"READY=1"), Err(Errno::ECONNREFUSED));
    }
}
