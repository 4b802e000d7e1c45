//! Opens and closes listening sockets.

use std::ffi::c_int;
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};
use std::sync::atomic::Ordering::Relaxed;

use super::listening::Listening;
use super::variables::{ngx_inherited, ngx_new_binary, ngx_parent};
use crate::channel::close;
use crate::host::globals::GLOBALS;
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::listen::{self, Address, Failure};
use crate::sys::{file, process};
use crate::table::role;

impl Listening {
    /// Opens the socket of this address. If `sockets`, which are open already,
    /// has a socket that is bound to the address, the function takes that
    /// socket out of `sockets` instead.
    ///
    /// Returns an error, with an emergency in the log, if anything fails.
    pub fn open(self, log: Log, sockets: &mut Vec<OwnedFd>) -> Result {
        let address = self.address(log)?;

        if self.handler().is_none() {
            log.error(
                Level::Emerg,
                None,
                format_args!("no handler for connections to {address}"),
            );
            return Err(Status::Error);
        }

        let sock = match sockets.iter().position(|fd| address.is_of(fd.as_raw_fd())) {
            Some(i) => sockets.swap_remove(i),
            None => listen::open(address, self.backlog())
                .map_err(|failure| log_failure(log, address, self.backlog(), failure))?,
        };

        self.set_fd(sock.into_raw_fd());

        Ok(())
    }

    /// Closes the descriptor of the socket in this process. Other processes
    /// keep their descriptors.
    pub fn close(self, log: Log) {
        let fd = self.fd();

        self.set_fd(-1);
        close::close_end(&GLOBALS, log, fd);
    }

    /// Removes the file of a Unix socket, unless another binary of this program
    /// listens on the socket too, during an upgrade.
    pub fn remove_file(self, log: Log) {
        let old_binary_runs =
            ngx_inherited.load(Relaxed) != 0 && ngx_parent.load(Relaxed) == process::getppid();

        if self.fd() == -1
            || old_binary_runs
            || ngx_new_binary.load(Relaxed) > 0
            || !role::acts_as_master(&GLOBALS)
        {
            return;
        }

        if let Ok(address) = self.address(log)
            && let Some(path) = address.path()
            && let Err(err) = file::remove(path)
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
fn log_failure(log: Log, address: Address<'_>, backlog: c_int, failure: Failure) -> Status {
    let fail = |err, text: std::fmt::Arguments<'_>| log.fail(Level::Emerg, err, text);

    match failure {
        Failure::Socket(err) => fail(err, format_args!("socket() {address} failed")),
        Failure::ReuseAddr(err) => fail(
            err,
            format_args!("setsockopt(SO_REUSEADDR) {address} failed"),
        ),
        Failure::Bind(err) => fail(err, format_args!("bind() to {address} failed")),
        Failure::Listen(err) => fail(
            err,
            format_args!("listen() to {address}, backlog {backlog} failed"),
        ),
    }
}
