//! Zones whose content is in a file, so that a later nginx has it, `ngx_ipc_keep_zones`.
//!
//! [`allocate`] maps a new file without a name. nginx and its module make an empty pool there,
//! as always. [`publish`] then replaces the content by that of the file of an earlier nginx, if
//! this file fits, and gives the new file its name. So the processes of an earlier nginx that
//! still run keep their own memory, and a process that is killed leaves no file that is half
//! written.
//!
//! `nginx/ngx_ipc_keep_zones.c` says which zones are kept, and checks the structures in a pool.

use std::ffi::{CStr, OsStr, c_char, c_void};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::NonNull;

use nix::errno::Errno;

use super::kept_zone::{Zone, ngx_ipc_kept_zone_t};
use super::zone_copy::{Header, Refused, copy_in_use, copy_unused, file_size};
use crate::host::slab::{self, DAMAGED};
use crate::log::{Level, Log};
use crate::shmem::{self, mapping};
use crate::status::Result;
use crate::sys::fd::{Identity, identity};
use crate::sys::heap;
use crate::sys::lock::Lock;
use crate::sys::memory_file::unlikely_address;
use crate::sys::path::CPath;
use crate::sys::shm::{Segment, map_file, map_over};
use crate::sys::words::Words;
use crate::sys::zone_file::{self, Directory};
use crate::zone::slab::layout::field;

unsafe extern "C" {
    /// Describes the zone of the new cycle whose `ngx_shm_t` is at `shm`. Returns 0 if its
    /// content is not kept.
    fn ngx_ipc_zone_is_kept(shm: *const c_void, kept: *mut ngx_ipc_kept_zone_t) -> usize;

    /// Checks the structure in a pool that [`publish`] has filled, and makes it one of this
    /// nginx. Returns NULL, or why it cannot be used.
    fn ngx_ipc_zone_content(start: *mut c_void, size: usize) -> *const c_char;
}

/// A zone whose memory is a file.
struct Kept {
    address: usize,
    size: usize,
    /// The file, until it has its name.
    new: Option<OwnedFd>,
    /// The directory, the name of the file in it, and what file it is.
    file: Option<(Vec<u8>, Vec<u8>, Identity)>,
}

static KEPT: Lock<Vec<Kept>> = Lock::new(Vec::new());

/// The fields of the header of a pool that depend on its address, its size, and the first
/// pieces that its module has allocated.
const FIXED: [usize; 9] = [
    field::MIN_SIZE,
    field::MIN_SHIFT,
    field::PAGES,
    field::LAST,
    field::STATS,
    field::START,
    field::END,
    field::LOG_CTX,
    field::DATA,
];

/// Allocates `size` zeroed bytes for the `ngx_shm_t` at the address `shm`, if it is that of a
/// zone that is kept. Else, and with a warning if it should be kept, the result is `None`.
pub fn allocate(shm: usize, size: usize, log: Log) -> Option<NonNull<c_void>> {
    let mut kept = ngx_ipc_kept_zone_t::NONE;
    let shm = std::ptr::without_provenance(shm);

    // SAFETY: the function compares the address `shm`, and writes to `kept`, which is local.
    if unsafe { ngx_ipc_zone_is_kept(shm, &raw mut kept) } == 0 {
        return None;
    }

    // SAFETY: the texts are those of nginx's new cycle, which does not change meanwhile.
    let zone = unsafe { Zone::new(&kept, log) };

    make(&zone, size)
        .inspect_err(|&err| zone.warn(Some(err), "its file cannot be made"))
        .ok()
}

fn make(zone: &Zone<'_>, size: usize) -> std::result::Result<NonNull<c_void>, Errno> {
    let directory = zone.open_directory()?;
    let at = zone
        .file_name()
        .and_then(|name| directory.file(name.as_c_str()))
        .and_then(|file| Header::read(&file))
        .map_or_else(|_| unlikely_address(), |found| found.address);
    let file = directory.create(file_size(size))?;
    let segment = map_file(&file, size, at)?;
    let addr = segment.addr();
    let kept = Kept {
        address: addr.addr().get(),
        size,
        new: Some(file),
        file: None,
    };

    heap::push(&mut KEPT.lock(), kept).inspect_err(|_| {
        let _ = segment.unmap();
    })?;

    Ok(addr)
}

/// Frees shared memory. If it is that of a zone that is kept, removes the file, unless another
/// one has its name by now.
pub fn free(segment: Segment, log: Log) {
    let mut list = KEPT.lock();
    let address = segment.addr().addr().get();

    let Some(at) = list.iter().position(|kept| kept.address == address) else {
        drop(list);
        shmem::free(log, segment);
        return;
    };

    if let Some((directory, name, identity)) = list.swap_remove(at).file {
        let path = Path::new(OsStr::from_bytes(&directory));

        // The file can have been removed by hand.
        let _ = CPath::new(&[&name])
            .and_then(|name| Directory::open(path)?.remove_if(name.as_c_str(), identity));
    }

    mapping::free(log, segment);
}

/// Gives the new zone at `address` its content of before, if there is one, and its file a name.
/// Does nothing if the zone has had its memory already, or has no file. `is_known`: the structure
/// in the zone can be checked. `is_upgrade`: processes of the earlier nginx can use its file now.
///
/// Fails if the process cannot continue.
pub fn publish(address: usize, zone: &Zone<'_>, is_known: bool, is_upgrade: bool) -> Result {
    let Some((file, segment)) = take_new(address) else {
        return Ok(());
    };

    if !is_known {
        zone.warn(None, "its structure is not known");
        return Ok(());
    }

    let file = match adopt(&segment, &file, zone, is_upgrade) {
        Ok(copy) => {
            zone.note_used();
            copy
        }
        Err(Refused::None) => file,
        Err(Refused::Unfit(why)) => {
            zone.warn_unused(why);
            file
        }
        Err(Refused::Foreign) => {
            zone.warn(None, "another nginx uses its file");
            return Ok(());
        }
        Err(Refused::Lost(err)) => {
            return Err(zone
                .log
                .fail(Level::Emerg, err, format_args!("mmap() of a zone failed")));
        }
    };

    if let Err(err) = name_file(&segment, &file, zone) {
        zone.warn(Some(err), "its file gets no name");
    }

    Ok(())
}

/// The file of a new zone, and its mapping.
fn take_new(address: usize) -> Option<(OwnedFd, Segment)> {
    let mut list = KEPT.lock();
    let kept = list.iter_mut().find(|kept| kept.address == address)?;
    let addr = NonNull::new(std::ptr::with_exposed_provenance_mut(address))?;
    let file = kept.new.take()?;

    // SAFETY: `make` has mapped the zone with this size.
    Some((file, unsafe { Segment::from_raw(addr, kept.size) }))
}

/// Fills a new zone with the content of the earlier file. Returns the file that it has now.
fn adopt(
    segment: &Segment,
    file: &OwnedFd,
    zone: &Zone<'_>,
    is_upgrade: bool,
) -> std::result::Result<OwnedFd, Refused> {
    let directory = zone.open_directory()?;
    let name = zone.file_name()?;
    let earlier = directory.file(name.as_c_str())?;

    // After a reload that has changed the size of a zone, the file is that of the old zone.
    if is_own(identity(earlier.as_raw_fd())?) {
        return Err(Refused::None);
    }

    let is_used = zone_file::is_written(&earlier);

    if is_used && !is_upgrade {
        return Err(Refused::Foreign);
    }

    Header::read(&earlier)?.check(segment, zone.identity)?;

    let copy = directory.create(file_size(segment.size()))?;

    if is_upgrade {
        copy_in_use(
            &directory.file_to_change(name.as_c_str())?,
            &copy,
            segment.size(),
        )?;
    } else {
        copy_unused(&earlier, &copy, segment.size())?;
    }

    exchange(segment, &copy)
        .or_else(|refused| {
            // SAFETY: only `exchange` has used the memory since, and it has no references.
            unsafe { map_over(segment, file) }.map_err(Refused::Lost)?;

            Err(refused)
        })
        .map(|()| copy)
}

/// Whether a zone of this process has the file.
fn is_own(file: Identity) -> bool {
    let is_it = |kept: &Kept| kept.file.as_ref().is_some_and(|(_, _, own)| *own == file);

    KEPT.lock().iter().any(is_it)
}

/// Maps the copy at the place of the new zone, and checks the pool and the structure in it.
fn exchange(segment: &Segment, copy: &OwnedFd) -> std::result::Result<(), Refused> {
    let (addr, size) = (segment.addr(), segment.size());
    let fixed = || {
        // SAFETY: the zone is mapped with this size, and code accesses it through `Words`.
        unsafe { Words::new(addr, size) }
            .map(|words| FIXED.map(|at| words.load(words.start() + at)))
    };
    let new = fixed();

    // SAFETY: no process but this one has the zone, and this one has no reference to it.
    unsafe { map_over(segment, copy) }.map_err(Refused::Lost)?;

    if fixed() != new {
        return Err(Refused::Unfit("its pool has another layout"));
    }

    // SAFETY: the zone is mapped with this size, and no other process has it.
    unsafe { slab::adopt(addr, size) }.map_err(|_| Refused::Unfit(DAMAGED))?;

    // SAFETY: as above; the function checks each address in the pool before it uses it.
    let why = unsafe { ngx_ipc_zone_content(addr.as_ptr(), size) };

    if why.is_null() {
        return Ok(());
    }

    // SAFETY: the function returns NULL or a string that lives for ever.
    Err(Refused::Unfit(
        unsafe { CStr::from_ptr(why) }.to_str().unwrap_or(DAMAGED),
    ))
}

/// Completes the file of a zone, and gives it its name.
fn name_file(segment: &Segment, file: &OwnedFd, zone: &Zone<'_>) -> std::result::Result<(), Errno> {
    Header::write(file, segment, zone.identity)?;

    let (name, new) = (zone.file_name()?, zone.new_name()?);
    let place = (
        heap::collect(zone.directory.iter().copied())?,
        heap::collect(name.as_c_str().to_bytes().iter().copied())?,
        identity(file.as_raw_fd())?,
    );

    zone.open_directory()?
        .publish(file, new.as_c_str(), name.as_c_str())?;

    let address = segment.addr().addr().get();

    if let Some(kept) = KEPT.lock().iter_mut().find(|kept| kept.address == address) {
        kept.file = Some(place);
    }

    Ok(())
}
