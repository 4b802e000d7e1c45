//! Listening sockets, as the program configures them.

pub use super::types::{ngx_connection_handler_pt, ngx_listening_s, ngx_listening_t};
use crate::channel::close;
use crate::table::role;
use std::ffi::c_int;
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};
use std::ptr;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::connection::{ngx_connection_t, ngx_free_connection, ngx_get_connection, watch};
use super::cycle::ngx_cycle_t;
use super::event::{flag, ngx_event_t};
use super::event_timer::ngx_event_add_timer;
use super::pidfile::errno_of;
use super::variables::{ngx_inherited, ngx_new_binary, ngx_parent};
use crate::config::AtomicUint;
use crate::host::globals::GLOBALS;
use crate::host::logs::log_of;
use crate::log::{Debug, Level, Log};
use crate::status::{Result, Status};
use crate::sys;
use crate::sys::listen::{self, Address, Failure};
use crate::sys::text::Text;

/// The length of a queue of connections that nobody has accepted yet.
pub const NGX_LISTEN_BACKLOG: c_int = 511;

/// How many connections this process has accepted.
static ACCEPTED: AtomicUint = AtomicUint::new(0);

impl ngx_listening_s {
    /// Its address.
    ///
    /// # Safety
    ///
    /// `address` is NULL or a string.
    pub unsafe fn parse(&self, log: Log) -> Result<Address> {
        // SAFETY: promised by the caller.
        let text = unsafe { Text::from_ptr(self.address) };

        text.bytes()
            .and_then(|bytes| str::from_utf8(bytes).ok())
            .and_then(Address::parse)
            .ok_or_else(|| {
                log.error(
                    Level::Emerg,
                    None,
                    format_args!(
                        "invalid address \"{text}\" to listen on, \
                         it takes a numeric host and a port or \"unix:PATH\""
                    ),
                );
                Status::Error
            })
    }

    /// Makes the socket, or takes it from those that are there already.
    ///
    /// # Safety
    ///
    /// `address` is NULL or a string.
    pub unsafe fn open(&mut self, log: Log, there: &mut Vec<OwnedFd>) -> Result {
        // SAFETY: promised by the caller.
        let address = unsafe { self.parse(log)? };

        if self.handler.is_none() {
            log.error(
                Level::Emerg,
                None,
                format_args!("no handler for connections to {address}"),
            );
            return Err(Status::Error);
        }

        self.connection = ptr::null_mut();

        if let Some(i) = there.iter().position(|fd| address.is_of(fd.as_raw_fd())) {
            self.fd = there.swap_remove(i).into_raw_fd();
            return Ok(());
        }

        let backlog = if self.backlog == 0 {
            NGX_LISTEN_BACKLOG
        } else {
            self.backlog
        };

        let sock = listen::open(&address, backlog)
            .map_err(|failure| not_open(log, &address, backlog, failure))?;

        self.fd = sock.into_raw_fd();

        Ok(())
    }

    /// Removes the file of a Unix socket, if this is the last binary that
    /// listens on it.
    ///
    /// # Safety
    ///
    /// `address` is NULL or a string.
    pub unsafe fn remove_file(&self, log: Log) {
        let old_binary_runs =
            ngx_inherited.load(Relaxed) != 0 && ngx_parent.load(Relaxed) == sys::process::getppid();

        if self.fd == -1
            || old_binary_runs
            || ngx_new_binary.load(Relaxed) > 0
            || !role::acts_as_master(&GLOBALS)
        {
            return;
        }

        // SAFETY: promised by the caller.
        if let Ok(address) = unsafe { self.parse(log) }
            && let Some(path) = address.path()
            && let Err(err) = std::fs::remove_file(path)
        {
            log.error(
                Level::Emerg,
                Some(errno_of(&err)),
                format_args!("unlink() {} failed", path.display()),
            );
        }
    }

    /// Closes the socket in this process.
    pub fn close(&mut self, log: Log) {
        let fd = std::mem::replace(&mut self.fd, -1);

        close::close_end(&GLOBALS, log, fd);
        self.connection = ptr::null_mut();
    }
}

/// nginx's text for each call.
fn not_open(log: Log, address: &Address, backlog: c_int, failure: Failure) -> Status {
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

/// Has the loop of a worker accept connections.
///
/// # Safety
///
/// `cycle` and its log are valid; `listening` lives as long as the worker.
pub unsafe fn accept_on(cycle: *mut ngx_cycle_t, listening: *mut ngx_listening_t) -> Result {
    // SAFETY: promised by the caller.
    unsafe {
        let c = ngx_get_connection((*listening).fd, (*cycle).log);

        if c.is_null() {
            return Err(Status::Error);
        }

        (*c).listening = listening;
        (*listening).connection = c;
        (*(*c).read).handler = Some(accept_handler);
        (*(*c).read).set(flag::ACCEPT, true);
        (*(*c).read).set(flag::ACTIVE, true);

        watch(c, log_of((*cycle).log))
    }
}

/// Without a descriptor to spare nothing is accepted for so many milliseconds.
const ACCEPT_DELAY: usize = 500;

/// # Safety
///
/// `ev` is the read event of a listening connection.
unsafe extern "C" fn accept_handler(ev: *mut ngx_event_t) {
    // SAFETY: promised by the caller.
    let (c, log) = unsafe { ((*ev).connection(), log_of((*ev).log())) };

    // SAFETY: the same.
    unsafe {
        if (*ev).take_timedout() {
            (*ev).set(flag::ACTIVE, true);
            let _ = watch(c, log);
            return;
        }
    }

    // SAFETY: the same.
    let accepted = unsafe { listen::accept((*c).fd) };

    match accepted {
        // SAFETY: the same.
        Ok(sock) => unsafe { new_connection(c, sock, log) },

        // Another worker was faster, or the other side has gone already.
        Err(Errno::EAGAIN) => {
            log.debug(Debug::Event, format_args!("accept() not ready"));
        }
        Err(err @ Errno::ECONNABORTED) => {
            log.error(Level::Err, Some(err), format_args!("accept4() failed"));
        }

        Err(err @ (Errno::EMFILE | Errno::ENFILE)) => {
            log.error(Level::Crit, Some(err), format_args!("accept4() failed"));

            // SAFETY: the same.
            unsafe {
                (*ev).set(flag::ACTIVE, false);
                let _ = watch(c, log);
                ngx_event_add_timer(ev, ACCEPT_DELAY);
            }
        }

        Err(err) => log.error(Level::Alert, Some(err), format_args!("accept4() failed")),
    }
}

/// # Safety
///
/// `listener` is a listening connection.
unsafe fn new_connection(listener: *mut ngx_connection_t, sock: OwnedFd, log: Log) {
    // SAFETY: promised by the caller.
    unsafe {
        let listening = (*listener).listening;
        let c = ngx_get_connection(sock.as_raw_fd(), (*listener).log);

        if c.is_null() {
            return;
        }

        let _ = sock.into_raw_fd();

        (*c).listening = listening;
        (*c).number = ACCEPTED.fetch_add(1, Relaxed) + 1;
        (*(*c).write).set(flag::READY, true);

        log.debug(
            Debug::Event,
            format_args!("*{} accept: fd:{}", (*c).number, (*c).fd),
        );

        match (*listening).handler {
            Some(handler) => handler(c),
            None => super::connection::ngx_close_connection(c),
        }
    }
}

/// Stops accepting in this process.
///
/// # Safety
///
/// `listening` is valid.
pub unsafe fn stop_accepting(listening: *mut ngx_listening_t, log: Log) {
    // SAFETY: promised by the caller.
    unsafe {
        ngx_free_connection((*listening).connection);
        (*listening).close(log);
    }
}
