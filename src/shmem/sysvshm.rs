//! System V segments, `NGX_HAVE_SYSVSHM`.

use crate::log::{Debug, Level, Log};
use crate::status::Result;
use crate::sys::shm::{self, Segment};

/// Makes and attaches a segment of `size` zeroed bytes, which processes that are
/// forked later share, `shmget(2)`, `shmat(2)`. The kernel removes it when the
/// last of them has exited. A failure is an alert in the log.
pub fn alloc(log: Log, size: usize) -> Result<Segment> {
    let id = shm::shmget(size)
        .map_err(|err| log.fail(Level::Alert, err, format_args!("shmget({size}) failed")))?;

    log.debug(Debug::Core, format_args!("shmget id: {id}"));

    let segment = shm::shmat(id, size)
        .map_err(|err| log.fail(Level::Alert, err, format_args!("shmat() failed")));

    if let Err(err) = shm::shm_remove(id) {
        log.error(
            Level::Alert,
            Some(err),
            format_args!("shmctl(IPC_RMID) failed"),
        );
    }

    segment
}

/// Detaches the segment, `shmdt(2)`. A failure is an alert in the log.
pub fn free(log: Log, segment: Segment) {
    if let Err(err) = segment.detach() {
        log.error(
            Level::Alert,
            Some(err),
            format_args!("shmdt({segment}) failed"),
        );
    }
}
