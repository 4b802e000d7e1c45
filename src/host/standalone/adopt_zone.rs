//! Maps a zone that other processes have made.

use std::os::fd::AsRawFd;

use crate::host::slab;
use crate::sys::shm::{Rights, Segment, map_file_at};
use crate::zone::slab::known;

/// Maps the zone of `size` bytes in a file where its processes have it, because a pool contains
/// addresses. Takes its lock, undoes the operation in which a process has died, and checks the
/// pool. Returns why the zone cannot be used; then it is not mapped.
pub fn adopt(file: &impl AsRawFd, address: usize, size: usize) -> Result<Segment, &'static str> {
    let segment = map_file_at(file, address, size, Rights::ReadWrite)
        .or(Err("its address is not free in this process"))?;

    // SAFETY: the file has just been mapped, with this size. It has at least this size.
    unsafe { slab::adopt(segment.addr(), size) }.inspect_err(|_| drop_zone(&segment))?;

    Ok(segment)
}

/// Unmaps a zone that [`adopt`] has mapped, and that nothing uses yet.
pub fn drop_zone(segment: &Segment) {
    known::free(segment.addr().addr().get());

    let _ = segment.unmap();
}
