//! Messages that the program builds in place.

use std::ptr;
use std::sync::atomic::AtomicI32;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::send::{Failure, Type, address, describe, kind, with};
use super::types::ngx_ipc_to_t;
use super::variables::ngx_pid;
use crate::message::letter::{Refused, Reservation};
use crate::sys::lock::Lock;
use crate::sys::{errno, heap};
use crate::table::globals::own_pid;

/// Messages that are reserved and not sent yet, each with the address of its
/// payload.
static RESERVED: Lock<Vec<(usize, Reservation)>> = Lock::new(Vec::new());
/// The pid of the process that has made the reservations. A forked child has a copy
/// of its parent's.
static OWNER: AtomicI32 = AtomicI32::new(0);

/// Makes room for a message of `len` bytes. Returns the address at which the
/// caller builds the payload; NULL, with `errno` set, if there is none.
pub fn reserve(pointer: Result<Type, Failure>, to: ngx_ipc_to_t, len: usize) -> *mut u8 {
    match pointer.and_then(|pointer| make(pointer, to, len)) {
        Ok(place) => place,
        Err(failure) => {
            errno::set(describe(failure).1);
            ptr::null_mut()
        }
    }
}

fn make(pointer: Type, to: ngx_ipc_to_t, len: usize) -> Result<*mut u8, Failure> {
    let (kind, to) = (kind(pointer)?, address(to)?);
    let reservation = with(|own| own.reserve(to, kind, len))?;

    with(|own| {
        // The region has an address for each payload.
        let place = own.endpoint().address(&reservation);
        let kept = place
            .ok_or(Errno::ENOMEM)
            .and_then(|place| keep(place.as_ptr().addr(), reservation).map(|()| place));

        kept.map(|place| place.as_ptr()).map_err(|_| {
            own.endpoint().cancel(reservation);
            Refused::NoMemory
        })
    })
}

/// Forgets the reservations of the parent in a forked child.
fn forget_those_of_parent(reserved: &mut Vec<(usize, Reservation)>) {
    let own = own_pid(&ngx_pid);

    if OWNER.swap(own, Relaxed) != own {
        reserved.clear();
    }
}

fn keep(place: usize, reservation: Reservation) -> Result<(), Errno> {
    let mut reserved = RESERVED.lock();

    forget_those_of_parent(&mut reserved);
    heap::push(&mut reserved, (place, reservation))
}

/// Sends a reserved message with the first `len` bytes of its payload.
pub fn commit(place: *mut u8, len: usize) -> Result<(), Failure> {
    let reservation = take(place)?;
    let len = u32::try_from(len)
        .unwrap_or(u32::MAX)
        .min(reservation.len());

    with(|own| own.commit(reservation, len))
}

/// Gives a reservation back.
pub fn cancel(place: *mut u8) -> Result<(), Failure> {
    let reservation = take(place)?;
    let cancelled = with(|own| {
        own.endpoint().cancel(reservation);
        Ok(())
    });

    match cancelled {
        // The memory was given back together with the slot of this process.
        Err(Failure::HasLeft) => Ok(()),
        cancelled => cancelled,
    }
}

fn take(place: *mut u8) -> Result<Reservation, Failure> {
    let mut reserved = RESERVED.lock();

    forget_those_of_parent(&mut reserved);

    let index = reserved
        .iter()
        .position(|(address, _)| *address == place.addr())
        .ok_or(Failure::Invalid)?;

    Ok(reserved.swap_remove(index).1)
}
