//! Shared memory from anonymous mappings, `NGX_HAVE_MAP_ANON`.

pub use super::mapping::free;
use crate::log::{Level, Log};
use crate::status::Result;
use crate::sys::shm::{self, Segment};

/// Maps `size` zeroed bytes, which this process shares with the processes that
/// it forks later, `mmap(2)`. If the call fails, an alert is logged.
pub fn alloc(log: Log, size: usize) -> Result<Segment> {
    shm::map_anon(size).map_err(|err| {
        log.fail(
            Level::Alert,
            err,
            format_args!("mmap(MAP_ANON|MAP_SHARED, {size}) failed"),
        )
    })
}
