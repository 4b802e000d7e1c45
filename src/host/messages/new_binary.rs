//! Hands down the memory of messages to a new binary, which `ngx_execute()` starts at
//! SIGUSR2.

use std::cell::Cell;
use std::ffi::CStr;
use std::os::fd::RawFd;

use super::handed_down::{self, Description};
use super::shared::{self, Region};
use super::table::{self, Held};
use super::{claim, descriptors, orphans, region};
use crate::log::{Level, Log};
use crate::message::lineage::Lineage;
use crate::message::peers::Heritage;
use crate::sys::listen;
use crate::table::slot::Slot;

/// A new binary that is about to be executed. A slot of the region is claimed for its
/// master.
pub struct NewBinary {
    region: Region,
    held: Held,
    place: Cell<Option<Slot>>,
    variable: Vec<u8>,
}

impl NewBinary {
    /// Prepares to hand down the messages to a new binary. `None` if this process has no
    /// messages to hand down or, with the reason in the log, if they cannot be handed down.
    pub fn new(log: Log) -> Option<Self> {
        let region = shared::get().filter(Region::is_mine)?;
        let refuse = |why: &str| {
            log.error(
                Level::Notice,
                None,
                format_args!("the new binary gets memory of its own for messages: {why}"),
            );
        };

        orphans::recover();

        if region.memory.file().is_none() || region.board.file().is_none() {
            refuse("the memory has no file");
            return None;
        }

        let Some((slot, incarnation)) = claim::for_master(&region) else {
            refuse("another binary runs");
            return None;
        };
        let held = Held {
            slot,
            lineage: Lineage::stranger(incarnation),
            is_new: false,
            is_new_binary: true,
        };
        let description = Description {
            slot,
            incarnation,
            sizes: region.layout.sizes,
        };

        match handed_down::write(&description, all_descriptors(&region)) {
            Ok(variable) => Some(Self {
                region,
                held,
                place: Cell::new(None),
                variable,
            }),
            Err(_) => {
                region::give_back(&region, held, Heritage::Stranger);
                refuse("there is no memory");
                None
            }
        }
    }

    /// The environment variable for the new binary.
    pub fn variable(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.variable).unwrap_or_default()
    }

    /// Keeps the slot of `ngx_processes` that the new binary gets, before it is
    /// executed.
    pub fn enter(&self, place: Slot) {
        self.place.set(Some(place));
        table::set(place, Some(self.held));
    }

    /// In the child that executes the new binary: makes it inherit the descriptors.
    /// Async-signal-safe.
    pub fn hand_down(&self) {
        all_descriptors(&self.region).for_each(listen::hand_down);
    }

    /// Gives the slot back, because the new binary could not be executed.
    pub fn withdraw(self) {
        if let Some(place) = self.place.get() {
            table::set(place, None);
        }

        region::give_back(&self.region, self.held, Heritage::Stranger);
    }
}

/// The descriptors of the messages, in the order of the variable.
fn all_descriptors(region: &Region) -> impl Iterator<Item = RawFd> {
    let files = [region.memory.file(), region.board.file()];

    files
        .into_iter()
        .flatten()
        .chain(region.memory.bells())
        .chain(descriptors::all())
        .chain(doorbells())
}

/// The sockets that wake up nginx's masters.
#[cfg(not(feature = "standalone"))]
fn doorbells() -> impl Iterator<Item = RawFd> {
    crate::host::nginx::doorbell::all()
}

/// A master with an event loop needs no other descriptor than that of its slot.
#[cfg(feature = "standalone")]
fn doorbells() -> impl Iterator<Item = RawFd> {
    std::iter::empty()
}
