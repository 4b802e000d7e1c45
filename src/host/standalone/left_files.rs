//! The files of Unix sockets that the service manager has opened. They belong to the
//! manager, which listens on after this program has exited, so this program does not
//! remove them.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::errno::Errno;

use crate::sys::heap;
use crate::sys::lock::Lock;

/// The paths of the files.
static FILES: Lock<Vec<Vec<u8>>> = Lock::new(Vec::new());

/// Adds the file at `path`.
///
/// Returns `ENOMEM` if there is no memory.
pub fn add(path: &Path) -> Result<(), Errno> {
    let path = heap::collect(path.as_os_str().as_bytes().iter().copied())?;

    heap::push(&mut FILES.lock(), path)
}

/// Whether the file at `path` belongs to the manager.
pub fn has(path: &Path) -> bool {
    FILES
        .lock()
        .iter()
        .any(|file| file == path.as_os_str().as_bytes())
}
