//! Zones that a process gives to another one, which need not be a relative of it.
//!
//! The memory of such a zone is a file whose size is final. The descriptor of the file goes
//! through a Unix socket or a message. A pool contains addresses, so the other process maps
//! the file where the zone has it here.
//!
//! The process that maps the file does not trust it: other processes write to it, and the
//! descriptor can be one of anything.

use std::ffi::{OsStr, c_void};
use std::fmt;
use std::os::fd::{IntoRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::ptr::{self, NonNull};

use nix::errno::Errno;

use super::kept_zones;
use crate::config::ngx_uint_t;
use crate::host::logs::log_of;
use crate::host::shm_zone::Zone;
use crate::host::shmem::ngx_shm_t;
use crate::host::slab;
use crate::log::{Level, Log};
use crate::shmem::mapping;
use crate::status::{Result, Status};
use crate::sys::memory_file;
use crate::sys::shm::{Rights, Segment, map_file_at};
use crate::zone::slab::known;
use crate::zone::slab::layout::{HEADER, address_in};

/// The zone is given or attached only for reading.
pub const NGX_IPC_ZONE_READ_ONLY: ngx_uint_t = 1;

/// The rights that `flags` mean.
pub const fn rights(flags: ngx_uint_t) -> Rights {
    if flags & NGX_IPC_ZONE_READ_ONLY == 0 {
        Rights::ReadWrite
    } else {
        Rights::Read
    }
}

/// Why a zone cannot be given or attached.
enum Refusal {
    /// The reason.
    Text(&'static str),
    /// A system call that has failed.
    Failed(&'static str, Errno),
}

impl From<&'static str> for Refusal {
    fn from(text: &'static str) -> Self {
        Self::Text(text)
    }
}

impl Refusal {
    /// Logs the reason behind `what`.
    fn log(&self, log: Log, what: fmt::Arguments<'_>) -> Status {
        match *self {
            Self::Text(text) => log.error(Level::Err, None, format_args!("{what}: {text}")),
            Self::Failed(call, err) => {
                log.error(Level::Err, Some(err), format_args!("{what}: {call} failed"));
            }
        }

        Status::Error
    }
}

/// Makes a descriptor of the file of a zone, close-on-exec. With [`Rights::Read`], the file can
/// be mapped only for reading. Fails, with an error in the log, if the zone has no file or if no
/// descriptor is free.
pub fn open(zone: Zone, rights: Rights) -> Result<RawFd> {
    let copy = match rights {
        Rights::Read => memory_file::reopen_read_only,
        Rights::ReadWrite => memory_file::duplicate,
    };

    let result = match kept_zones::with_file(zone.memory().addr(), copy) {
        None => Err(Refusal::Text(
            "its memory is no file in memory, see keep_zones",
        )),
        Some(Err(err)) => Err(Refusal::Failed("opening its file", err)),
        Some(Ok(file)) => Ok(file.into_raw_fd()),
    };

    result.map_err(|why| {
        let name = OsStr::from_bytes(zone.name()).display();

        why.log(
            zone.log(),
            format_args!("the zone \"{name}\" cannot be given"),
        )
    })
}

impl ngx_shm_t {
    /// Maps the file of a zone that another process has given, and checks the zone. Sets `addr`
    /// and `size`, and `exists` to 1. Fails, with an error in the log, if it is no such file or
    /// if the zone cannot be used; then `addr` is NULL.
    ///
    /// # Safety
    ///
    /// `log` is NULL or valid.
    pub unsafe fn attach(&mut self, fd: RawFd, rights: Rights) -> Result {
        // SAFETY: the caller passes a structure whose log is NULL or valid.
        let log = unsafe { log_of(self.log) };

        self.addr = ptr::null_mut();

        let segment = map(fd, rights).map_err(|why| {
            why.log(
                log,
                format_args!("the zone of descriptor {fd} cannot be attached"),
            )
        })?;

        self.addr = segment.addr().as_ptr().cast();
        self.size = segment.size();
        self.exists = 1;

        Ok(())
    }

    /// Unmaps the zone that [`ngx_shm_t::attach`] has mapped, and sets `addr` to NULL. Does
    /// nothing if `addr` is NULL.
    ///
    /// # Safety
    ///
    /// `log` is NULL or valid. `addr` and `size` are those of `attach`, and no code of this
    /// process uses the memory afterwards.
    pub unsafe fn detach(&mut self) {
        let address = std::mem::replace(&mut self.addr, ptr::null_mut());

        if let Some(address) = NonNull::new(address.cast()) {
            known::free(address.addr().get());

            // SAFETY: `attach` has mapped the memory, and the caller does not use it any more.
            // The log is NULL or valid.
            let (log, segment) =
                unsafe { (log_of(self.log), Segment::from_raw(address, self.size)) };

            mapping::free(log, segment);
        }
    }
}

/// Maps the zone in a file where its processes have it, and checks it.
fn map(fd: RawFd, rights: Rights) -> std::result::Result<Segment, Refusal> {
    let size = memory_file::size(fd).ok_or("it is no file in memory whose size is final")?;
    let mut header = [0; HEADER];

    if size < HEADER {
        return Err(Refusal::Text("it is too small"));
    }

    memory_file::read_first(fd, &mut header).map_err(|err| Refusal::Failed("pread()", err))?;

    let address = address_in(&header, size).ok_or(slab::DAMAGED)?;
    let segment = map_file_at(&fd, address, size, rights).map_err(|err| match err {
        Errno::EEXIST => Refusal::Text("its address is not free in this process"),
        err => Refusal::Failed("mmap()", err),
    })?;

    check(segment.addr(), size, rights).inspect_err(|_| {
        // The mapping has just been made.
        let _ = segment.unmap();
    })?;

    Ok(segment)
}

/// Checks a zone that has just been mapped.
fn check(
    zone: NonNull<c_void>,
    size: usize,
    rights: Rights,
) -> std::result::Result<(), &'static str> {
    // SAFETY: the zone is mapped with this size and these rights, and stays mapped as long as
    // the caller uses it. Its other users are processes with the same library.
    unsafe {
        match rights {
            Rights::Read => slab::check_unlocked(zone, size)
                // A later access does not trust the size that the header says.
                .inspect(|()| known::remember(zone.addr().get(), size, false)),
            Rights::ReadWrite => slab::adopt(zone, size),
        }
    }
}
