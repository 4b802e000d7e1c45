//! [`Listening`], a safe handle for C's `ngx_listening_t`.

use std::ffi::{CStr, c_char, c_int};
use std::os::fd::RawFd;
use std::ptr::{self, NonNull};

pub use super::types::{ngx_connection_handler_pt, ngx_listening_s, ngx_listening_t};
use super::types::{ngx_connection_t, ngx_log_t};
use crate::config::ngx_str_t;
use crate::host::sized;
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::address::Address;
use crate::sys::listen::{Kind, Options};
use crate::sys::text::Text;
use crate::sys::unix_socket::Rights;
use crate::sys::user;

/// The default length of the queue of connections that are not accepted yet,
/// see listen(2).
pub const NGX_LISTEN_BACKLOG: c_int = 511;

/// The permissions of a Unix socket's file, if the program chooses none: every user may
/// connect, as with nginx.
const DEFAULT_MODE: u32 = 0o666;

/// An address whose fields have their defaults. A program with older headers
/// cannot set the newer fields.
pub const DEFAULTS: ngx_listening_t = ngx_listening_t {
    address: ptr::null(),
    handler: None,
    backlog: 0,
    fd: -1,
    connection: ptr::null_mut(),
    ipv6only: 0,
    port: 0,
    reuseport: 0,
    worker: 0,
    r#type: 0,
    mode: 0,
    username: ptr::null(),
    groupname: ptr::null(),
    sockaddr: ptr::null_mut(),
    addr_text: ngx_str_t::empty(),
    logp: ptr::null_mut(),
    socklen: 0,
    open: 0,
    listen: 0,
    addr_ntop: 0,
    previous: ptr::null_mut(),
};

/// An address that the program listens on, and its socket.
///
/// Invariant: the pointer points to a live `ngx_listening_t` of this program,
/// which has `size` bytes, and so at least the fields of version 0.1. The
/// structure stays at its address as long as a handle is used, and only one
/// thread uses the structure.
#[derive(Clone, Copy, Debug)]
pub struct Listening {
    place: NonNull<ngx_listening_t>,
    size: usize,
}

impl PartialEq for Listening {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl Eq for Listening {}

impl Listening {
    /// Makes a handle of C's pointer `listening`; `None` if `listening` is
    /// NULL.
    ///
    /// # Safety
    ///
    /// `listening` is NULL or points to a structure of `size` bytes, which is
    /// the size in the headers of the program or less, and at least the size in
    /// version 0.1. The structure stays alive as long as the result and its
    /// copies are used, in one thread. The address in the structure is NULL or a
    /// NUL-terminated string that lives as long as the structure.
    pub unsafe fn from_ptr(listening: *mut ngx_listening_t, size: usize) -> Option<Self> {
        NonNull::new(listening).map(|place| Self { place, size })
    }

    /// The pointer to the structure, for C.
    pub fn as_ptr(self) -> *mut ngx_listening_t {
        self.place.as_ptr()
    }

    /// A copy of the structure. Fields that the program's structure does not have
    /// are defaults.
    fn read(self) -> ngx_listening_t {
        // SAFETY: the structure is alive and has `size` bytes (the type's
        // invariant), and in each version it ends with a field.
        unsafe { sized::read(self.as_ptr(), self.size, DEFAULTS) }
    }

    /// Changes the fields that the program's structure has.
    fn update(self, change: impl FnOnce(&mut ngx_listening_t)) {
        let mut value = self.read();
        let known = self.size.min(size_of::<ngx_listening_t>());

        change(&mut value);

        // SAFETY: the structure is alive and has `known` bytes (the type's
        // invariant), and `value` is a separate variable.
        unsafe { sized::write(self.as_ptr(), known, &value) };
    }

    /// Calls `change` to replace each text.
    pub fn change_texts(self, mut change: impl FnMut(&mut *const c_char)) {
        self.update(|listening| {
            change(&mut listening.address);
            change(&mut listening.username);
            change(&mut listening.groupname);
        });
    }

    /// The address to listen on; `None` if it cannot be parsed. The text of the
    /// address must stay as it is for `'a`: it belongs to the program, or to the
    /// copy that `Draft::copy_texts` has made.
    pub fn address<'a>(self) -> Option<Address<'a>> {
        let address = self.read().address;

        (!address.is_null())
            // SAFETY: the address is not NULL, so it is a string that lives as
            // long as the structure, as `from_ptr` requires.
            .then(|| unsafe { CStr::from_ptr(address) }.to_bytes())
            .and_then(|bytes| str::from_utf8(bytes).ok())
            .and_then(Address::parse)
    }

    /// Checks what the program has set.
    ///
    /// Returns the address. Returns an error, with an emergency in the log, if the
    /// address cannot be parsed, or if there is no handler.
    pub fn check<'a>(self, log: Log) -> Result<Address<'a>> {
        let refuse = |text: std::fmt::Arguments<'_>| {
            log.error(Level::Emerg, None, text);
            Status::Error
        };
        let listening = self.read();

        if listening.address.is_null() {
            return Err(refuse(format_args!("a listening socket has no address")));
        }

        // SAFETY: the address is a string that lives as long as the structure, as
        // `from_ptr` requires.
        let text = unsafe { Text::from_ptr(listening.address) };

        let address = self.address().ok_or_else(|| {
            refuse(format_args!(
                "invalid address \"{text}\" to listen on, it takes \"IPV4:PORT\", \
                 \"[IPV6]:PORT\", \"*:PORT\", \"PORT\", \"unix:PATH\", \"unix:@NAME\", \
                 \"fd:NUMBER\" or \"fdname:NAME\""
            ))
        })?;

        if listening.handler.is_none() {
            return Err(refuse(format_args!(
                "no handler for connections to {address}"
            )));
        }

        if kind_of(&listening).is_none() {
            return Err(refuse(format_args!(
                "invalid type {} of {address}, it is SOCK_STREAM or SOCK_DGRAM",
                listening.r#type
            )));
        }

        check_values(&listening, address, log)?;

        Ok(address)
    }

    /// How the socket listens.
    pub fn options(self) -> Options {
        let listening = self.read();

        Options {
            kind: kind_of(&listening).unwrap_or(Kind::Stream),
            backlog: match listening.backlog {
                0 => NGX_LISTEN_BACKLOG,
                backlog => backlog,
            },
            ipv6only: listening.ipv6only >= 0,
            // The kernel has this option for IPv4 and IPv6 only.
            reuseport: listening.reuseport != 0 && matches!(self.address(), Some(Address::Inet(_))),
        }
    }

    /// Who may connect to a Unix socket.
    ///
    /// Returns an error, with an emergency in the log, if there is no such user or
    /// group.
    pub fn rights(self, log: Log) -> Result<Rights> {
        let listening = self.read();
        // SAFETY: the names are NULL or strings that live as long as the structure, as
        // `from_ptr` requires.
        let [username, groupname] = [listening.username, listening.groupname]
            .map(|name| (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) }));
        let refuse = |kind: &str, name: &CStr, err| {
            let name = name.to_bytes().escape_ascii();

            log.fail(
                Level::Emerg,
                err,
                format_args!("{kind} \"{name}\" not found"),
            )
        };

        Ok(Rights {
            mode: match listening.mode {
                0 => DEFAULT_MODE,
                mode => u32::try_from(mode).unwrap_or(u32::MAX),
            },
            user: username
                .map(|name| user::find_user(name).map_err(|err| refuse("user", name, err)))
                .transpose()?
                .map(|(user, _)| user),
            group: groupname
                .map(|name| user::find_group(name).map_err(|err| refuse("group", name, err)))
                .transpose()?,
        })
    }

    /// The function that a worker calls for each new connection.
    pub fn handler(self) -> ngx_connection_handler_pt {
        self.read().handler
    }

    /// The descriptor of the socket; -1 if the socket is not open.
    pub fn fd(self) -> RawFd {
        self.read().fd
    }

    /// Sets the descriptor of the socket. No connection accepts from the socket
    /// yet.
    pub fn set_fd(self, fd: RawFd) {
        let port = Address::of(fd).map_or(0, |address| address.port());

        self.update(|listening| {
            listening.fd = fd;
            listening.port = port.into();
            listening.connection = ptr::null_mut();
            listening.open = (fd != -1).into();
            listening.listen = listening.open;
        });
    }

    /// Sets the name of the socket: its address, of `len` bytes, and the text of the
    /// address. The memory lives as long as the structure.
    pub fn set_name(self, address: *mut libc::sockaddr, len: libc::socklen_t, text: ngx_str_t) {
        self.update(|listening| {
            listening.sockaddr = address;
            listening.socklen = len;
            listening.addr_text = text;
        });
    }

    /// Sets the log for lines about the socket.
    pub fn set_log(self, log: *mut ngx_log_t) {
        self.update(|listening| listening.logp = log);
    }

    /// Sets the number of the socket among those of its address.
    pub fn set_number(self, number: usize) {
        self.update(|listening| listening.worker = number);
    }

    /// Whether the worker with the number `worker`, of `workers`, accepts from the
    /// socket. After a reload with fewer workers there are more sockets than
    /// workers. Each of these sockets still has a worker, because connections can
    /// wait in it.
    pub fn is_of(self, worker: usize, workers: usize) -> bool {
        !self.options().reuseport || self.read().worker % workers.max(1) == worker
    }

    /// The port to which the socket is bound; 0 if it has none.
    pub fn port(self) -> u16 {
        Address::of(self.fd()).map_or(0, |address| address.port())
    }

    /// C's pointer to the connection with which this process accepts from the
    /// socket, or NULL.
    pub fn connection_ptr(self) -> *mut ngx_connection_t {
        self.read().connection
    }

    /// Stores C's pointer to the connection with which this process accepts
    /// from the socket.
    pub fn set_connection_ptr(self, c: *mut ngx_connection_t) {
        self.update(|listening| listening.connection = c);
    }
}

/// What a socket of the type in `listening` receives; `None` if the library has no
/// such sockets.
fn kind_of(listening: &ngx_listening_t) -> Option<Kind> {
    match c_int::try_from(listening.r#type) {
        Ok(0 | libc::SOCK_STREAM) => Some(Kind::Stream),
        Ok(libc::SOCK_DGRAM) => Some(Kind::Datagram),
        _ => None,
    }
}

/// Checks the numbers that the program has set in `listening`.
///
/// Returns an error, with an emergency in the log, if a number is invalid.
fn check_values(listening: &ngx_listening_t, address: Address<'_>, log: Log) -> Result {
    /// The largest permissions of a file, `chmod(2)`.
    const MOST_MODE: usize = 0o777;

    for (name, value, least, most) in [
        (
            "backlog",
            i64::from(listening.backlog),
            0,
            i64::from(c_int::MAX),
        ),
        ("ipv6only", listening.ipv6only as i64, -1, 1),
        ("reuseport", listening.reuseport as i64, 0, 1),
    ] {
        if !(least..=most).contains(&value) {
            log.error(
                Level::Emerg,
                None,
                format_args!("invalid {name} {value} of {address}, it is {least} to {most}"),
            );
            return Err(Status::Error);
        }
    }

    let mode = listening.mode;

    if mode > MOST_MODE {
        // Octal numbers, as chmod(1) takes them.
        log.error(
            Level::Emerg,
            None,
            format_args!("invalid mode 0{mode:o} of {address}, it is 0 to 0{MOST_MODE:o}"),
        );
        return Err(Status::Error);
    }

    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::standalone::addresses::FIRST_SIZE;

    /// A program with the headers of version 0.1 has no newer fields. They are
    /// defaults, and the library does not write there.
    #[test]
    fn newer_fields_of_an_older_program_are_left_alone() {
        let mut memory = [DEFAULTS, DEFAULTS];
        let place = memory.as_mut_ptr();

        // SAFETY: the memory has the size of two structures.
        let (behind, size) = unsafe {
            let behind = place.cast::<u8>().add(FIRST_SIZE);
            let size = size_of_val(&memory) - FIRST_SIZE;

            place.cast::<u8>().write_bytes(0, FIRST_SIZE);
            behind.write_bytes(0xa5, size);
            (behind, size)
        };
        // SAFETY: the structure has `FIRST_SIZE` bytes, and NULL as its address.
        let ls = unsafe { Listening::from_ptr(place, FIRST_SIZE) }.unwrap();

        ls.set_fd(7);
        ls.set_number(3);
        assert_eq!((ls.fd(), ls.read().worker), (7, 0));
        assert!(ls.options().ipv6only && !ls.options().reuseport);
        assert_eq!(ls.options().backlog, NGX_LISTEN_BACKLOG);

        // SAFETY: `behind` has `size` bytes, all of which are initialised.
        let behind = unsafe { std::slice::from_raw_parts(behind, size) };

        assert!(behind.iter().all(|&byte| byte == 0xa5));
    }
}
