//! Shared memory from System V segments, `NGX_HAVE_SYSVSHM`.

use crate::log::{Debug, Level, Log};
use crate::status::Result;
use crate::sys::shm::{self, Segment};

/// Makes and attaches a segment of `size` zeroed bytes, which this process
/// shares with the processes that it forks later, `shmget(2)`, `shmat(2)`. The
/// kernel removes the segment when the last process that has attached it has
/// exited. If a system call fails, an alert is logged.
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

/// Detaches the segment, `shmdt(2)`. If the call fails, an alert is logged.
pub fn free(log: Log, segment: Segment) {
    if let Err(err) = segment.detach() {
        log.error(
            Level::Alert,
            Some(err),
            format_args!("shmdt({segment}) failed"),
        );
    }
}
