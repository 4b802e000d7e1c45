//! Shared memory from mappings of `/dev/zero`, `NGX_HAVE_MAP_DEVZERO`.

pub use super::mapping::free;
use crate::log::{Level, Log};
use crate::status::Result;
use crate::sys::shm::{self, Segment};

/// Maps `size` zeroed bytes, which this process shares with the processes that
/// it forks later, `zero(4)`, `mmap(2)`. If a system call fails, an alert is
/// logged.
pub fn alloc(log: Log, size: usize) -> Result<Segment> {
    let zero = shm::open_zero().map_err(|err| {
        log.fail(
            Level::Alert,
            err,
            format_args!("open(\"/dev/zero\") failed"),
        )
    })?;

    shm::map_zero(&zero, size).map_err(|err| {
        log.fail(
            Level::Alert,
            err,
            format_args!("mmap(/dev/zero, MAP_SHARED, {size}) failed"),
        )
    })
}
