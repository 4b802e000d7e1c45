//! Opens and closes listening sockets.

use std::ffi::c_int;
use std::os::fd::IntoRawFd;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::cycle::Cycle;
use super::left_files;
use super::listening::Listening;
use super::open_sockets::Assigned;
use super::variables::{ngx_inherited, ngx_new_binary, ngx_parent};
use crate::channel::close;
use crate::host::globals::GLOBALS;
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::address::Address;
use crate::sys::listen::{self, Failure, Kind, Options};
use crate::sys::{datagram, file, process, time, unix_socket};
use crate::table::role;

/// The number of times that the library tries to bind its sockets, as nginx does.
const TRIES: usize = 5;
/// Milliseconds between two tries.
const RETRY: usize = 500;

/// Opens the sockets of a new cycle. `assigned` has the sockets that are open
/// already. If another socket has an address, the function retries for a while,
/// because the socket can be that of a program that is just exiting.
///
/// Returns an error, with an emergency in the log, if a socket cannot be opened.
pub fn open(cycle: Cycle, mut assigned: Vec<Assigned>, log: Log) -> Result {
    for (ls, assigned) in cycle.listening().zip(&mut assigned) {
        if let Some(sock) = assigned.sock.take() {
            ls.set_fd(sock.into_raw_fd());
            ls.share_address(log);
            assigned.was_open = true;
        }
    }

    for _ in 0..TRIES {
        let mut in_use = false;

        for (ls, Assigned { entry, .. }) in cycle.listening().zip(&assigned) {
            if ls.fd() == -1 {
                in_use |= !ls.open(cycle.listening().nth(*entry), log)?;
            }
        }

        if !in_use {
            log_chosen_ports(cycle, &assigned);
            return Ok(());
        }

        log.error(
            Level::Notice,
            None,
            format_args!("try again to bind() after {RETRY}ms"),
        );
        time::pause(RETRY);
    }

    log.error(Level::Emerg, None, format_args!("still could not bind()"));

    Err(Status::Error)
}

/// Logs the ports that the kernel has chosen, to the log of the new configuration.
fn log_chosen_ports(cycle: Cycle, assigned: &[Assigned]) {
    for (ls, assigned) in cycle.listening().zip(assigned) {
        if let Some(address) = ls.address()
            && address.port() == Some(0)
            && assigned.number == 0
            && !assigned.was_open
        {
            cycle.log().error(
                Level::Notice,
                None,
                format_args!("the port of {address} is {}", ls.port()),
            );
        }
    }
}

/// Sets what can differ in a socket that a cycle has taken over, when the cycle is in
/// use: the backlog, and whether the kernel reports the local address of datagrams.
pub fn configure(cycle: Cycle) {
    for ls in cycle.listening() {
        let Some(address) = ls.address() else {
            continue;
        };
        let Options { kind, backlog, .. } = ls.options();
        let alert = |err, text| cycle.log().error(Level::Alert, Some(err), text);

        match kind {
            Kind::Stream => {
                if let Err(err) = listen::listen(ls.fd(), backlog) {
                    alert(
                        err,
                        format_args!("listen() to {address}, backlog {backlog} failed, ignored"),
                    );
                }
            }
            Kind::Datagram => {
                if let Err(err) = datagram::report_local_addresses(ls.fd()) {
                    alert(
                        err,
                        format_args!("setsockopt(IP_PKTINFO) {address} failed, ignored"),
                    );
                }
            }
        }
    }
}

impl Listening {
    /// Lets other sockets be bound to the address, if the configuration asks for
    /// it. An old configuration can have opened the socket without this option.
    fn share_address(self, log: Log) {
        if self.options().reuseport
            && let Err(err) = listen::share_address(self.fd())
            && let Some(address) = self.address()
        {
            log.error(
                Level::Alert,
                Some(err),
                format_args!("setsockopt(SO_REUSEPORT) {address} failed, ignored"),
            );
        }
    }

    /// Opens the socket of this address. `first` is the first socket of the same
    /// entry: if the kernel has chosen its port, this socket gets the same port.
    ///
    /// Returns false, with an emergency in the log, if another socket has the address.
    ///
    /// Returns an error, with an emergency in the log, if anything else fails.
    fn open(self, first: Option<Self>, log: Log) -> Result<bool> {
        let mut address = self.check(log)?;
        let options = self.options();

        if address.port() == Some(0) {
            address = address.with_port(first.map_or(0, Self::port));
        }

        match listen::open(address, options, self.rights(log)?) {
            Ok(sock) => self.set_fd(sock.into_raw_fd()),
            Err(failure) => {
                log_failure(log, address, options.backlog, failure);

                return match failure {
                    Failure::Bind(Errno::EADDRINUSE) | Failure::Listen(Errno::EADDRINUSE) => {
                        Ok(false)
                    }
                    _ => Err(Status::Error),
                };
            }
        }

        Ok(true)
    }

    /// Closes the descriptor of the socket in this process. Other processes
    /// keep their descriptors.
    pub fn close(self, log: Log) {
        let fd = self.fd();

        self.set_fd(-1);
        close::close_end(&GLOBALS, log, fd);
    }

    /// Removes the file of a Unix socket, which this process has closed. During an
    /// upgrade the file stays while the other binary has the socket too.
    pub fn remove_file(self, log: Log) {
        let old_binary_runs =
            ngx_inherited.load(Relaxed) != 0 && ngx_parent.load(Relaxed) == process::getppid();

        if old_binary_runs || ngx_new_binary.load(Relaxed) > 0 {
            self.remove_dead_file(log);
        } else {
            self.remove_file_by(file::remove, log);
        }
    }

    /// Removes the file of a Unix socket that no process has any more.
    pub fn remove_dead_file(self, log: Log) {
        self.remove_file_by(unix_socket::remove_dead, log);
    }

    fn remove_file_by(self, remove: fn(&Path) -> std::result::Result<(), Errno>, log: Log) {
        if let Some(path) = self.address().and_then(Address::path)
            && role::acts_as_master(&GLOBALS)
            && !left_files::has(path)
            && let Err(err) = remove(path)
        {
            log.error(
                Level::Emerg,
                Some(err),
                format_args!("unlink() {} failed", path.display()),
            );
        }
    }
}

/// Logs that a socket could not be opened. Each system call that can fail has
/// nginx's log text.
fn log_failure(log: Log, address: Address<'_>, backlog: c_int, failure: Failure) {
    let fail = |err, text| log.error(Level::Emerg, Some(err), text);

    match failure {
        Failure::Socket(err) => fail(err, format_args!("socket() {address} failed")),
        Failure::Option(name, err) => {
            fail(err, format_args!("setsockopt({name}) {address} failed"));
        }
        Failure::Bind(err) => fail(err, format_args!("bind() to {address} failed")),
        Failure::Listen(err) => fail(
            err,
            format_args!("listen() to {address}, backlog {backlog} failed"),
        ),
    }
}
