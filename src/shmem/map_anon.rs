//! Anonymous mappings, `NGX_HAVE_MAP_ANON`.

pub use super::mapping::free;
use crate::log::{Level, Log};
use crate::status::Result;
use crate::sys::shm::{self, Segment};

/// Maps `size` zeroed bytes, which processes that are forked later share,
/// `mmap(2)`. A failure is an alert in the log.
pub fn alloc(log: Log, size: usize) -> Result<Segment> {
    shm::map_anon(size).map_err(|err| {
        log.fail(
            Level::Alert,
            err,
            format_args!("mmap(MAP_ANON|MAP_SHARED, {size}) failed"),
        )
    })
}
