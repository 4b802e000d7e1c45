//! Huge pages for shared memory, if a program asks for them.
//!
//! The kernel uses them for shared memory only if the administrator has enabled
//! that in two files. If it is not enabled, a warning is logged.

use crate::log::{Level, Log};
use crate::sys::file;
use crate::sys::shm::{HUGE_PAGE, Segment};

/// Enables huge pages of all sizes for shared memory.
const ALLOWED: &str = "/sys/kernel/mm/transparent_hugepage/shmem_enabled";

/// Enables huge pages of 2 MiB. With "inherit", [`ALLOWED`] decides; older kernels
/// have only that.
const ALLOWED_HUGE: &str = "/sys/kernel/mm/transparent_hugepage/hugepages-2048kB/shmem_enabled";

/// Makes the kernel use huge pages for a new segment, on which nothing has been
/// written yet. A segment that is smaller than a huge page is left as it is.
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

/// Whether the two files enable huge pages. They list the choices, with the
/// current one in brackets.
fn are_allowed() -> bool {
    let chosen = |path| {
        let text = file::read_to_string(path).unwrap_or_default();
        let (_, rest) = text.split_once('[')?;

        rest.split_once(']').map(|(chosen, _)| chosen.to_string())
    };

    let of_all_sizes = chosen(ALLOWED);

    if of_all_sizes.as_deref() == Some("deny") {
        return false;
    }

    match chosen(ALLOWED_HUGE).as_deref() {
        Some("always" | "within_size" | "advise") => true,
        Some("never") => false,
        _ => !matches!(of_all_sizes.as_deref(), None | Some("never")),
    }
}
