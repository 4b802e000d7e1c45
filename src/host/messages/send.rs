//! Sends messages for the functions that C calls.

use std::mem;
use std::os::fd::RawFd;
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicUsize};

use nix::errno::Errno;

use super::descriptors::{self, Label};
use super::local::{self, Asked};
use super::register::kind_of;
use super::types::{ngx_ipc_message_type_t, ngx_ipc_to_t};
use super::{deliver, region, shared};
use crate::config::{NGX_AGAIN, NGX_DECLINED, NGX_ERROR, NGX_OK, ngx_int_t, ngx_uint_t};
use crate::message::layout::Class;
use crate::message::letter::{Refused, Reservation};
use crate::message::memory::Memory;
use crate::messaging::address::{Address, Set};
use crate::messaging::kind::WITH_DESCRIPTORS;
use crate::sys::descriptors::MAX;
use crate::sys::lock::Lock;
use crate::sys::{errno, heap};

/// The type that C passes.
type Type = NonNull<ngx_ipc_message_type_t>;

/// Why a message was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The core has refused it.
    Refused(Refused),
    /// The type is not registered, or an argument is wrong.
    Invalid,
    /// The program has no messages.
    NoMessages,
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

fn describe(failure: Failure) -> (ngx_int_t, Errno) {
    match failure {
        Failure::Refused(Refused::Again) => (NGX_AGAIN, Errno::EAGAIN),
        Failure::Refused(Refused::TooLarge) => (NGX_DECLINED, Errno::EMSGSIZE),
        Failure::Refused(Refused::Gone) => (NGX_ERROR, Errno::ESRCH),
        Failure::Refused(Refused::Reserved) => (NGX_ERROR, Errno::EBUSY),
        Failure::Refused(Refused::NoMemory) => (NGX_ERROR, Errno::ENOMEM),
        Failure::Invalid => (NGX_ERROR, Errno::EINVAL),
        Failure::NoMessages => (NGX_ERROR, Errno::ENOTSUP),
        Failure::System(err) => (NGX_ERROR, err),
    }
}

/// The set of processes that C names.
fn set(set: ngx_uint_t) -> Set {
    Set(set as u32)
}

fn address(to: ngx_ipc_to_t) -> Result<Address, Failure> {
    Address::unpack(to).ok_or(Failure::Invalid)
}

/// Calls `use_it` with the exchange of this process.
fn with<T>(use_it: impl FnOnce(&mut local::Own) -> Result<T, Refused>) -> Result<T, Failure> {
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
    if local::has_slot() {
        Failure::Refused(Refused::NoMemory)
    } else {
        Failure::NoMessages
    }
}

/// The kind of a registered type.
fn kind(of: Type) -> Result<crate::messaging::kind::Kind, Failure> {
    if shared::get().is_none() {
        return Err(Failure::NoMessages);
    }

    kind_of(of).ok_or(Failure::Invalid)
}

/// Sends a copy of `payload` to one process.
pub fn send(of: Type, to: ngx_ipc_to_t, payload: &[u8]) -> Result<(), Failure> {
    let (kind, to) = (kind(of)?, address(to)?);

    with(|own| own.send(to, kind, payload))
}

/// Sends a copy of `payload` to the process of a set that has the key.
pub fn send_by_key(of: Type, to: ngx_uint_t, key: &[u8], payload: &[u8]) -> Result<(), Failure> {
    let kind = kind(of)?;

    with(|own| own.send_by_key(set(to), key, kind, payload))
}

/// Sends a copy of `payload` and of descriptors to one process.
pub fn send_fds(of: Type, to: ngx_ipc_to_t, payload: &[u8], fds: &[RawFd]) -> Result<(), Failure> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);

    let (kind, to) = (kind(of)?, address(to)?);

    if !kind.descriptors || fds.is_empty() || fds.len() > MAX {
        return Err(Failure::Invalid);
    }

    let count = NUMBER.fetch_add(1, Relaxed) & 0xffff;
    let (reservation, label) = with(|own| {
        let mut reservation = own.reserve(to, kind, payload.len())?;
        let member = own.endpoint().member();

        member.memory.write(reservation.payload(), payload);

        let number = (member.incarnation << 16 | count) & (WITH_DESCRIPTORS - 1);

        reservation.envelope.user = number | WITH_DESCRIPTORS;

        let label = Label {
            slot: member.slot,
            number,
        };

        Ok((reservation, label))
    })?;

    let sent = descriptors::send(reservation.receiver, label, fds);

    with(|own| {
        match sent {
            Ok(()) => own.commit(reservation, payload.len() as u32),
            Err(_) => own.endpoint().cancel(reservation),
        }

        Ok(())
    })?;

    sent.map_err(|err| match err {
        // ETOOMANYREFS: too many descriptors of this user are on the way.
        Errno::EAGAIN | Errno::ETOOMANYREFS => Failure::Refused(Refused::Again),
        err => Failure::System(err),
    })
}

/// Sends a request to one process. `asked` is told the outcome within
/// `milliseconds`.
pub fn request(
    of: Type,
    to: ngx_ipc_to_t,
    payload: &[u8],
    milliseconds: usize,
    asked: Asked,
) -> Result<(), Failure> {
    let (kind, to) = (kind(of)?, address(to)?);

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

/// Sends a copy of `payload` to all processes of a set. Returns to how many it
/// was sent.
pub fn broadcast(of: Type, to: ngx_uint_t, payload: &[u8]) -> Result<u32, Failure> {
    let kind = kind(of)?;
    let mut missed = missed_memory()?;
    let mut cause = None;

    let sent = with(|own| {
        own.broadcast(set(to), kind, payload, |peer, refused| {
            // These concern all receivers. A receiver that is full or gone is only
            // missed.
            if matches!(refused, Refused::TooLarge | Refused::NoMemory) {
                cause = Some(refused);
            }

            // `missed_memory` has reserved the memory.
            let _ = heap::push(&mut missed, deliver::peer(&peer).to);
        })
    });

    *MISSED.lock() = missed;

    match (sent?, cause) {
        (0, Some(refused)) => Err(Failure::Refused(refused)),
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

/// The processes that the last broadcast has missed, and their number. The
/// array is valid until the next broadcast.
pub fn missed() -> (*const ngx_ipc_to_t, usize) {
    let missed = MISSED.lock();

    (missed.as_ptr(), missed.len())
}

/// Messages that are reserved and not sent yet, each with the address of its
/// payload.
static RESERVED: Lock<Vec<(usize, Reservation)>> = Lock::new(Vec::new());
/// The pid of the process that has made the reservations.
static OWNER: AtomicUsize = AtomicUsize::new(0);

/// Makes room for a message of `len` bytes. Returns the address at which the
/// caller builds the payload; NULL, with `errno` set, if there is none.
pub fn reserve(of: Result<Type, Failure>, to: ngx_ipc_to_t, len: usize) -> *mut u8 {
    let made = of.and_then(kind).and_then(|kind| {
        let to = address(to)?;

        with(|own| {
            let reservation = own.reserve(to, kind, len)?;
            let place = own.endpoint().address(&reservation);

            Ok((place, reservation))
        })
    });

    match made {
        Ok((Some(place), reservation)) => {
            if keep(place.as_ptr().addr(), reservation).is_err() {
                let _ = with(|own| {
                    own.endpoint().cancel(reservation);
                    Ok(())
                });
                errno::set(Errno::ENOMEM);
                return ptr::null_mut();
            }

            place.as_ptr()
        }
        Ok((None, _)) => ptr::null_mut(),
        Err(failure) => {
            errno::set(describe(failure).1);
            ptr::null_mut()
        }
    }
}

fn keep(place: usize, reservation: Reservation) -> Result<(), Errno> {
    let own = crate::host::globals::GLOBALS.own_pid() as usize;
    let mut reserved = RESERVED.lock();

    if OWNER.swap(own, Relaxed) != own {
        // These are the reservations of the parent.
        reserved.clear();
    }

    heap::push(&mut reserved, (place, reservation))
}

/// Sends a reserved message with the first `len` bytes of its payload.
pub fn commit(place: *mut u8, len: usize) -> Result<(), Failure> {
    let reservation = take(place)?;
    let len = u32::try_from(len)
        .unwrap_or(u32::MAX)
        .min(reservation.len());

    with(|own| {
        own.commit(reservation, len);
        Ok(())
    })
}

/// Gives a reservation back.
pub fn cancel(place: *mut u8) -> Result<(), Failure> {
    let reservation = take(place)?;

    with(|own| {
        own.endpoint().cancel(reservation);
        Ok(())
    })
}

fn take(place: *mut u8) -> Result<Reservation, Failure> {
    let mut reserved = RESERVED.lock();
    let index = reserved
        .iter()
        .position(|(address, _)| *address == place.addr())
        .ok_or(Failure::Invalid)?;

    Ok(reserved.swap_remove(index).1)
}
