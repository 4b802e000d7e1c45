//! System V segments, `NGX_HAVE_SYSVSHM`.

use crate::log::{Debug, Level, Log};
use crate::status::Result;
use crate::sys::shm::{self, Segment};

/// Makes `size` zeroed bytes that children share; the segment vanishes with
/// the last process that uses it.
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

/// Takes them away.
pub fn free(log: Log, segment: Segment) {
    if let Err(err) = segment.detach() {
        log.error(
            Level::Alert,
            Some(err),
            format_args!("shmdt({segment}) failed"),
        );
    }
}
