//! [`OpenSockets`]: listening sockets that are open before the cycle that uses them
//! is made.
//!
//! These are the sockets of the old cycle at a reload, the sockets that an old binary
//! has handed down, those that a service manager has opened, and descriptors that the
//! configuration names. A socket is used for the entry of the configuration that has the
//! address of the socket. A "vague" address, such as "127.0.0.1:0", does not say which
//! socket is meant. Such an entry gets the socket that an entry with the same text had in
//! the old cycle or the old binary.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

use super::addresses::Addresses;
use super::cycle::Cycle;
use super::left_files;
use super::listening::Listening;
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::address::{Address, BoundTo};
use crate::sys::listen::{self, Kind, Options};
use crate::sys::{fd, heap};

struct OpenSocket<'a> {
    sock: OwnedFd,
    /// The address of the entry that the socket belonged to, if it is known.
    entry: Option<Address<'a>>,
    /// The name that the service manager has given to the socket, which can be empty;
    /// `None` if the socket is not from a service manager.
    name: Option<&'a str>,
}

impl OpenSocket<'_> {
    /// Whether the socket is to be used for an entry with this address.
    fn is_for(&self, address: Address<'_>, kind: Kind) -> bool {
        let fd = self.sock.as_raw_fd();

        listen::is_of_kind(fd, kind)
            && match (self.entry, address) {
                (Some(entry), address) if address.is_vague() => entry == address,
                (None, Address::Descriptor(number)) => fd == number,
                (None, Address::Named(name)) => self.name == Some(name),
                (_, address) => address.is_of(fd),
            }
    }
}

/// Listening sockets that are open, and that no cycle uses yet. Sockets that no
/// entry takes are closed when the value is dropped.
pub struct OpenSockets<'a>(Vec<OpenSocket<'a>>);

/// A socket that a cycle uses.
pub struct Assigned {
    /// The entry of the configuration that the socket belongs to.
    pub entry: usize,
    /// The number of the socket among those of the entry.
    pub number: usize,
    /// The socket; `None`: it is not open yet.
    pub sock: Option<OwnedFd>,
    /// Whether the socket was open before the cycle was made.
    pub was_open: bool,
}

impl<'a> OpenSockets<'a> {
    /// No sockets.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Adds a socket, and the address of the entry that it belonged to, if it is
    /// known.
    ///
    /// Returns an error, with an emergency in the log, and closes the socket, if
    /// there is no memory.
    pub fn add(&mut self, sock: OwnedFd, entry: Option<Address<'a>>, log: Log) -> Result {
        let name = None;

        heap::push(&mut self.0, OpenSocket { sock, entry, name }).map_err(|err| no_memory(err, log))
    }

    /// Adds a socket that the service manager has opened, and has given a name.
    ///
    /// Returns an error as [`OpenSockets::add`] does.
    pub fn add_named(&mut self, sock: OwnedFd, name: &'a str, log: Log) -> Result {
        let (entry, name) = (None, Some(name));

        heap::push(&mut self.0, OpenSocket { sock, entry, name }).map_err(|err| no_memory(err, log))
    }

    /// Whether one of the sockets has the descriptor `fd`.
    pub fn has(&self, fd: RawFd) -> bool {
        self.0.iter().any(|open| open.sock.as_raw_fd() == fd)
    }

    /// Sets the address of the entry that the socket `fd` belonged to.
    pub fn set_entry(&mut self, fd: RawFd, entry: Address<'a>) {
        for open in &mut self.0 {
            if open.sock.as_raw_fd() == fd {
                open.entry = Some(entry);
            }
        }
    }

    /// Duplicates the listening sockets of `cycle`, which keeps its own
    /// descriptors.
    ///
    /// Returns an error, with an emergency in the log, if a socket cannot be
    /// duplicated, or if there is no memory.
    pub fn of(cycle: Cycle) -> Result<Self> {
        let log = cycle.log();
        let mut all = Self::none();

        for ls in cycle.listening().filter(|ls| ls.fd() != -1) {
            let address = ls.address();
            let sock = fd::duplicate(ls.fd()).map_err(|err| match address {
                Some(address) => log.fail(
                    Level::Emerg,
                    err,
                    format_args!("fcntl(F_DUPFD_CLOEXEC) {address} failed"),
                ),
                None => log.fail(
                    Level::Emerg,
                    err,
                    format_args!("fcntl(F_DUPFD_CLOEXEC) failed"),
                ),
            })?;

            all.add(sock, address, log)?;
        }

        Ok(all)
    }

    /// Finds the sockets for the entries of a configuration, and checks the entries.
    /// The sockets of other addresses are closed. The result begins with one socket
    /// for each entry.
    ///
    /// An entry with `reuseport` gets at least `workers` sockets. Each entry also gets
    /// all other open sockets with its address: connections can wait in a socket that
    /// belonged to a worker of an old configuration.
    ///
    /// Returns an error, with an emergency in the log, if an entry is invalid, if its user
    /// or its group does not exist, if a descriptor that it names is not a socket, or if
    /// there is no memory.
    pub fn assign(mut self, entries: Addresses, workers: usize, log: Log) -> Result<Vec<Assigned>> {
        let mut assigned = Vec::new();

        for entry in 0..entries.count() {
            add(&mut assigned, entry, 0, None, log)?;
        }

        // An address that says which socket is meant comes first, so that a vague
        // address does not take this socket.
        for vague in [false, true] {
            for (ls, place) in entries.iter().zip(&mut assigned) {
                let address = ls.check(log)?;

                if address.is_vague() == vague {
                    // Also for a socket that is open: at the next start the user and the
                    // group must exist.
                    ls.rights(log)?;
                    place.sock = self.take(address, ls.options().kind, log)?;
                }
            }
        }

        for (entry, ls) in entries.iter().enumerate() {
            self.assign_more(&mut assigned, entry, ls, workers, log)?;
        }

        self.log_unused(log);

        Ok(assigned)
    }

    /// Finds the sockets of an entry after its first one.
    fn assign_more(
        &mut self,
        assigned: &mut Vec<Assigned>,
        entry: usize,
        ls: Listening,
        workers: usize,
        log: Log,
    ) -> Result {
        let Options {
            kind, reuseport, ..
        } = ls.options();
        let first = assigned.get(entry).and_then(|first| first.sock.as_ref());
        let address = match ls.check(log)? {
            // Two entries can have the same text and different ports.
            Address::Inet(addr) => Address::Inet(
                first
                    .and_then(|sock| Address::of(sock.as_raw_fd()))
                    .unwrap_or(addr),
            ),
            named @ Address::Named(_) => named,
            _ => return Ok(()),
        };
        let mut number = 1;

        while let Some(i) = self.0.iter().position(|open| open.is_for(address, kind)) {
            add(assigned, entry, number, Some(self.0.remove(i).sock), log)?;
            number += 1;
        }

        if reuseport {
            for number in number..workers {
                add(assigned, entry, number, None, log)?;
            }
        }

        Ok(())
    }

    /// Logs the sockets of the service manager that no entry uses.
    fn log_unused(&self, log: Log) {
        for open in &self.0 {
            if let Some(name) = open.name {
                let fd = open.sock.as_raw_fd();

                log.error(
                    Level::Warn,
                    None,
                    format_args!(
                        "the socket {} of the service manager, fd:{fd} name:\"{name}\", \
                         is closed: the configuration has no entry for it",
                        BoundTo(fd)
                    ),
                );
            }
        }
    }

    fn take(&mut self, address: Address<'_>, kind: Kind, log: Log) -> Result<Option<OwnedFd>> {
        let found = self.0.iter().position(|open| open.is_for(address, kind));

        if let Some(i) = found {
            let open = self.0.remove(i);

            if let (Some(_), Some(path)) = (open.name, address.path()) {
                left_files::add(path).map_err(|err| no_memory(err, log))?;
            }

            return Ok(Some(open.sock));
        }

        let number = match address {
            Address::Descriptor(number) => number,
            Address::Named(_) => {
                log.error(
                    Level::Emerg,
                    None,
                    format_args!("{address}: the service manager has opened no such socket"),
                );
                return Err(Status::Error);
            }
            _ => return Ok(None),
        };

        listen::adopt(number, kind).map(Some).map_err(|err| {
            log.fail(
                Level::Emerg,
                err,
                format_args!("{address} cannot be used to listen"),
            )
        })
    }
}

fn no_memory(err: Errno, log: Log) -> Status {
    log.fail(Level::Emerg, err, format_args!("malloc() failed"))
}

fn add(
    assigned: &mut Vec<Assigned>,
    entry: usize,
    number: usize,
    sock: Option<OwnedFd>,
    log: Log,
) -> Result {
    let added = Assigned {
        entry,
        number,
        sock,
        was_open: false,
    };

    heap::push(assigned, added).map_err(|err| no_memory(err, log))
}
