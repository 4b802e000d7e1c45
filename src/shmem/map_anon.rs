//! Anonymous mappings, `NGX_HAVE_MAP_ANON`.

use crate::log::{Level, Log};
use crate::status::Result;
use crate::sys::shm::{self, Segment};

/// Makes `size` zeroed bytes that children share.
pub fn alloc(log: Log, size: usize) -> Result<Segment> {
    shm::map_anon(size).map_err(|err| {
        log.fail(
            Level::Alert,
            err,
            format_args!("mmap(MAP_ANON|MAP_SHARED, {size}) failed"),
        )
    })
}
