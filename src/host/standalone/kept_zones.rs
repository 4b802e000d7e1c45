//! Zones that a binary hands down to the binary that it executes at SIGUSR2, `keep_zones`.
//!
//! The memory of such a zone is a file, whose descriptor the new binary inherits. A pool
//! contains addresses, so the new binary maps the file where the old one has mapped it. An
//! environment variable tells it what it has inherited; [`write()`] explains the text.
//!
//! Workers of the old binary can write to the memory. So the new binary checks it before it
//! uses it.

use std::ffi::{CStr, OsStr, c_void};
use std::fmt::Write;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::adopt_zone::{adopt, drop_zone};
use crate::host::globals::ngx_ipc_huge_pages;
use crate::log::{Level, Log};
use crate::shmem::{huge_pages, mapping};
use crate::sys::inherit::Inherited;
use crate::sys::lock::Lock;
use crate::sys::memory_file::{self, unlikely_address};
use crate::sys::shm::{Segment, map_file};
use crate::sys::{environment, heap};
use crate::zone::FILE_NAME;
use crate::zone::slab::known;

/// The name of the environment variable.
const VARIABLE: &CStr = c"NGX_IPC_ZONES";
/// The version of what the variable and the zones contain.
const VERSION: &str = "1";

/// A zone that can be handed down.
struct Zone {
    name: Vec<u8>,
    address: usize,
    size: usize,
    file: OwnedFd,
}

/// The zones of this process.
static KEPT: Lock<Vec<Zone>> = Lock::new(Vec::new());
/// The zones of the old binary that this one has not mapped.
static OFFERED: Lock<Vec<Zone>> = Lock::new(Vec::new());

/// Allocates `size` zeroed bytes for the zone `name`. Returns the address; `None`, with a
/// warning in the log, if the system has no such memory.
pub fn allocate(name: &[u8], size: usize, log: Log) -> Option<NonNull<c_void>> {
    make(name, size, log)
        .inspect_err(|&err| {
            let name = OsStr::from_bytes(name).display();

            log.error(
                Level::Warn,
                Some(err),
                format_args!("a new binary will not get the zone \"{name}\""),
            );
        })
        .ok()
}

fn make(name: &[u8], size: usize, log: Log) -> std::result::Result<NonNull<c_void>, Errno> {
    let file = memory_file::create_named(FILE_NAME, name, size)?;
    let segment = map_file(&file, size, unlikely_address())?;

    keep(name, &segment, file).inspect_err(|_| {
        // The mapping has just been made.
        let _ = segment.unmap();
    })?;

    if ngx_ipc_huge_pages.load(Relaxed) != 0 {
        huge_pages::use_for(log, &segment);
    }

    Ok(segment.addr())
}

fn keep(name: &[u8], segment: &Segment, file: OwnedFd) -> std::result::Result<(), Errno> {
    let zone = Zone {
        name: heap::collect(name.iter().copied())?,
        address: segment.addr().addr().get(),
        size: segment.size(),
        file,
    };

    heap::push(&mut KEPT.lock(), zone)
}

/// Calls `work` with the file of the zone at `address`. `None` if it has none.
pub fn with_file<T>(address: usize, work: impl FnOnce(&OwnedFd) -> T) -> Option<T> {
    let kept = KEPT.lock();
    let zone = kept.iter().find(|zone| zone.address == address)?;

    Some(work(&zone.file))
}

/// Unmaps the zone at `address`, if this file has mapped it. Returns whether it has.
pub fn free(address: usize, log: Log) -> bool {
    let mut kept = KEPT.lock();
    let Some(at) = kept.iter().position(|zone| zone.address == address) else {
        return false;
    };
    let zone = kept.swap_remove(at);

    known::free(address);
    unmap(&zone, log);

    true
}

fn unmap(zone: &Zone, log: Log) {
    let Some(address) = NonNull::new(std::ptr::with_exposed_provenance_mut(zone.address)) else {
        return;
    };

    // SAFETY: this file has mapped the zone, and has just removed it from its list. The caller
    // of `free` does not use the memory any more.
    let segment = unsafe { Segment::from_raw(address, zone.size) };

    mapping::free(log, segment);
}

/// Whether the old binary has handed down a zone with this name.
pub fn is_offered(name: &[u8]) -> bool {
    OFFERED.lock().iter().any(|zone| zone.name == name)
}

/// Maps the zone of the old binary with this name and, if it is given, this size. Returns the
/// address and the size; `None` if there is no such zone or, with a warning in the log, if it
/// cannot be used.
pub fn take(name: &[u8], size: Option<usize>, log: Log) -> Option<(NonNull<c_void>, usize)> {
    let zone = {
        let mut offered = OFFERED.lock();
        let at = offered.iter().position(|zone| zone.name == name)?;

        offered.swap_remove(at)
    };

    let size = size.unwrap_or(zone.size);

    map(zone, size)
        .inspect_err(|why| warn(name, why, log))
        .ok()
        .map(|addr| (addr, size))
}

/// Logs why the zone `name` of the old binary is not used.
pub fn warn(name: &[u8], why: &str, log: Log) {
    let name = OsStr::from_bytes(name).display();

    log.error(
        Level::Warn,
        None,
        format_args!("the zone \"{name}\" of the old binary is not used: {why}"),
    );
}

/// Maps a zone, and checks it. Returns why it cannot be used.
fn map(zone: Zone, size: usize) -> std::result::Result<NonNull<c_void>, &'static str> {
    if zone.size != size {
        return Err("it has another size");
    }

    let segment = adopt(&zone.file, zone.address, size)?;

    keep(&zone.name, &segment, zone.file)
        .or(Err("there is no memory"))
        .inspect_err(|_| drop_zone(&segment))?;

    Ok(segment.addr())
}

/// Takes the descriptors of the zones that an old binary has handed down to this program.
pub fn inherit(log: Log) {
    let Some(value) = environment::get(VARIABLE) else {
        return;
    };

    if read(value).is_none() {
        log.error(
            Level::Warn,
            None,
            format_args!(
                "the zones of the old binary are not used: the environment variable is not valid"
            ),
        );
    }

    // A program that this process executes does not inherit the descriptors.
    environment::remove(VARIABLE);
}

/// Closes the zones of the old binary that this one does not have.
pub fn close_rest() {
    OFFERED.lock().clear();
}

/// Reads the text of the variable. Returns `None` if it is not what [`write()`] writes.
fn read(value: &str) -> Option<()> {
    let mut rest = value.strip_prefix(VERSION)?;

    while let Some(text) = rest.strip_prefix(';') {
        let (zone, next) = first_zone(text)?;

        if let Some(Inherited::Memory(file, size)) = Inherited::take(zone.fd)
            && size >= zone.size
        {
            let name = heap::collect(zone.name.bytes()).ok()?;
            let offered = Zone {
                name,
                address: zone.address,
                size: zone.size,
                file,
            };

            heap::push(&mut OFFERED.lock(), offered).ok()?;
        }

        rest = next;
    }

    rest.is_empty().then_some(())
}

/// A zone in the text of the variable.
#[derive(Debug, PartialEq, Eq)]
struct Described<'a> {
    fd: RawFd,
    address: usize,
    size: usize,
    name: &'a str,
}

/// The first zone of the text behind a ";", and the text behind the zone.
fn first_zone(text: &str) -> Option<(Described<'_>, &str)> {
    let mut parts = text.splitn(5, ':');
    let mut next = || parts.next();
    let (fd, address, size) = (next()?, next()?, next()?);
    let (len, rest) = (next()?, next()?);
    let (name, rest) = rest.split_at_checked(len.parse().ok()?)?;
    let zone = Described {
        fd: fd.parse().ok()?,
        address: address.parse().ok()?,
        size: size.parse().ok()?,
        name,
    };

    Some((zone, rest))
}

/// The environment variable for the zones of this process, with its name and a NUL at its
/// end: the version, and for each zone ";", the descriptor, the address, the size, the
/// length of the name and the name, with ":" between them. A name can have any characters.
///
/// Fails with ENOMEM.
pub fn write() -> std::result::Result<Vec<u8>, Errno> {
    let mut text = heap::Writer::new();
    let kept = KEPT.lock();
    let name = VARIABLE.to_str().unwrap_or_default();

    write!(text, "{name}={VERSION}").or(Err(Errno::ENOMEM))?;

    for zone in kept.iter() {
        if let Some(name) = name_of(zone) {
            let fd = zone.file.as_raw_fd();
            let (address, size, len) = (zone.address, zone.size, name.len());

            write!(text, ";{fd}:{address}:{size}:{len}:{name}").or(Err(Errno::ENOMEM))?;
        }
    }

    write!(text, "\0").or(Err(Errno::ENOMEM))?;

    Ok(text.into_bytes())
}

/// The name of a zone; `None` if it cannot be in an environment variable.
fn name_of(zone: &Zone) -> Option<&str> {
    str::from_utf8(&zone.name)
        .ok()
        .filter(|name| !name.contains('\0'))
}

/// The descriptors of the zones in the variable, which the new binary inherits. Fails with
/// ENOMEM.
pub fn descriptors() -> std::result::Result<Vec<RawFd>, Errno> {
    let kept = KEPT.lock();
    let named = kept.iter().filter(|zone| name_of(zone).is_some());

    heap::collect(named.map(|zone| zone.file.as_raw_fd()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_any_characters() {
        let text = "5:4096:8192:6:a;b:1=;6:12288:4096:0:";
        let (zone, rest) = first_zone(text).unwrap();

        assert_eq!(
            zone,
            Described {
                fd: 5,
                address: 4096,
                size: 8192,
                name: "a;b:1="
            }
        );
        assert_eq!(rest, ";6:12288:4096:0:");

        let (zone, rest) = first_zone(&rest[1..]).unwrap();

        assert_eq!((zone.fd, zone.name, rest), (6, "", ""));
    }

    #[test]
    fn garbage_is_refused() {
        for text in [
            "",
            "5",
            "5:4096:8192:6",
            "5:4096:8192:6:a",
            "5:4096:8192:-1:a",
            "5:4096:8192:1:é",
            "x:4096:8192:1:a",
            "5:-1:8192:1:a",
            "5:4096:99999999999999999999:1:a",
        ] {
            assert_eq!(first_zone(text), None, "{text}");
        }

        for value in ["", "x", "2", "1x", "1;", "1;5:1"] {
            assert_eq!(read(value), None, "{value}");
        }

        assert_eq!(read("1"), Some(()));
    }
}
