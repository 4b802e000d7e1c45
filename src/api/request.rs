//! Requests: messages that are answered.

use std::ffi::c_void;
use std::io;
use std::ptr::NonNull;
use std::time::Duration;

use super::address::{Peer, To};
use super::error;
use super::exit::guard;
use super::payload::{Payload, payload_of};
use crate::config::{ngx_msec_t, ngx_uint_t};
use crate::host::messages::local::Asked;
use crate::host::messages::send;
use crate::host::messages::types::{
    NGX_IPC_REPLIED, NGX_IPC_TOO_LATE, ngx_ipc_message_t, ngx_ipc_message_type_t,
};

/// The outcome of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome<R> {
    /// The process has replied.
    Replied(R),
    /// The process has replied with bytes that `R::decode` refuses.
    Invalid(Peer),
    /// No reply has come in time.
    TooLate,
    /// The process has died before it has replied.
    Died,
}

/// Sends a request. `handler` is called exactly once if the result is `Ok`.
pub fn send<R, H>(
    place: NonNull<ngx_ipc_message_type_t>,
    to: To,
    payload: &[u8],
    timeout: Duration,
    handler: H,
) -> io::Result<()>
where
    R: Payload,
    H: FnOnce(Outcome<R>) + 'static,
{
    let timeout = ngx_msec_t::try_from(timeout.as_millis()).unwrap_or(ngx_msec_t::MAX);
    let data = Box::into_raw(Box::new(handler));
    let asked = Asked {
        handler: Some(answered::<R, H>),
        data: data.cast(),
    };

    send::request(place, to.0, payload, timeout, asked).map_err(|failure| {
        // SAFETY: nothing was sent, so `answered` is not called with `data`.
        drop(unsafe { Box::from_raw(data) });
        error::of_message(failure)
    })
}

/// Calls the handler of a request with the outcome.
///
/// # Safety
///
/// `ctx` is the box of an `H`, and this function is called once with it. `reply` is
/// NULL or valid.
unsafe extern "C" fn answered<R: Payload, H: FnOnce(Outcome<R>)>(
    ctx: *mut c_void,
    outcome: ngx_uint_t,
    reply: *mut ngx_ipc_message_t,
) {
    // SAFETY: the library calls this function once with the box of an `H`.
    let handler = unsafe { Box::from_raw(ctx.cast::<H>()) };
    // SAFETY: the library passes NULL or a reply that is valid until this function
    // returns.
    let reply = unsafe { reply.as_ref() };

    guard(|| {
        handler(match (outcome, reply) {
            (NGX_IPC_REPLIED, Some(reply)) => match payload_of(reply) {
                Some(value) => Outcome::Replied(value),
                // SAFETY: the sender of a reply is valid as long as the reply.
                None => Outcome::Invalid(Peer::new(unsafe { &*reply.sender })),
            },
            (NGX_IPC_TOO_LATE, _) => Outcome::TooLate,
            _ => Outcome::Died,
        });
    });
}
