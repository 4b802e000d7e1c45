//! Shared memory, nginx's `ngx_shmem.c`.
//!
//! A backend is a way to get shared memory. The file `src/shmem/backends` lists
//! the backends, the best first, each with the system feature that it needs.
//! `build.rs` chooses the first backend whose feature the probes have found,
//! and writes the file that is included below: a `mod` for each backend, and a
//! `pub use` of the chosen backend's `alloc` and `free`. All backends are
//! compiled, so that the compiler finds an error in each of them on every
//! system.

pub mod huge_pages;
pub mod mapping;

use crate::log::{Level, Log};
use crate::status::Result;
use crate::sys::populate::populate;
use crate::sys::shm::Segment;

include!(concat!(env!("OUT_DIR"), "/shmem_backends.rs"));

/// Allocates `size` zeroed bytes, which this process shares with the processes
/// that it forks later. Requests huge pages for them if `huge_pages` is set.
///
/// If the memory cannot be allocated, an alert is logged.
#[inline]
pub fn allocate(log: Log, size: usize, huge_pages: bool) -> Result<Segment> {
    let segment = alloc(log, size)?;

    if huge_pages {
        huge_pages::use_for(log, &segment);
    }

    Ok(segment)
}

/// Allocates all pages of a segment, and changes no byte of it. If that fails, an alert is
/// logged.
pub fn prefault(log: Log, segment: &Segment) -> Result {
    populate(segment).map_err(|err| {
        log.fail(
            Level::Alert,
            err,
            format_args!(
                "not all pages of the {} bytes of shared memory at {segment} could be allocated",
                segment.size()
            ),
        )
    })
}
