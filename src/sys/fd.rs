//! Descriptors: open, close, duplicate, compare.

use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use super::path::CPath;

/// Closes a descriptor that C code stores as a number, `close(2)`.
///
/// If close() fails the descriptor is closed all the same, and the caller must
/// not close the number again.
pub fn close(fd: RawFd) -> Result<(), Errno> {
    // SAFETY: close() accesses no memory. `fd` comes from C code, so no Rust
    // value owns it.
    Errno::result(unsafe { libc::close(fd) }).map(drop)
}

/// Moves a descriptor whose number is 0, 1 or 2 to a higher number. In a
/// process whose stdin is closed, a new descriptor would become stdin, and
/// nginx treats the number 0 as "no channel" (`D11`).
pub fn above_stdio(fd: OwnedFd) -> Result<OwnedFd, Errno> {
    if fd.as_raw_fd() > libc::STDERR_FILENO {
        return Ok(fd);
    }

    duplicate(fd.as_raw_fd())
}

/// Closes descriptors that C code stores as numbers. Numbers that follow each
/// other are closed with one call of `close_range(2)`, if the kernel has it.
/// Async-signal-safe.
pub fn close_all(fds: impl Iterator<Item = RawFd>) {
    let mut run: Option<(RawFd, RawFd)> = None;

    for fd in fds {
        run = Some(match run {
            Some((first, last)) if last.checked_add(1) == Some(fd) => (first, fd),
            other => {
                close_run(other);
                (fd, fd)
            }
        });
    }

    close_run(run);
}

fn close_run(run: Option<(RawFd, RawFd)>) {
    let Some((first, last)) = run else { return };

    // SAFETY: close_range() accesses no memory, and no Rust value owns the
    // descriptors, which come from C.
    if unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } != 0 {
        for fd in first..=last {
            let _ = close(fd);
        }
    }
}

/// Makes another descriptor of the same open file, close-on-exec and above
/// stderr, `F_DUPFD_CLOEXEC` of `fcntl(2)`.
pub fn duplicate(fd: RawFd) -> Result<OwnedFd, Errno> {
    duplicate_from(fd, libc::STDERR_FILENO + 1)
}

/// Makes another descriptor of the same open file, close-on-exec, with the
/// first free number from `min` on.
pub fn duplicate_from(fd: RawFd, min: RawFd) -> Result<OwnedFd, Errno> {
    // SAFETY: F_DUPFD_CLOEXEC accesses no memory.
    let copy = Errno::result(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, min) })?;

    // SAFETY: fcntl() has just made the descriptor, so it has no owner.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Changes the owner of a file, `fchown(2)`.
pub fn give(fd: RawFd, user: libc::uid_t) -> Result<(), Errno> {
    // SAFETY: fchown() accesses no memory.
    Errno::result(unsafe { libc::fchown(fd, user, libc::gid_t::MAX) }).map(drop)
}

/// The device and the inode of a file. If they have changed, a descriptor
/// number refers to another file than before.
pub type Identity = (libc::dev_t, libc::ino_t);

/// The identity of the file behind `fd`, `fstat(2)`.
pub fn identity(fd: RawFd) -> Result<Identity, Errno> {
    // SAFETY: an all-zero stat is a valid value of this plain C struct.
    let mut st: libc::stat = unsafe { std::mem::zeroed() };

    // SAFETY: the kernel writes `st`, which is local.
    Errno::result(unsafe { libc::fstat(fd, &raw mut st) })?;

    Ok((st.st_dev, st.st_ino))
}

/// Opens a file to append to it, close-on-exec. The file is created if it does
/// not exist.
pub fn open_append(path: &Path) -> Result<RawFd, Errno> {
    let flags = OFlag::O_WRONLY | OFlag::O_APPEND | OFlag::O_CREAT | OFlag::O_CLOEXEC;

    open(
        CPath::of(path)?.as_c_str(),
        flags,
        Mode::from_bits_truncate(0o644),
    )
    .and_then(above_stdio)
    .map(IntoRawFd::into_raw_fd)
}

/// Writes `bytes` with one call of `write(2)`. Returns the number of bytes that
/// were written, which can be less than the length of `bytes`.
pub fn write(fd: RawFd, bytes: &[u8]) -> Result<usize, Errno> {
    // SAFETY: the kernel reads `bytes`, all of which is initialised.
    Errno::result(unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) })
        .map(|n| usize::try_from(n).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::testing::{in_child, refuse};

    /// The result of `fcntl(2)` with a command that has no argument.
    fn flags(fd: RawFd, command: i32) -> i32 {
        // SAFETY: the commands of the tests access no memory.
        unsafe { libc::fcntl(fd, command) }
    }

    fn is_open(fd: RawFd) -> bool {
        flags(fd, libc::F_GETFD) != -1
    }

    /// Opens the descriptors 200 to 211, and closes some of them. Returns those that
    /// are left.
    fn left() -> Vec<RawFd> {
        let all = 200..212;

        for fd in all.clone() {
            // SAFETY: dup2() accesses no memory, and the number is free.
            unsafe { libc::dup2(libc::STDERR_FILENO, fd) };
        }

        close_all([200, 203, 204, 205, 210, 208, RawFd::MAX].into_iter());

        all.filter(|&fd| is_open(fd)).collect()
    }

    #[test]
    fn only_the_given_descriptors_are_closed() {
        in_child(|| assert_eq!(left(), [201, 202, 206, 207, 209, 211]));
        in_child(|| {
            refuse(libc::SYS_close_range);
            assert_eq!(left(), [201, 202, 206, 207, 209, 211]);
        });
    }

    #[test]
    fn a_descriptor_is_closed_once() {
        in_child(|| {
            assert_eq!(close(libc::STDERR_FILENO), Ok(()));
            assert!(!is_open(libc::STDERR_FILENO));
            assert_eq!(close(libc::STDERR_FILENO), Err(Errno::EBADF));
        });
    }

    #[test]
    fn new_descriptors_are_above_stderr() {
        in_child(|| {
            let file = duplicate_from(libc::STDERR_FILENO, 50).unwrap();

            for fd in 0..=libc::STDERR_FILENO {
                close(fd).unwrap();
            }

            let copy = duplicate(file.as_raw_fd()).unwrap();
            let number = copy.as_raw_fd();

            assert!(number > libc::STDERR_FILENO);
            assert_eq!(flags(number, libc::F_GETFD), libc::FD_CLOEXEC);
            assert_eq!(identity(number), identity(file.as_raw_fd()));

            // SAFETY: dup2() has made the descriptor, so it has no owner.
            let two = unsafe { OwnedFd::from_raw_fd(libc::dup2(number, 2)) };
            let moved = above_stdio(two).unwrap();

            assert!(moved.as_raw_fd() > libc::STDERR_FILENO);
            assert!(!is_open(2));
            assert_eq!(above_stdio(copy).unwrap().as_raw_fd(), number);
        });
    }

    #[test]
    fn a_log_is_appended_to() {
        let path = std::env::temp_dir().join(format!("ngx-ipc-log-{}", std::process::id()));

        for text in [b"one\n", b"two\n"] {
            let fd = open_append(&path).unwrap();

            assert!(fd > libc::STDERR_FILENO);
            assert_eq!(flags(fd, libc::F_GETFD), libc::FD_CLOEXEC);
            assert_eq!(flags(fd, libc::F_GETFL) & libc::O_ACCMODE, libc::O_WRONLY);
            assert_eq!(write(fd, text), Ok(4));
            close(fd).unwrap();
        }

        assert_eq!(std::fs::read(&path).unwrap(), b"one\ntwo\n");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(write(-1, b"text"), Err(Errno::EBADF));
        assert_eq!(identity(-1), Err(Errno::EBADF));
    }
}
