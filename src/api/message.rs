//! [`MessageType`]: messages of one type between the processes of a program.

use std::ffi::{CStr, c_void};
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::time::Duration;

use super::address::{Peer, Set, To};
use super::error;
use super::exit::{guard, log};
use super::payload::{Payload, bytes_of, payload_of};
use super::request::{self, Outcome};
use super::thread;
use crate::host::messages::send;
use crate::host::messages::types::{ngx_ipc_message_t, ngx_ipc_message_type_t};
use crate::host::messages::{local, register};
use crate::host::standalone::message_loop;
use crate::log::Level;

/// A message that has arrived.
#[derive(Debug)]
pub struct Message<T> {
    payload: T,
    sender: Peer,
    request: usize,
}

impl<T> Message<T> {
    /// Returns the payload.
    #[must_use]
    pub fn payload(&self) -> &T {
        &self.payload
    }

    /// Returns the payload.
    #[must_use]
    pub fn into_payload(self) -> T {
        self.payload
    }

    /// Returns the process that has sent the message.
    #[must_use]
    pub fn sender(&self) -> Peer {
        self.sender
    }

    /// Returns true if the sender waits for a reply.
    #[must_use]
    pub fn is_request(&self) -> bool {
        self.request != 0
    }

    /// Replies to a request. The handler can keep the message and reply later.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] if the sender waits for no reply, and the errors
    /// of [`MessageType::send`].
    pub fn reply<R: Payload>(&self, value: &R) -> io::Result<()> {
        thread::claim()?;

        if !self.is_request() {
            return Err(io::ErrorKind::InvalidInput.into());
        }

        send::reply(self.sender.to().0, self.request, &bytes_of(value)).map_err(error::of_message)
    }
}

/// A type of messages with a payload of the type `T`.
///
/// A message is in shared memory, so the receiver need not run when it is sent. Messages
/// of one process to another arrive in their order. The receiver's event loop calls the
/// handler, so a process that does not run [`Worker::turn`](super::Worker::turn),
/// [`Program::turn`](super::Program::turn) or [`Program::wait`](super::Program::wait)
/// gets no messages.
///
/// ```
/// use ngx_ipc::api::{MessageType, Program, Set, To};
///
/// # fn main() -> std::io::Result<()> {
/// let program = Program::init()?;
///
/// // Types are registered before the first process is spawned, so each process has
/// // the handlers.
/// let sum = MessageType::<u64>::register(c"sum", |m| println!("sum: {}", m.payload()))?;
///
/// program.spawn(c"adder", move |_| sum.send(To::MASTER, &(1..=10).sum()))?;
/// program.wait()
/// # }
/// ```
pub struct MessageType<T> {
    // Invariant: the structure was registered, and is never freed.
    place: NonNull<ngx_ipc_message_type_t>,
    payload: PhantomData<fn(T)>,
}

impl<T> Clone for MessageType<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for MessageType<T> {}

impl<T: Payload> MessageType<T> {
    /// Registers a type of messages. `name` has at most 48 bytes, and all processes use
    /// the same name. `handler` is called for each message. It must not block.
    ///
    /// A panic of the handler is logged, and the process exits with the code 101. The
    /// library drops, with a warning in the log, a message that `T::decode` refuses.
    ///
    /// A program calls this function before it spawns its first process, or before
    /// [`Builder::run`](super::Builder::run). The type and the handler live as long as
    /// the program.
    ///
    /// # Errors
    ///
    /// Returns an error, with the reason in the log, if the name is empty, too long or
    /// registered already; if there are 256 types already; if there is no memory.
    pub fn register<H>(name: &'static CStr, handler: H) -> io::Result<Self>
    where
        H: Fn(Message<T>) + 'static,
    {
        thread::claim()?;

        let ctx = NonNull::from(Box::leak(Box::new(handler))).cast::<c_void>();
        let place = NonNull::from(Box::leak(Box::new(ngx_ipc_message_type_t {
            name: name.as_ptr(),
            handler: Some(handle::<T, H>),
            ctx: ctx.as_ptr(),
            flags: 0,
            number: 0,
        })));
        let size = size_of::<ngx_ipc_message_type_t>();

        message_loop::begin();

        // SAFETY: the structure has `size` bytes and is never freed, nor is its name.
        unsafe { register::register(message_loop::log(), place, size) }
            .map_err(|_| error::logged("the type was not registered, see the log"))?;
        local::follow_if_needed();

        Ok(Self {
            place,
            payload: PhantomData,
        })
    }

    /// Sends a message to one process. Does not wait.
    ///
    /// # Errors
    ///
    /// Nothing was sent. [`io::ErrorKind::WouldBlock`]: the memory of the receiver is
    /// full. The errno `ESRCH`: there is no such process; `EMSGSIZE`: the payload is
    /// too large; `ENOTSUP`: the program has no messages.
    pub fn send(&self, to: To, value: &T) -> io::Result<()> {
        thread::claim()?;
        send::send(self.place, to.0, &bytes_of(value)).map_err(error::of_message)
    }

    /// Sends a message to all processes of a set. Returns the number of processes to
    /// which it was sent. A process that has no room is left out.
    ///
    /// # Errors
    ///
    /// The errors of [`MessageType::send`], without `WouldBlock`.
    pub fn broadcast(&self, set: Set, value: &T) -> io::Result<usize> {
        thread::claim()?;
        send::broadcast(self.place, set.0, &bytes_of(value), None)
            .map(|sent| sent as usize)
            .map_err(error::of_message)
    }

    /// Sends a message to one process, and asks for a reply of the type `R`.
    ///
    /// The event loop calls `handler` with the outcome exactly once, within `timeout`
    /// and the time to handle the messages that wait then.
    ///
    /// # Errors
    ///
    /// The errors of [`MessageType::send`]. Then `handler` is not called.
    pub fn request<R, H>(&self, to: To, value: &T, timeout: Duration, handler: H) -> io::Result<()>
    where
        R: Payload,
        H: FnOnce(Outcome<R>) + 'static,
    {
        thread::claim()?;
        request::send(self.place, to, &bytes_of(value), timeout, handler)
    }
}

impl<T> fmt::Debug for MessageType<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageType").finish_non_exhaustive()
    }
}

/// Calls the handler of a type.
///
/// # Safety
///
/// `m` is a message of a type whose `ctx` points to an `H` that is never freed.
unsafe extern "C" fn handle<T: Payload, H: Fn(Message<T>)>(m: *mut ngx_ipc_message_t) {
    // SAFETY: the library passes a valid message, whose `ctx` is that of its type.
    let (message, handler) = unsafe { (&*m, &*(*m).ctx.cast::<H>()) };
    // SAFETY: the sender of a message is valid until the handler returns.
    let sender = Peer::new(unsafe { &*message.sender });

    guard(|| match payload_of(message) {
        Some(payload) => handler(Message {
            payload,
            sender,
            request: message.request,
        }),
        None => log(
            Level::Warn,
            format_args!(
                "dropped a message of {} bytes with no valid payload",
                message.len
            ),
        ),
    });
}
