//! The copy of a zone in the file that an earlier nginx has left.

use std::os::fd::OwnedFd;

use crate::host::lock_owner::log;
use crate::host::slab::{ATTEMPTS, LOCKED, PAUSE};
use crate::host::zone_file::Refused;
use crate::sys::heap;
use crate::sys::shm::{Segment, map_file};
use crate::sys::time::pause;
use crate::sys::zone_file::{read_at, write_at};
use crate::zone::owner;
use crate::zone::shmtx::ngx_shmtx_sh_t;

/// How much is copied at a time.
const PIECE: usize = 65536;
/// The size of the words of the lock at the beginning of a pool.
const LOCK: usize = size_of::<ngx_shmtx_sh_t>();

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
