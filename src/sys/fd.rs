//! Descriptors: closing, and keeping away from stdin, stdout and stderr.

use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

/// Closes a descriptor that C knows by its number, `close(2)`.
///
/// The kernel releases the number even if it reports an error, so it must
/// never be closed again.
pub fn close(fd: RawFd) -> Result<(), Errno> {
    // SAFETY: close() touches no memory. That nobody else relies on `fd` is
    // the caller's decision, as for every number in `ngx_processes[]`.
    Errno::result(unsafe { libc::close(fd) }).map(drop)
}

/// Moves a descriptor that came out as 0, 1 or 2 above them (`D11`).
pub fn above_stdio(fd: OwnedFd) -> Result<OwnedFd, Errno> {
    if fd.as_raw_fd() > libc::STDERR_FILENO {
        return Ok(fd);
    }

    duplicate(fd.as_raw_fd())
}

/// Closes descriptors that C knows by their numbers, all together where they
/// follow each other, `close_range(2)`.
///
/// Async-signal-safe. A kernel without that call closes one after the other.
pub fn close_all(fds: &[RawFd]) {
    for run in fds.chunk_by(|&a, &b| a.checked_add(1) == Some(b)) {
        let (Some(&first), Some(&last)) = (run.first(), run.last()) else {
            continue;
        };

        // SAFETY: as in `close`.
        if unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } != 0 {
            for &fd in run {
                let _ = close(fd);
            }
        }
    }
}

/// Another descriptor of the same open file, close-on-exec, `fcntl(2)`.
pub fn duplicate(fd: RawFd) -> Result<OwnedFd, Errno> {
    duplicate_from(fd, libc::STDERR_FILENO + 1)
}

/// The same with the first number from `min` on that is free.
pub fn duplicate_from(fd: RawFd, min: RawFd) -> Result<OwnedFd, Errno> {
    // SAFETY: fcntl() touches no memory.
    let copy = Errno::result(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, min) })?;

    // SAFETY: fcntl() has just made it.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Gives a file to another user, `fchown(2)`.
pub fn give(fd: RawFd, user: libc::uid_t) -> Result<(), Errno> {
    // SAFETY: no memory is involved.
    Errno::result(unsafe { libc::fchown(fd, user, libc::gid_t::MAX) }).map(drop)
}

/// What tells one open file from another behind the same number.
pub type Identity = (libc::dev_t, libc::ino_t);

/// The identity of the file behind `fd`, `fstat(2)`.
pub fn identity(fd: RawFd) -> Result<Identity, Errno> {
    // SAFETY: an all-zero stat is a valid value of this plain C struct.
    let mut st: libc::stat = unsafe { std::mem::zeroed() };

    // SAFETY: `st` is writable and of the right type.
    Errno::result(unsafe { libc::fstat(fd, &raw mut st) })?;

    Ok((st.st_dev, st.st_ino))
}

/// Opens a file to append to, made if it does not exist, close-on-exec.
pub fn open_append(path: &Path) -> Result<RawFd, Errno> {
    let flags = OFlag::O_WRONLY | OFlag::O_APPEND | OFlag::O_CREAT | OFlag::O_CLOEXEC;

    open(path, flags, Mode::from_bits_truncate(0o644))
        .and_then(above_stdio)
        .map(IntoRawFd::into_raw_fd)
}

/// Writes once, `write(2)`.
pub fn write(fd: RawFd, bytes: &[u8]) -> Result<usize, Errno> {
    // SAFETY: `bytes` is readable.
    Errno::result(unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) })
        .map(|n| usize::try_from(n).unwrap_or_default())
}
