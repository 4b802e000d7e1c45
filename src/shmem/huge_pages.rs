//! Huge pages for shared memory, where a program asks for them.
//!
//! The kernel has them for shared memory only if its administrator allows it;
//! what is asked for and not to be had is said.

use crate::log::{Level, Log};
use crate::sys::file;
use crate::sys::shm::{HUGE_PAGE, Segment};

/// Of all sizes, and of huge pages; the second may leave it to the first.
const ALLOWED: &str = "/sys/kernel/mm/transparent_hugepage/shmem_enabled";
const ALLOWED_HUGE: &str = "/sys/kernel/mm/transparent_hugepage/hugepages-2048kB/shmem_enabled";

/// Has the kernel use huge pages for `segment`, which nobody has touched yet.
/// Smaller ones, and a kernel that has none, do with ordinary pages.
pub fn use_for(log: Log, segment: &Segment) {
    if segment.size() < HUGE_PAGE {
        return;
    }

    if let Err(err) = segment.advise_huge_pages() {
        log.error(
            Level::Warn,
            Some(err),
            format_args!(
                "madvise(MADV_HUGEPAGE, {}) failed, no huge pages are used",
                segment.size()
            ),
        );
    } else if !are_allowed() {
        log.error(
            Level::Warn,
            None,
            format_args!(
                "no huge pages are used for {} bytes of shared memory, \
                 the system does not allow it, see {ALLOWED}",
                segment.size()
            ),
        );
    }
}

/// Whether the files, in which the choice is in brackets, allow it.
fn are_allowed() -> bool {
    let chosen = |path| {
        let text = file::read_to_string(path).unwrap_or_default();
        let (_, rest) = text.split_once('[')?;

        rest.split_once(']').map(|(chosen, _)| chosen.to_string())
    };

    let of_all = chosen(ALLOWED);

    if of_all.as_deref() == Some("deny") {
        return false;
    }

    match chosen(ALLOWED_HUGE).as_deref() {
        Some("always" | "within_size" | "advise") => true,
        Some("never") => false,
        _ => !matches!(of_all.as_deref(), None | Some("never")),
    }
}
