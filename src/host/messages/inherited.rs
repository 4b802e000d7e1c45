//! Takes over the memory of messages of the binary that has executed this program.
//!
//! Everything that comes from outside is checked: the environment variable, what the
//! descriptors are, and the head of the region, which the workers of the old binary
//! can write. If something does not fit, this binary makes memory of its own.

use std::fmt;
use std::os::fd::OwnedFd;
#[cfg(feature = "standalone")]
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::handed_down::{self, Description, Unusable};
use super::settings::MASTERS;
use super::{descriptors, register};
#[cfg(not(feature = "standalone"))]
use crate::host::nginx::doorbell;
use crate::log::{Level, Log};
use crate::message::layout::{Layout, MAX_SLOTS, Mismatch, Sizes, VERSION};
use crate::message::mapped::Mapped;
use crate::message::peers::{self, State};
use crate::messaging::rows;
use crate::sys::bell::Bell;
use crate::sys::inherit::Inherited;
use crate::sys::{environment, heap};

/// The memory of the old binary, and the slot that it has claimed for this master.
pub struct Memory {
    /// The region.
    pub region: Mapped,
    /// The board.
    pub board: Mapped,
    /// The layout of the region.
    pub layout: Layout,
    /// The slot and the incarnation of this master.
    pub master: (u32, u32),
}

/// Why the memory of the old binary cannot be used.
enum Refused {
    Variable,
    Version(u64),
    Descriptors,
    Head,
    Sizes,
    Sockets,
    Slot,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version(version) => {
                return write!(
                    f,
                    "the old binary has version {version} of them, this binary has version \
                     {VERSION}"
                );
            }
            Self::Variable => "the environment variable is not valid",
            Self::Descriptors => "the descriptors are not those of messages",
            Self::Head => "the memory is damaged",
            Self::Sizes => "the memory is smaller than this configuration says",
            Self::Sockets => "the old binary has no sockets for descriptors",
            Self::Slot => "the old binary has claimed no slot for this master",
        })
    }
}

impl From<Unusable> for Refused {
    fn from(unusable: Unusable) -> Self {
        match unusable {
            Unusable::Version(version) => Self::Version(version),
            Unusable::Invalid => Self::Variable,
        }
    }
}

/// Whether this program uses the memory of an old binary.
#[cfg(feature = "standalone")]
static IS_USED: AtomicBool = AtomicBool::new(false);

/// Whether this program uses the memory of an old binary.
#[cfg(feature = "standalone")]
pub fn is_used() -> bool {
    IS_USED.load(Relaxed)
}

/// Closes what this program has inherited, because it has no messages.
pub fn close() {
    if let Some(value) = environment::get(handed_down::NAME) {
        drop(take_all(value));
        environment::remove(handed_down::NAME);
    }
}

/// Takes over the memory of the old binary, which must be at least as large as
/// `wanted`. Returns `None`, with a notice in the log, if there is none that this
/// binary can use; all descriptors that were inherited are closed then.
pub fn take(log: Log, wanted: Sizes) -> Option<Memory> {
    let value = environment::get(handed_down::NAME)?;
    let taken = take_all(value).and_then(|all| open(value, all, wanted));

    // A program that this process executes does not inherit these descriptors.
    environment::remove(handed_down::NAME);

    match taken {
        Ok(memory) => {
            let text = format_args!("using the messages of the old binary");

            log.error(Level::Notice, None, text);
            #[cfg(feature = "standalone")]
            IS_USED.store(true, Relaxed);
            Some(memory)
        }
        Err(why) => {
            let text = format_args!("the messages of the old binary are not used: {why}");

            log.error(Level::Notice, None, text);
            None
        }
    }
}

/// Takes all descriptors. Fails if one of them is of none of the kinds that messages
/// have; the others are closed then.
fn take_all(value: &str) -> Result<Vec<Inherited>, Refused> {
    let mut all = Vec::new();
    let mut is_complete = true;

    for fd in handed_down::descriptors(value, most_descriptors()) {
        match Inherited::take(fd) {
            Some(taken) => is_complete &= heap::push(&mut all, taken).is_ok(),
            None => is_complete = false,
        }
    }

    if is_complete {
        Ok(all)
    } else {
        Err(Refused::Descriptors)
    }
}

fn most_descriptors() -> usize {
    2 + 3 * MAX_SLOTS as usize + MASTERS as usize
}

fn open(value: &str, all: Vec<Inherited>, wanted: Sizes) -> Result<Memory, Refused> {
    let Description {
        slot,
        incarnation,
        sizes,
    } = handed_down::read(value)?;
    let layout = Layout::new(sizes).or(Err(Refused::Variable))?;

    if !is_enough(sizes, wanted) {
        return Err(Refused::Sizes);
    }

    let mut all = all.into_iter();
    let file = memory(all.next(), layout.size())?;
    let board_size = rows::size(sizes.slots);
    let board = memory(all.next(), board_size)?;
    let mut bells = Vec::new();

    for slot in 0..sizes.slots {
        let bell = match all.next() {
            Some(Inherited::Event(fd)) => Bell::inherited_event(fd),
            Some(Inherited::Stream(fd)) if slot < MASTERS => Bell::inherited_socket(fd),
            _ => return Err(Refused::Descriptors),
        };

        heap::push(&mut bells, bell).or(Err(Refused::Descriptors))?;
    }

    let region = Mapped::inherited(file, layout.size(), bells).or(Err(Refused::Descriptors))?;
    let board = Mapped::inherited(board, board_size, Vec::new()).or(Err(Refused::Descriptors))?;

    check_head(&region, layout)?;
    check_slot(&region, &layout, (slot, incarnation))?;
    take_sockets(all, sizes.slots)?;

    Ok(Memory {
        region,
        board,
        layout,
        master: (slot, incarnation),
    })
}

/// Whether a region is at least as large as the configuration says.
fn is_enough(sizes: Sizes, wanted: Sizes) -> bool {
    sizes.slots >= wanted.slots
        && sizes.chunks >= wanted.chunks
        && sizes.control_chunks >= wanted.control_chunks
        && sizes.quota >= wanted.quota
}

fn memory(inherited: Option<Inherited>, size: usize) -> Result<OwnedFd, Refused> {
    match inherited {
        Some(Inherited::Memory(file, found)) if found == size => Ok(file),
        _ => Err(Refused::Descriptors),
    }
}

/// Whether the head of the region says the same as the variable.
fn check_head(region: &Mapped, layout: Layout) -> Result<(), Refused> {
    match Layout::attach(&region) {
        Ok(found) if found == layout => Ok(()),
        Err(Mismatch::Version(version)) => Err(Refused::Version(version)),
        _ => Err(Refused::Head),
    }
}

/// Whether the old binary has claimed the slot for this master.
fn check_slot(
    region: &Mapped,
    layout: &Layout,
    (slot, incarnation): (u32, u32),
) -> Result<(), Refused> {
    let is_claimed =
        slot < MASTERS && peers::state(&region, layout, slot) == (State::Claimed, incarnation);

    if is_claimed {
        Ok(())
    } else {
        Err(Refused::Slot)
    }
}

/// Takes the other sockets: those for descriptors, two for each slot, if there are
/// any, and those that wake up nginx's masters.
fn take_sockets(all: impl Iterator<Item = Inherited>, slots: u32) -> Result<(), Refused> {
    let (mut sockets, mut doorbells) = (Vec::new(), Vec::new());

    for inherited in all {
        let (socket, to) = match inherited {
            Inherited::Socket(socket) => (socket, &mut sockets),
            Inherited::Stream(socket) => (socket, &mut doorbells),
            _ => return Err(Refused::Descriptors),
        };

        heap::push(to, socket).or(Err(Refused::Descriptors))?;
    }

    let is_right = match sockets.len() {
        0 if register::is_any_with_descriptors() => return Err(Refused::Sockets),
        n => n == 0 || n == 2 * slots as usize,
    };

    if !is_right {
        return Err(Refused::Descriptors);
    }

    keep_doorbells(doorbells)?;

    if sockets.is_empty() {
        return Ok(());
    }

    descriptors::inherit(sockets).or(Err(Refused::Descriptors))
}

/// Keeps the sockets that wake up nginx's masters.
#[cfg(not(feature = "standalone"))]
fn keep_doorbells(sockets: Vec<OwnedFd>) -> Result<(), Refused> {
    doorbell::inherit(sockets.try_into().or(Err(Refused::Descriptors))?);
    Ok(())
}

/// A master with an event loop has no such sockets.
#[cfg(feature = "standalone")]
fn keep_doorbells(sockets: Vec<OwnedFd>) -> Result<(), Refused> {
    if sockets.is_empty() {
        Ok(())
    } else {
        Err(Refused::Descriptors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: Sizes = Sizes {
        slots: 8,
        chunks: 8,
        control_chunks: 1,
        quota: 4,
    };

    #[test]
    fn each_size_must_be_enough() {
        assert!(is_enough(SIZES, SIZES));

        for smaller in [
            Sizes { slots: 7, ..SIZES },
            Sizes { chunks: 7, ..SIZES },
            Sizes {
                control_chunks: 0,
                ..SIZES
            },
            Sizes { quota: 3, ..SIZES },
        ] {
            assert!(!is_enough(smaller, SIZES) && is_enough(SIZES, smaller));
        }
    }

    /// Only the slot and the incarnation that the old binary has claimed for this
    /// master are accepted.
    #[test]
    fn the_slot_of_another_process_is_refused() {
        let layout = Layout::new(SIZES).unwrap();
        let region = Mapped::new(layout.size(), SIZES.slots as usize).unwrap();

        layout.create(&&region);

        let claim = |first| {
            peers::claim(&&region, &layout, 0, |slot| (slot >= first).then_some(0)).unwrap()
        };
        let (slot, incarnation) = claim(1);
        let (other, its_incarnation) = claim(MASTERS);
        let check = |slot, incarnation| {
            let checked = check_slot(&region, &layout, (slot, incarnation));

            checked.is_ok()
        };

        assert!(slot < MASTERS && other >= MASTERS);
        assert!(check(slot, incarnation));
        assert!(!check(slot, incarnation + 1));
        assert!(!check(0, incarnation), "the slot of the old master");
        assert!(!check(other, its_incarnation), "the slot of a worker");
        assert!(!check(SIZES.slots, incarnation), "no slot");
    }
}
