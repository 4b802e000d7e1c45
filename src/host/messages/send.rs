//! Sends messages for the functions that C calls.

use std::ffi::c_void;
use std::mem;
use std::os::fd::RawFd;
use std::ptr::NonNull;
use std::slice;

use nix::errno::Errno;

use super::attached::Attached;
use super::local::{self, Asked};
use super::register::kind_of;
use super::types::{ngx_ipc_load_t, ngx_ipc_message_type_t, ngx_ipc_to_t};
use super::{program, region, shared, watchers};
use crate::config::{NGX_AGAIN, NGX_DECLINED, NGX_ERROR, NGX_OK, ngx_int_t, ngx_uint_t};
use crate::message::layout::{CHUNK, Class};
use crate::message::letter::Refused;
use crate::message::peers::Peer;
use crate::messaging::address::{Address, Set};
use crate::messaging::kind::Kind;
use crate::sys::lock::Lock;
use crate::sys::{errno, heap};

/// The type that C passes.
pub(super) type Type = NonNull<ngx_ipc_message_type_t>;

/// Why a message was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The core has refused it.
    Refused(Refused),
    /// The type is not registered, or an argument is wrong.
    Invalid,
    /// The program has no messages.
    NoMessages,
    /// This process was a master that has given back its slot.
    HasLeft,
    /// A system call has failed.
    System(Errno),
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// The return code for C. Sets `errno`.
pub fn code(result: Result<(), Failure>) -> ngx_int_t {
    match result {
        Ok(()) => NGX_OK,
        Err(failure) => {
            let (code, err) = describe(failure);

            errno::set(err);
            code
        }
    }
}

pub(super) fn describe(failure: Failure) -> (ngx_int_t, Errno) {
    match failure {
        Failure::Refused(Refused::Again) => (NGX_AGAIN, Errno::EAGAIN),
        Failure::Refused(Refused::TooLarge) => (NGX_DECLINED, Errno::EMSGSIZE),
        Failure::Refused(Refused::Gone) => (NGX_ERROR, Errno::ESRCH),
        Failure::Refused(Refused::Reserved) => (NGX_ERROR, Errno::EBUSY),
        Failure::Refused(Refused::NoMemory) => (NGX_ERROR, Errno::ENOMEM),
        Failure::Invalid => (NGX_ERROR, Errno::EINVAL),
        Failure::NoMessages => (NGX_ERROR, Errno::ENOTSUP),
        Failure::HasLeft => (NGX_ERROR, Errno::ESHUTDOWN),
        Failure::System(err) => (NGX_ERROR, err),
    }
}

/// The payload that C passes.
///
/// # Safety
///
/// `data` has `len` bytes as long as the result is used, or is NULL.
pub unsafe fn payload<'a>(data: *const c_void, len: usize) -> Result<&'a [u8], Failure> {
    if len == 0 {
        return Ok(&[]);
    }

    let data = NonNull::new(data.cast_mut().cast::<u8>()).ok_or(Failure::Invalid)?;

    // SAFETY: `data` is not NULL, and the caller passes one with `len` bytes.
    Ok(unsafe { slice::from_raw_parts(data.as_ptr(), len) })
}

/// The set of processes that C names.
fn set(set: ngx_uint_t) -> Result<Set, Failure> {
    let set = u32::try_from(set).or(Err(Failure::Invalid))?;

    Set::new(set).ok_or(Failure::Invalid)
}

/// The address that C names.
pub(super) fn address(to: ngx_ipc_to_t) -> Result<Address, Failure> {
    Address::unpack(to).ok_or(Failure::Invalid)
}

/// Calls `use_it` with the exchange of this process.
pub(super) fn with<T>(
    use_it: impl FnOnce(&mut local::Own) -> Result<T, Refused>,
) -> Result<T, Failure> {
    let result = local::with(|own| {
        if own.is_master() {
            own.set_generation(region::generation());
        }

        use_it(own)
    });

    Ok(result.ok_or_else(no_exchange)??)
}

/// Why this process has no exchange.
fn no_exchange() -> Failure {
    if shared::has_left() {
        Failure::HasLeft
    } else if local::has_slot() {
        Failure::Refused(Refused::NoMemory)
    } else {
        Failure::NoMessages
    }
}

/// The kind of a registered type.
pub(super) fn kind(pointer: Type) -> Result<Kind, Failure> {
    if shared::get().is_none() {
        if let Some(program) = program::get() {
            (program.prepare)();
        }

        shared::get().ok_or(Failure::NoMessages)?;
    }

    kind_of(pointer).ok_or(Failure::Invalid)
}

/// Sends a copy of `payload` to one process.
pub fn send(pointer: Type, to: ngx_ipc_to_t, payload: &[u8]) -> Result<(), Failure> {
    let (kind, to) = (kind(pointer)?, address(to)?);

    with(|own| own.send(to, kind, payload))
}

/// Sends a copy of `payload` to the process of a set that has the key.
pub fn send_by_key(
    pointer: Type,
    to: ngx_uint_t,
    key: &[u8],
    payload: &[u8],
) -> Result<(), Failure> {
    let (kind, set) = (kind(pointer)?, set(to)?);

    with(|own| own.send_by_key(set, key, kind, payload))
}

/// Sends a copy of `payload` and of descriptors to one process.
pub fn send_fds(
    pointer: Type,
    to: ngx_ipc_to_t,
    payload: &[u8],
    fds: &[RawFd],
) -> Result<(), Failure> {
    let (kind, to) = (kind(pointer)?, address(to)?);
    let fds = Attached::new(kind, fds).ok_or(Failure::Invalid)?;
    let mut failed = None;

    let sent = with(|own| {
        own.for_address(to, kind.exact, |own, target| {
            fds.send(own, kind, target, payload, &mut failed)
        })
    });

    match (sent, failed) {
        (Err(_), Some(err)) => Err(Failure::System(err)),
        (sent, _) => sent,
    }
}

/// The address of the process of a set that has the key.
pub fn address_of_key(to: ngx_uint_t, key: &[u8]) -> Result<ngx_ipc_to_t, Failure> {
    let set = set(to)?;

    with(|own| own.address_of_key(set, key))
}

/// How much waits for a process.
pub fn load_of(to: ngx_ipc_to_t) -> Result<ngx_ipc_load_t, Failure> {
    let to = match address(to)? {
        Address::OneOf(_) => return Err(Failure::Invalid),
        to => to,
    };
    let load = with(|own| own.load_of(to))?;
    let bytes = |chunks: u32| chunks as usize * CHUNK as usize;

    Ok(ngx_ipc_load_t {
        messages: load.records as usize,
        used: bytes(load.own),
        limit: bytes(load.limit),
        memory_used: bytes(load.used),
        memory: bytes(load.all),
    })
}

/// Adds to the number of messages that this process has received and not handled.
pub fn add_unhandled(n: ngx_int_t) -> Result<(), Failure> {
    with(|own| {
        own.add_unhandled(n as i64);
        Ok(())
    })
}

/// Sends a request to one process. `asked` is told the outcome within
/// `milliseconds`.
pub fn request(
    pointer: Type,
    to: ngx_ipc_to_t,
    payload: &[u8],
    milliseconds: usize,
    asked: Asked,
) -> Result<(), Failure> {
    let (kind, to) = (kind(pointer)?, address(to)?);

    with(|own| own.request(to, kind, payload, milliseconds as u64, asked))
}

/// Replies to a request of the process `to`.
pub fn reply(to: ngx_ipc_to_t, request: ngx_uint_t, payload: &[u8]) -> Result<(), Failure> {
    let Address::Process(slot, incarnation) = address(to)? else {
        return Err(Failure::Invalid);
    };
    let number = u32::try_from(request)
        .ok()
        .filter(|&number| number != 0)
        .ok_or(Failure::Invalid)?;

    with(|own| own.reply((slot, incarnation), number, Class::Data, payload))
}

/// The processes that the last broadcast has missed.
static MISSED: Lock<Vec<ngx_ipc_to_t>> = Lock::new(Vec::new());

/// Sends a copy of `payload`, and of descriptors if there are some, to all
/// processes of a set. Returns to how many it was sent.
pub fn broadcast(
    pointer: Type,
    to: ngx_uint_t,
    payload: &[u8],
    fds: Option<&[RawFd]>,
) -> Result<u32, Failure> {
    let (kind, set) = (kind(pointer)?, set(to)?);
    let fds = fds
        .map(|fds| Attached::new(kind, fds).ok_or(Failure::Invalid))
        .transpose()?;
    let mut missed = missed_memory()?;
    let mut cause = None;
    let miss = |peer: Peer, refused| {
        // These concern all receivers. A receiver that is full or gone is only
        // missed.
        if matches!(refused, Refused::TooLarge | Refused::NoMemory) {
            cause = Some(Failure::Refused(refused));
        }

        // `missed_memory` has reserved the memory.
        let _ = heap::push(&mut missed, watchers::peer(&peer).to);
    };
    let mut failed = None;

    let sent = with(|own| match fds {
        None => own.broadcast(set, kind, payload, miss),
        Some(fds) => Ok(own.for_each_of(set, kind.exact, miss, |own, target| {
            fds.send(own, kind, target, payload, &mut failed)
        })),
    });

    *MISSED.lock() = missed;

    match (sent?, failed.map(Failure::System).or(cause)) {
        (0, Some(failure)) => Err(failure),
        (sent, _) => Ok(sent),
    }
}

/// The list of missed processes, empty, with room for all processes. So the list
/// of a broadcast is always complete.
fn missed_memory() -> Result<Vec<ngx_ipc_to_t>, Failure> {
    let slots = shared::get().map_or(0, |region| region.layout.sizes.slots as usize);
    let mut missed = mem::take(&mut *MISSED.lock());

    missed.clear();
    missed
        .try_reserve(slots)
        .or(Err(Failure::Refused(Refused::NoMemory)))?;

    Ok(missed)
}

/// The number of the worker with an address of this process and no other; `None` if
/// it is not a worker.
pub fn worker_of(to: ngx_ipc_to_t) -> Option<u32> {
    let Ok(Address::Process(slot, incarnation)) = address(to) else {
        return None;
    };

    local::with(|own| own.sender(slot, incarnation).identity.worker).flatten()
}

/// The processes that the last broadcast has missed, and their number. The
/// array is valid until the next broadcast.
pub fn missed() -> (*const ngx_ipc_to_t, usize) {
    let missed = MISSED.lock();

    (missed.as_ptr(), missed.len())
}
