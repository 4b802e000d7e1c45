//! [`Connection`]: a connection that a worker has accepted.

use std::ffi::c_void;
use std::fmt;
use std::io::{self, Read, Write};
use std::marker::PhantomData;
use std::mem;
use std::os::fd::{AsFd, BorrowedFd};
use std::ptr;

use super::exit::{guard, log};
use super::unsent::Unsent;
use crate::config::NGX_AGAIN;
use crate::host::standalone::connection::Connection as Handle;
use crate::host::standalone::types::{bit, flag, ngx_event_t};
use crate::host::standalone::watch;
use crate::log::Level;

/// The handler of a connection.
pub type Handler = Box<dyn FnMut(&mut Connection) -> io::Result<()>>;

/// The number of bytes that wait to be sent, from which on nothing more is read.
const FULL: usize = 64 * 1024;

/// A connection that a worker of a [`Server`](super::Server) has accepted.
///
/// The worker calls the handler of the connection when data has arrived. Reading does
/// not wait: [`io::ErrorKind::WouldBlock`] says that no data has arrived yet, or that
/// the client must first receive what waits to be sent. A handler returns this error,
/// and is called again later: also if it has not read all that has arrived. Writing never
/// blocks: the connection keeps what the socket does not take, and sends it later.
///
/// A connection belongs to the thread of its worker, so it is not [`Send`]:
///
/// ```compile_fail,E0277
/// fn is_send<T: Send>() {}
///
/// is_send::<ngx_ipc::api::Connection>();
/// ```
pub struct Connection {
    // Invariant: the connection is open as long as this value lives.
    handle: Handle,
    /// What the socket has not taken yet.
    unsent: Unsent,
    /// Whether `read` has refused to read because too much is unsent: then the handler
    /// waits, although more data can have arrived.
    has_refused: bool,
    // `*mut ()` makes the type neither Send nor Sync: only one thread uses the library.
    one_thread: PhantomData<*mut ()>,
}

/// A connection and its handler, the field `data` of the C structure.
struct State {
    connection: Connection,
    handler: Handler,
    /// Whether the handler has returned `Ok`: the connection is closed when all is sent.
    is_finished: bool,
}

/// What a worker does with a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Wait,
    Close,
}

impl Connection {
    /// Returns true if the worker shuts down gracefully. The handler answers what has
    /// arrived; the worker closes the connection when the handler waits.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.handle.has(bit::CLOSE)
    }

    /// Returns the number of the connection, which each log line about it begins with.
    #[must_use]
    pub fn number(&self) -> usize {
        self.handle.number()
    }

    /// Sends what the socket has not taken. Returns true if nothing is left.
    fn send_unsent(&mut self) -> io::Result<bool> {
        let sent = send(self.handle, self.unsent.rest())?;

        self.unsent.remove(sent);
        Ok(self.unsent.is_empty())
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }

        if self.unsent.len() >= FULL && !self.send_unsent()? {
            self.has_refused = true;
            return Err(io::ErrorKind::WouldBlock.into());
        }

        let c = self.handle.as_ptr();

        // SAFETY: the connection is open (the type's invariant) and its function
        // receives into the buffer, which has this length.
        let received = unsafe {
            (*c).recv
                .map(|recv| recv(c, buffer.as_mut_ptr(), buffer.len()))
        };

        match received {
            Some(NGX_AGAIN) => Err(io::ErrorKind::WouldBlock.into()),
            // `recv` sets errno, as `recv(2)` does.
            Some(received) => usize::try_from(received).map_err(|_| io::Error::last_os_error()),
            None => Ok(0),
        }
    }
}

impl Write for Connection {
    /// Takes all bytes.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = match self.unsent.is_empty() {
            true => send(self.handle, bytes)?,
            false => 0,
        };

        self.unsent.push(bytes.get(sent..).unwrap_or_default());
        Ok(bytes.len())
    }

    /// Does nothing: the worker sends what waits.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the descriptor is open as long as `self` lives (the type's
        // invariant).
        unsafe { BorrowedFd::borrow_raw(self.handle.fd()) }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("number", &self.number())
            .field("fd", &self.handle.fd())
            .field("unsent", &self.unsent.len())
            .finish()
    }
}

/// Sends as many of `bytes` as the socket takes, and returns their number.
fn send(handle: Handle, bytes: &[u8]) -> io::Result<usize> {
    let c = handle.as_ptr();
    let mut rest = bytes;

    while !rest.is_empty() {
        // SAFETY: callers pass the handle of an open connection, and its function
        // sends the bytes, which have this length.
        let sent = unsafe {
            (*c).send
                .map(|send| send(c, rest.as_ptr().cast_mut(), rest.len()))
        };

        match sent {
            Some(NGX_AGAIN) | None => break,
            Some(sent) => {
                // `send` sets errno, as `send(2)` does.
                let sent = usize::try_from(sent).map_err(|_| io::Error::last_os_error())?;

                rest = rest.get(sent..).unwrap_or_default();
            }
        }
    }

    Ok(bytes.len() - rest.len())
}

/// Serves a new connection with `handler`.
pub fn accept(handle: Handle, handler: Handler) {
    handle.read().set_handler(Some(on_event));
    handle.write().set_handler(Some(on_event));

    serve(Box::new(State {
        connection: Connection {
            handle,
            unsent: Unsent::default(),
            has_refused: false,
            one_thread: PhantomData,
        },
        handler,
        is_finished: false,
    }));
}

/// Handles both events of a connection.
///
/// # Safety
///
/// `ev` is an event of a connection that [`accept`] serves.
unsafe extern "C" fn on_event(ev: *mut ngx_event_t) {
    // SAFETY: the event loop calls this function with an event of a connection.
    let Some(handle) = (unsafe { Handle::of_event(ev) }) else {
        return;
    };
    let c = handle.as_ptr();

    // SAFETY: the connection is open, because the event loop calls its handlers. `data`
    // is NULL or the box that `serve` has stored there. It is NULL while the handler
    // runs, so the box has one owner.
    let state = unsafe {
        let data: *mut c_void = mem::replace(&mut (*c).data, ptr::null_mut());

        (!data.is_null()).then(|| Box::from_raw(data.cast::<State>()))
    };

    if let Some(state) = state {
        serve(state);
    }
}

/// Runs the handler of a connection, and then waits for an event or closes the
/// connection.
fn serve(state: Box<State>) {
    // Not only the handler is the program's code: its error is printed, and it is
    // dropped.
    guard(|| run_and_wait(state));
}

fn run_and_wait(mut state: Box<State>) {
    let handle = state.connection.handle;

    handle.clear(bit::IDLE);

    let next = state.run().unwrap_or_else(|err| {
        log(Level::Info, format_args!("connection closed: {err}"));
        Next::Close
    });

    if next == Next::Wait && state.wait_for_events() {
        // SAFETY: the connection is open, and its `data` is NULL, so no box is lost.
        unsafe { (*handle.as_ptr()).data = Box::into_raw(state).cast() };
    } else {
        drop(state);
        handle.close();
    }
}

impl State {
    /// Sends what waits, and then calls the handler.
    fn run(&mut self) -> io::Result<Next> {
        if !self.connection.send_unsent()? {
            return Ok(self.waits_for_client());
        }

        self.connection.has_refused = false;

        if !self.is_finished {
            match (self.handler)(&mut self.connection) {
                Ok(()) => self.is_finished = true,
                Err(err) if err.kind() == io::ErrorKind::WouldBlock => {}
                Err(err) => return Err(err),
            }
        }

        if !self.connection.send_unsent()? {
            return Ok(self.waits_for_client());
        }

        self.connection.handle.set(bit::IDLE);

        let has_read_all = self.connection.is_closing() && !self.connection.has_refused;

        match self.is_finished || has_read_all {
            true => Ok(Next::Close),
            false => Ok(Next::Wait),
        }
    }

    /// Waits until the client receives. After `shutdown_timeout` the worker gives up.
    fn waits_for_client(&self) -> Next {
        match self.connection.handle.has(bit::ERROR) {
            true => Next::Close,
            false => Next::Wait,
        }
    }

    /// Makes the event loop watch the connection. Returns false if it cannot.
    fn wait_for_events(&self) -> bool {
        let handle = self.connection.handle;

        // The handler can have left data in the socket, or `read` has refused to read
        // it. The event is level-triggered, so the event loop reports this data again.
        // While something is unsent, it would report the data in each round, and the
        // handler would not be called.
        if self.connection.unsent.is_empty() {
            handle.read().clear(flag::READY);
        }

        watch::update(handle, handle.read()).is_ok()
            && watch::update(handle, handle.write()).is_ok()
    }
}
