//! Zones whose memory is a file in `zones_directory`, so that a later server has them.
//!
//! The memory of such a zone is the file itself. So a change is kept whatever happens to the
//! process that makes it. A server takes the file of an earlier one if no process uses it any
//! more; a new binary that is executed at SIGUSR2 takes those of its old binary, and both use them
//! together.
//!
//! A new zone is a file without a name. [`publish`] gives the file its name when the cycle of the
//! zone is in use. So a cycle that cannot be made changes nothing in the directory, and a process
//! that is killed leaves no file that is half made.

use std::ffi::{OsStr, c_void};
use std::fmt::Write;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::adopt_zone::{adopt, drop_zone};
use crate::host::globals::ngx_ipc_huge_pages;
use crate::host::zone_file::{Escaped, Place, Refused, ZoneFile};
use crate::host::zone_file_header::{Header, file_size};
use crate::host::zone_file_variable::{self, is_of_old_binary};
use crate::log::Log;
use crate::shmem::{huge_pages, mapping};
use crate::sys::fd::{Identity, identity};
use crate::sys::lock::Lock;
use crate::sys::memory_file::unlikely_address;
use crate::sys::shm::{Segment, map_file};
use crate::sys::zone_file::{is_written, reserve};
use crate::sys::{file, heap};
use crate::zone::slab::known;

/// The version of what the zones contain.
const VERSION: &str = "1";

/// The number of this start of the machine. A machine that stops without a shutdown can lose some
/// of the last changes of a file and not others. It also begins to count processes again.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// What this host calls the programs that have files of zones.
const PROGRAM: &str = "server";

/// A zone whose memory is a file.
struct Zone {
    address: usize,
    size: usize,
    place: Place,
    state: State,
}

/// What [`publish`] and [`free`] do with a file.
enum State {
    /// It is new, and gets its name.
    New(OwnedFd),
    /// It is that of an earlier server, and has its name.
    Taken,
    /// It is that of a zone of this server. It is removed when the zone is freed.
    Named,
    /// It has no name.
    Nameless,
}

/// The zones of this process.
static ZONES: Lock<Vec<Zone>> = Lock::new(Vec::new());

/// The processes that use a file.
#[derive(PartialEq, Eq)]
enum User {
    None,
    /// This process, and its children.
    Own,
    OldBinary,
    Other,
}

/// Which processes use a file that is open for reading.
fn user_of(zones: &[Zone], file: &OwnedFd) -> Result<User, Errno> {
    let identity = identity(file.as_raw_fd())?;
    let is_own = zones.iter().any(|zone| zone.place.identity == identity);

    Ok(if is_own {
        User::Own
    } else if is_of_old_binary(identity) {
        User::OldBinary
    } else if is_written(file) {
        User::Other
    } else {
        User::None
    })
}

/// What a zone must have in common with a file to use its content: the host, the version, the
/// start of the machine and the name.
fn identity_of(name: &[u8]) -> Result<Vec<u8>, Errno> {
    let mut text = heap::Writer::new();
    let mut boot = [0; 64];
    // Without /proc, all starts of the machine are the same.
    let boot = file::read(Path::new(BOOT_ID), &mut boot).unwrap_or_default();
    let boot = boot.trim_ascii_end().escape_ascii();

    write!(text, "ngx_ipc_main {VERSION}\n{boot}\n{}", Escaped(name)).or(Err(Errno::ENOMEM))?;

    Ok(text.into_bytes())
}

/// The file of the zone `name` in a directory.
pub fn file_of<'a>(name: &'a [u8], directory: &'a Path, log: Log) -> ZoneFile<'a> {
    ZoneFile {
        name,
        directory: directory.as_os_str().as_bytes(),
        program: PROGRAM,
        log,
    }
}

/// A zone of an earlier server, or of the old binary.
pub struct Taken {
    /// The address of the zone.
    pub addr: NonNull<c_void>,
    /// The size in bytes.
    pub size: usize,
    /// Whether it is that of the old binary, which still uses it.
    pub is_shared: bool,
}

/// Maps the file of a zone, and checks it. The zone has `size` bytes, if this is given. Returns
/// why the file is not used; the caller logs the reason.
pub fn take(zone: &ZoneFile<'_>, size: Option<usize>) -> Result<Taken, Refused> {
    // If it cannot be opened, `allocate` tells why.
    let directory = zone.open_directory().or(Err(Refused::None))?;
    let _lock = directory.lock()?;
    let name = zone.file_name()?;
    let file = directory.file(name.as_c_str())?;
    let user = user_of(&ZONES.lock(), &file)?;

    match user {
        // A reload has changed the zone, and the file is that of the old one.
        User::Own => return Err(Refused::None),
        User::Other => return Err(Refused::Foreign),
        User::None | User::OldBinary => {}
    }

    let header = Header::read(&file)?;
    let size = size.unwrap_or(header.size());

    header.check(
        size,
        &identity_of(zone.name)?,
        "it is that of another zone, version of the library or start of the machine",
    )?;

    let file = directory.file_to_change(name.as_c_str())?;

    reserve(&file, file_size(size))?;

    let place = Place::new(zone, &file)?;
    let segment = adopt(&file, header.address(), size).map_err(Refused::Unfit)?;

    keep(&segment, place, State::Taken).inspect_err(|_| drop_zone(&segment))?;

    Ok(Taken {
        addr: segment.addr(),
        size,
        is_shared: user == User::OldBinary,
    })
}

fn keep(segment: &Segment, place: Place, state: State) -> Result<(), Errno> {
    let zone = Zone {
        address: segment.addr().addr().get(),
        size: segment.size(),
        place,
        state,
    };

    heap::push(&mut ZONES.lock(), zone)
}

/// Allocates `size` zeroed bytes for a zone: a new file, which has no name yet. Returns the
/// address.
pub fn allocate(zone: &ZoneFile<'_>, size: usize) -> Result<NonNull<c_void>, Errno> {
    let file = zone.open_directory()?.create(file_size(size))?;
    let place = Place::new(zone, &file)?;
    let identity = identity_of(zone.name)?;
    let segment = map_file(&file, size, unlikely_address())?;

    Header::write(&file, &segment, &identity)
        .and_then(|()| keep(&segment, place, State::New(file)))
        .inspect_err(|_| {
            // The mapping has just been made.
            let _ = segment.unmap();
        })?;

    if ngx_ipc_huge_pages.load(Relaxed) != 0 {
        huge_pages::use_for(zone.log, &segment);
    }

    Ok(segment.addr())
}

/// Gives the files of new zones their names, because their cycle is in use. Logs to `log` which
/// files get none.
pub fn publish(log: Log) {
    let mut zones = ZONES.lock();

    for n in 0..zones.len() {
        let state = match take_state(&mut zones, n) {
            Some(State::New(file)) => name_file(&zones, n, &file, log),
            Some(State::Taken) => State::Named,
            Some(state) => state,
            None => return,
        };

        if let Some(zone) = zones.get_mut(n) {
            zone.state = state;
        }
    }

    zone_file_variable::forget();
}

fn take_state(zones: &mut [Zone], n: usize) -> Option<State> {
    let zone = zones.get_mut(n)?;

    Some(std::mem::replace(&mut zone.state, State::Nameless))
}

/// Gives the file of zone `n` its name, unless another server uses the file that has it.
fn name_file(zones: &[Zone], n: usize, file: &OwnedFd, log: Log) -> State {
    let Some(Zone { place, .. }) = zones.get(n) else {
        return State::Nameless;
    };
    let directory = Path::new(OsStr::from_bytes(&place.directory));
    let zone = file_of(&place.name, directory, log);

    match replace(zones, &zone, file) {
        Ok(true) => return State::Named,
        Ok(false) => zone.warn_foreign(),
        Err(err) => zone.warn(Some(err), "its file gets no name"),
    }

    State::Nameless
}

/// Returns false, and changes nothing, if another server uses the file that has the name.
fn replace(zones: &[Zone], zone: &ZoneFile<'_>, file: &OwnedFd) -> Result<bool, Errno> {
    let directory = zone.open_directory()?;
    let _lock = directory.lock()?;
    let user = directory
        .file(zone.file_name()?.as_c_str())
        .and_then(|file| user_of(zones, &file));

    if user == Ok(User::Other) {
        return Ok(false);
    }

    zone.publish(file)?;
    Ok(true)
}

/// Unmaps the zone at `address`, if its memory is a file. Removes the file if it has a name,
/// unless another one has its name by now. Returns whether the zone was one of these.
pub fn free(address: usize, log: Log) -> bool {
    let mut zones = ZONES.lock();
    let Some(at) = zones.iter().position(|zone| zone.address == address) else {
        return false;
    };
    let zone = zones.swap_remove(at);

    if matches!(zone.state, State::Named) {
        zone.place.remove();
    }

    known::free(address);

    if let Some(addr) = NonNull::new(std::ptr::with_exposed_provenance_mut(address)) {
        // SAFETY: this file has mapped the zone, and has just removed it from its list. The
        // caller does not use the memory any more.
        mapping::free(log, unsafe { Segment::from_raw(addr, zone.size) });
    }

    true
}

/// The files of the zones of this process, for a new binary. Fails with ENOMEM.
pub fn files() -> Result<Vec<Identity>, Errno> {
    let zones = ZONES.lock();
    let named = zones
        .iter()
        .filter(|zone| matches!(zone.state, State::Named));

    heap::collect(named.map(|zone| zone.place.identity))
}
