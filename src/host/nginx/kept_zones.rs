//! Zones whose content is in a file, so that a later nginx has it, `ngx_ipc_keep_zones`.
//!
//! [`allocate`] maps a new file without a name. nginx and its module make an empty pool there,
//! as always. [`publish`] then replaces the content by that of the file of an earlier nginx, if
//! this file fits, and gives the new file its name. So the processes of an earlier nginx that
//! still run keep their own memory, and a process that is killed leaves no file that is half
//! written.
//!
//! `nginx/ngx_ipc_keep_zones.c` says which zones are kept, and checks the structures in a pool.

use std::ffi::{CStr, c_char, c_void};
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr::NonNull;

use nix::errno::Errno;

use super::kept_zone::ngx_ipc_kept_zone_t;
use super::zone_copy::{copy_in_use, copy_unused};
use crate::host::slab::{self, DAMAGED};
use crate::host::zone_file::{Place, Refused, ZoneFile};
use crate::host::zone_file_header::{Header, file_size};
use crate::host::zone_file_variable::{self, is_of_old_binary};
use crate::log::{Level, Log};
use crate::shmem::{self, mapping};
use crate::status::Result;
use crate::sys::fd::{Identity, identity};
use crate::sys::heap;
use crate::sys::lock::Lock;
use crate::sys::memory_file::unlikely_address;
use crate::sys::shm::{Rights, Segment, map_file, map_file_at, map_over};
use crate::sys::words::Words;
use crate::sys::zone_file::{Directory, is_written};
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
    /// The file, when it has its name.
    named: Option<Place>,
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
    let zone = unsafe { kept.file(log) };

    make(&zone, size)
        .inspect_err(|&err| zone.warn(Some(err), "its file cannot be made"))
        .ok()
}

fn make(zone: &ZoneFile<'_>, size: usize) -> std::result::Result<NonNull<c_void>, Errno> {
    let directory = zone.open_directory()?;
    let file = directory.create(file_size(size))?;
    let segment = earlier_address(zone, &directory, size)
        .and_then(|at| map_file_at(&file, at, size, Rights::ReadWrite).ok())
        .map_or_else(|| map_file(&file, size, unlikely_address()), Ok)?;
    let addr = segment.addr();
    let kept = Kept {
        address: addr.addr().get(),
        size,
        new: Some(file),
        named: None,
    };

    heap::push(&mut KEPT.lock(), kept).inspect_err(|_| {
        let _ = segment.unmap();
    })?;

    Ok(addr)
}

/// Where an earlier nginx has mapped a zone of this size; `None` if there is no such zone.
fn earlier_address(zone: &ZoneFile<'_>, directory: &Directory, size: usize) -> Option<usize> {
    let file = directory.file(zone.file_name().ok()?.as_c_str()).ok()?;
    let header = Header::read(&file).ok()?;

    (header.size() == size).then_some(header.address())
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

    if let Some(place) = list.swap_remove(at).named {
        place.remove();
    }

    mapping::free(log, segment);
}

/// Gives the new zone at `address` its content of before, if there is one, and its file a name.
/// Does nothing if the zone has had its memory already, or has no file. `identity`: what an nginx
/// must have in common with an earlier one to use its content. `is_known`: the structure
/// in the zone can be checked. `is_upgrade`: processes of the earlier nginx can use its file now.
///
/// Fails if the process cannot continue.
pub fn publish(
    address: usize,
    zone: &ZoneFile<'_>,
    identity: &[u8],
    is_known: bool,
    is_upgrade: bool,
) -> Result {
    let Some((file, segment)) = take_new(address) else {
        return Ok(());
    };

    if !is_known {
        zone.warn(None, "its structure is not known");
        return Ok(());
    }

    // Only the first cycle of a new binary begins with the zones of the old one.
    if is_upgrade {
        zone_file_variable::inherit();
    } else {
        zone_file_variable::forget();
    }

    // No other nginx takes or replaces the file meanwhile.
    let _lock = match zone.open_directory().and_then(|directory| directory.lock()) {
        Ok(lock) => lock,
        Err(err) => {
            zone.warn(Some(err), "its directory cannot be locked");
            return Ok(());
        }
    };

    let file = match adopt(&segment, &file, zone, identity) {
        Ok(copy) => {
            zone.note_used();
            copy
        }
        Err(Fault::Lost(err)) => {
            return Err(zone
                .log
                .fail(Level::Emerg, err, format_args!("mmap() of a zone failed")));
        }
        Err(Fault::Refused(refused)) => {
            refused.log(zone);

            if matches!(refused, Refused::Foreign) {
                return Ok(());
            }

            file
        }
    };

    if let Err(err) = name_file(&segment, &file, zone, identity) {
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

/// Why a new zone does not have the content of the earlier file.
enum Fault {
    /// The file is not used. The zone is as before.
    Refused(Refused),
    /// The zone cannot be mapped any more.
    Lost(Errno),
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// Fills a new zone with the content of the earlier file. Returns the file that it has now.
fn adopt(
    segment: &Segment,
    file: &OwnedFd,
    zone: &ZoneFile<'_>,
    wanted: &[u8],
) -> std::result::Result<OwnedFd, Fault> {
    let copy = copy_earlier(segment, zone, wanted)?;

    exchange(segment, &copy)
        .or_else(|fault| {
            // SAFETY: only `exchange` has used the memory since, and it has no references.
            unsafe { map_over(segment, file) }.map_err(Fault::Lost)?;

            Err(fault)
        })
        .map(|()| copy)
}

/// Copies the earlier file of a zone, if it has the identity `wanted`.
fn copy_earlier(
    segment: &Segment,
    zone: &ZoneFile<'_>,
    wanted: &[u8],
) -> std::result::Result<OwnedFd, Refused> {
    let directory = zone.open_directory()?;
    let name = zone.file_name()?;
    let earlier = directory.file(name.as_c_str())?;
    let found = identity(earlier.as_raw_fd())?;

    // After a reload that has changed the size of a zone, the file is that of the old zone.
    if is_own(found) {
        return Err(Refused::None);
    }

    let is_used = is_written(&earlier);

    if is_used && !is_of_old_binary(found) {
        return Err(Refused::Foreign);
    }

    let header = Header::read(&earlier)?;

    header.check(
        segment.size(),
        wanted,
        "it is that of another module, configuration or build of nginx",
    )?;

    if header.address() != segment.addr().addr().get() {
        return Err(Refused::Unfit("its address is not free in this process"));
    }

    let copy = directory.create(file_size(segment.size()))?;

    if is_used {
        copy_in_use(
            &directory.file_to_change(name.as_c_str())?,
            &copy,
            segment.size(),
        )?;
    } else {
        copy_unused(&earlier, &copy, segment.size())?;
    }

    Ok(copy)
}

/// Whether a zone of this process has the file.
fn is_own(file: Identity) -> bool {
    let is_it = |kept: &Kept| kept.named.as_ref().is_some_and(|own| own.identity == file);

    KEPT.lock().iter().any(is_it)
}

/// The files of the zones of this process, for a new binary. Fails with ENOMEM.
pub fn files() -> std::result::Result<Vec<Identity>, Errno> {
    let kept = KEPT.lock();
    let named = kept.iter().filter_map(|kept| kept.named.as_ref());

    heap::collect(named.map(|place| place.identity))
}

/// Maps the copy at the place of the new zone, and checks the pool and the structure in it.
fn exchange(segment: &Segment, copy: &OwnedFd) -> std::result::Result<(), Fault> {
    let (addr, size) = (segment.addr(), segment.size());
    let fixed = || {
        // SAFETY: the zone is mapped with this size, and code accesses it through `Words`.
        unsafe { Words::new(addr, size) }
            .map(|words| FIXED.map(|at| words.load(words.start() + at)))
    };
    let new = fixed();

    // SAFETY: no process but this one has the zone, and this one has no reference to it.
    unsafe { map_over(segment, copy) }.map_err(Fault::Lost)?;

    if fixed() != new {
        return Err(Refused::Unfit("its pool has another layout").into());
    }

    // SAFETY: the zone is mapped with this size, and no other process has it.
    unsafe { slab::adopt(addr, size) }.map_err(Refused::Unfit)?;

    // SAFETY: as above; the function checks each address in the pool before it uses it.
    let why = unsafe { ngx_ipc_zone_content(addr.as_ptr(), size) };

    if why.is_null() {
        return Ok(());
    }

    // SAFETY: the function returns NULL or a string that lives for ever.
    let why = unsafe { CStr::from_ptr(why) };

    Err(Refused::Unfit(why.to_str().unwrap_or(DAMAGED)).into())
}

/// Completes the file of a zone, and gives it its name.
fn name_file(
    segment: &Segment,
    file: &OwnedFd,
    zone: &ZoneFile<'_>,
    identity: &[u8],
) -> std::result::Result<(), Errno> {
    Header::write(file, segment, identity)?;

    let place = Place::new(zone, file)?;

    zone.publish(file)?;

    let address = segment.addr().addr().get();

    if let Some(kept) = KEPT.lock().iter_mut().find(|kept| kept.address == address) {
        kept.named = Some(place);
    }

    Ok(())
}
