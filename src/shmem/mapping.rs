//! `free` for the backends that use `mmap(2)`.

use crate::log::{Level, Log};
use crate::sys::shm::Segment;

/// Unmaps the segment, `munmap(2)`. If the call fails, an alert is logged.
pub fn free(log: Log, segment: Segment) {
    if let Err(err) = segment.unmap() {
        log.error(
            Level::Alert,
            Some(err),
            format_args!("munmap({segment}, {}) failed", segment.size()),
        );
    }
}
