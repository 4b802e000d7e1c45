//! Shared memory, nginx's `ngx_shmem.c`.
//!
//! `src/shmem/backends` lists the ways to get shared memory, the best first,
//! each with the feature that it needs. `build.rs` chooses the first one whose
//! feature the probes have found, and writes the file that is included below:
//! a `mod` for each backend, and a `pub use` of `alloc` and `free` of the chosen
//! one. All backends are compiled, so an error in one shows on every system.

mod huge_pages;
mod mapping;

use crate::log::Log;
use crate::status::Result;
use crate::sys::shm::Segment;

include!(concat!(env!("OUT_DIR"), "/shmem_backends.rs"));

/// Allocates `size` zeroed bytes, which processes that are forked later share;
/// with huge pages if `huge_pages` is set and the system allows them.
///
/// A failure is an alert in the log.
#[inline]
pub fn allocate(log: Log, size: usize, huge_pages: bool) -> Result<Segment> {
    let segment = alloc(log, size)?;

    if huge_pages {
        huge_pages::use_for(log, &segment);
    }

    Ok(segment)
}
