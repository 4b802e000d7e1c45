//! The file of a zone that an earlier nginx has left, and its copy.
//!
//! The file has the bytes of the zone, and behind them, at [`header_at`], a header that workers
//! have not mapped.

use std::os::fd::OwnedFd;

use nix::errno::Errno;

use crate::host::lock_owner::log;
use crate::host::slab::{ATTEMPTS, DAMAGED, LOCKED, PAUSE};
use crate::sys::heap;
use crate::sys::shm::{Segment, map_file};
use crate::sys::time::pause;
use crate::sys::zone_file::{read_at, size, write_at};
use crate::zone::owner;
use crate::zone::shmtx::ngx_shmtx_sh_t;

/// What a file begins its header with. It changes when the layout of files changes.
const FORMAT: [u8; 8] = *b"ngxipcz1";
/// The size of a header, in bytes.
const HEADER: usize = 4096;
/// The part of a header before the identity: the format, the address and the size.
const NUMBERS: usize = 24;
/// No page of memory is larger.
const LARGEST_PAGE: usize = 65536;
/// How much is copied at a time.
const PIECE: usize = 65536;
/// The size of the words of the lock at the beginning of a pool.
const LOCK: usize = size_of::<ngx_shmtx_sh_t>();

/// Why an earlier file is not used.
pub enum Refused {
    /// There is none.
    None,
    /// The file does not fit.
    Unfit(&'static str),
    /// The file is that of another nginx, which runs.
    Foreign,
    /// The zone cannot be mapped any more.
    Lost(Errno),
}

impl From<Errno> for Refused {
    fn from(err: Errno) -> Self {
        match err {
            Errno::ENOENT => Self::None,
            Errno::ELOOP | Errno::EPERM => Self::Unfit("another user can change it"),
            Errno::ENOSPC => Self::Unfit("there is no space for a copy"),
            _ => Self::Unfit("it cannot be read"),
        }
    }
}

/// Where the header of the file of a zone of `zone` bytes begins.
const fn header_at(zone: usize) -> usize {
    zone.next_multiple_of(LARGEST_PAGE)
}

/// The size of the file of a zone of `zone` bytes.
pub const fn file_size(zone: usize) -> usize {
    header_at(zone).saturating_add(HEADER)
}

/// The header of a file.
pub struct Header {
    bytes: [u8; HEADER],
    /// The address of the zone.
    pub address: usize,
}

impl Header {
    /// The header of a zone; `None` if there is no room for the identity.
    fn bytes_for(address: usize, size: usize, identity: &[u8]) -> Option<[u8; HEADER]> {
        let mut bytes = [0; HEADER];
        let numbers = [address.to_ne_bytes(), size.to_ne_bytes()];
        let parts = [&FORMAT[..], numbers.as_flattened(), identity];
        let mut rest = &mut bytes[..];

        for part in parts {
            let (to, behind) = rest.split_at_mut_checked(part.len())?;

            to.copy_from_slice(part);
            rest = behind;
        }

        Some(bytes)
    }

    /// Writes the header of a zone to its file. Fails with ENAMETOOLONG if there is no room for
    /// the identity.
    pub fn write(file: &OwnedFd, zone: &Segment, identity: &[u8]) -> Result<(), Errno> {
        let bytes = Self::bytes_for(zone.addr().addr().get(), zone.size(), identity)
            .ok_or(Errno::ENAMETOOLONG)?;

        write_at(file, &bytes, header_at(zone.size()))
    }

    /// Reads the header of a file.
    pub fn read(file: &OwnedFd) -> Result<Self, Errno> {
        let mut bytes = [0; HEADER];
        let at = size(file)?.checked_sub(HEADER).ok_or(Errno::EIO)?;

        read_at(file, &mut bytes, at)?;

        let address = bytes.get(8..16).and_then(<[u8]>::first_chunk);

        Ok(Self {
            address: address.copied().map_or(0, usize::from_ne_bytes),
            bytes,
        })
    }

    /// Checks that the content fits the new zone.
    pub fn check(&self, zone: &Segment, identity: &[u8]) -> Result<(), Refused> {
        let address = zone.addr().addr().get();
        let wanted = Self::bytes_for(address, zone.size(), identity).ok_or(Errno::ENAMETOOLONG)?;
        let differs = |from: usize, to: usize| self.bytes.get(from..to) != wanted.get(from..to);

        Err(Refused::Unfit(if differs(0, 8) {
            DAMAGED
        } else if differs(16, NUMBERS) {
            "it has another size"
        } else if differs(NUMBERS, HEADER) {
            "it is that of another module, configuration or build of nginx"
        } else if differs(8, 16) {
            "its address is not free in this process"
        } else {
            return Ok(());
        }))
    }
}

/// Copies the zone in a file that no other process uses. If the lock is held, its process has
/// died in the middle of a change.
pub fn copy_unused(from: &OwnedFd, to: &OwnedFd, zone: usize) -> Result<(), Refused> {
    let mut lock = [0; 8];

    read_at(from, &mut lock, 0)?;

    if lock != [0; 8] {
        return Err(Refused::Unfit(DIED));
    }

    copy(from, to, zone)
}

const DIED: &str = "a process has died while it changed it";

/// Copies the zone in a file that processes use, while this process has its lock.
pub fn copy_in_use(from: &OwnedFd, to: &OwnedFd, zone: usize) -> Result<(), Refused> {
    let begin = map_file(from, LOCK, 0)?;
    let result = copy_locked(&begin, from, to, zone);

    begin.unmap()?;

    result
}

fn copy_locked(begin: &Segment, from: &OwnedFd, to: &OwnedFd, zone: usize) -> Result<(), Refused> {
    // SAFETY: the file begins with the words of the lock, which are atomics. The caller unmaps
    // them when this function has returned.
    let words: &ngx_shmtx_sh_t = unsafe { begin.addr().cast().as_ref() };
    let own = owner::find_out();

    take_soon(words, own)?;

    let result = copy(from, to, zone);

    words.release(own, log);

    result
}

/// Takes a lock that another process may hold for [`ATTEMPTS`] pauses. Does not take over the
/// lock of a process that has died, because what it was changing is half changed.
fn take_soon(words: &ngx_shmtx_sh_t, own: u64) -> Result<(), Refused> {
    for _ in 0..ATTEMPTS {
        if words.take(own) {
            return Ok(());
        }

        match words.owner() {
            0 => {}
            number if owner::has_exited(number) => return Err(Refused::Unfit(DIED)),
            _ => pause(PAUSE),
        }
    }

    Err(Refused::Unfit(LOCKED))
}

/// Copies the bytes of a zone, but for the words of its lock, to a new file. Bytes that are 0
/// are left out.
fn copy(from: &OwnedFd, to: &OwnedFd, zone: usize) -> Result<(), Refused> {
    let mut piece = heap::zeros::<u8>(PIECE)?;
    let mut at = 0;

    while at < zone {
        let bytes = piece.get_mut(..PIECE.min(zone - at)).unwrap_or_default();

        read_at(from, bytes, at)?;

        if at == 0 {
            bytes.iter_mut().take(LOCK).for_each(|byte| *byte = 0);
        }

        if bytes.iter().any(|&byte| byte != 0) {
            write_at(to, bytes, at)?;
        }

        at += bytes.len();
    }

    Ok(())
}
