//! What both kinds of mapping have in common.

use crate::log::{Level, Log};
use crate::sys::shm::Segment;

/// Takes a mapping away.
pub fn free(log: Log, segment: Segment) {
    if let Err(err) = segment.unmap() {
        log.error(
            Level::Alert,
            Some(err),
            format_args!("munmap({segment}, {}) failed", segment.size()),
        );
    }
}
