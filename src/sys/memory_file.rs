//! Files in memory that processes map and hand down, `memfd_create(2)`. Their size
//! is final, so no process that has the file can make the mapping of another one
//! fault.

use std::ffi::{CStr, c_int};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use super::buffer::copy;
use super::fd::{self, above_stdio};
use super::path::CPath;
use super::published::{NAME, make_file};
use super::shm::HUGE_PAGE;
use super::time::nanoseconds;

/// The seals of a file: its size and its seals are final, `fcntl(2)`.
const SEALS: c_int = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;

/// Makes a file of `size` zeros, close-on-exec and above stderr. Fails with
/// `EFBIG` if the largest size of files is less, and with the errno of
/// `memfd_create(2)`, `ftruncate(2)` or `fcntl(2)`.
pub fn create(size: usize) -> Result<OwnedFd, Errno> {
    create_with(NAME, size)
}

/// The longest name of a file, in bytes.
const NAME_MAX: usize = 249;

/// Makes a file as [`create`] does, which no process can open again for writing, unless it is
/// root or changes the mode. Its name begins with `kind` and `name`; it is cut if it is too long.
/// `/proc/PID/maps` shows the name, and several files can have it.
pub fn create_named(kind: &[u8], name: &[u8], size: usize) -> Result<OwnedFd, Errno> {
    let mut text = [0; NAME_MAX + 1];
    let len = copy(text.get_mut(..NAME_MAX).unwrap_or_default(), kind);

    copy(text.get_mut(len..NAME_MAX).unwrap_or_default(), name);

    let file = create_with(CStr::from_bytes_until_nul(&text).unwrap_or(NAME), size)?;

    // SAFETY: fchmod() accesses no memory.
    Errno::result(unsafe { libc::fchmod(file.as_raw_fd(), READABLE) })?;

    Ok(file)
}

/// The mode of a file with a name. A process can open a file again to which it has a descriptor;
/// this mode does not allow it to do so for writing.
const READABLE: libc::mode_t = 0o444;

/// Makes another descriptor of a file, close-on-exec and above stderr.
pub fn duplicate(file: &OwnedFd) -> Result<OwnedFd, Errno> {
    fd::duplicate(file.as_raw_fd())
}

/// Makes a descriptor of a file that can be read and mapped for reading only, close-on-exec and
/// above stderr. Fails with ENOENT if `/proc` is not mounted.
///
/// # References
///
/// `proc_pid_fd(5)`.
pub fn reopen_read_only(file: &OwnedFd) -> Result<OwnedFd, Errno> {
    let path = CPath::formatted(format_args!("/proc/self/fd/{}", file.as_raw_fd()))?;
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;

    open(path.as_c_str(), flags, Mode::empty()).and_then(above_stdio)
}

/// Reads the first bytes of a file. Fails with EINVAL if it is shorter.
///
/// # References
///
/// `pread(2)`.
pub fn read_first(fd: RawFd, to: &mut [u8]) -> Result<(), Errno> {
    // SAFETY: the kernel writes to `to`, which has this length.
    let n = Errno::result(unsafe { libc::pread(fd, to.as_mut_ptr().cast(), to.len(), 0) })?;

    if n.unsigned_abs() == to.len() {
        Ok(())
    } else {
        Err(Errno::EINVAL)
    }
}

fn create_with(name: &CStr, size: usize) -> Result<OwnedFd, Errno> {
    // ftruncate() would raise SIGXFSZ.
    if u64::try_from(size).unwrap_or(u64::MAX) > largest_file() {
        return Err(Errno::EFBIG);
    }

    let file = above_stdio(make_file(name, size)?)?;

    // SAFETY: F_ADD_SEALS accesses no memory.
    Errno::result(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, SEALS) })?;

    Ok(file)
}

/// The largest size of files in bytes, `RLIMIT_FSIZE` of `getrlimit(2)`.
#[allow(clippy::unnecessary_cast)] // needed with some C libraries
pub(super) fn largest_file() -> u64 {
    let mut limit = MaybeUninit::<libc::rlimit>::uninit();

    // SAFETY: the kernel writes `limit`, which is local.
    match unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, limit.as_mut_ptr()) } {
        // SAFETY: the call has succeeded, so the kernel has written `limit`.
        0 => unsafe { limit.assume_init() }.rlim_cur as u64,
        _ => u64::MAX,
    }
}

/// An address at which a new binary has probably no memory: far from the addresses at which
/// the kernel maps programs, libraries and other memory, and different each time.
pub fn unlikely_address() -> usize {
    const FIRST: u64 = 0x2000_0000_0000;
    const SPAN: u64 = 0x2000_0000_0000;

    let random = nanoseconds().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let address = FIRST + random % SPAN;

    usize::try_from(address - address % HUGE_PAGE as u64).unwrap_or_default()
}

/// The size in bytes of a file that [`create`] has made, in this process or in
/// another one; `None` if the descriptor is something else.
pub fn size(fd: RawFd) -> Option<usize> {
    // SAFETY: F_GET_SEALS accesses no memory.
    let seals = unsafe { libc::fcntl(fd, libc::F_GET_SEALS) };

    if seals == -1 || seals & SEALS != SEALS {
        return None;
    }

    let mut stat = MaybeUninit::<libc::stat>::uninit();

    // SAFETY: the kernel writes `stat`, which is local.
    match unsafe { libc::fstat(fd, stat.as_mut_ptr()) } {
        // SAFETY: the call has succeeded, so the kernel has written `stat`.
        0 => usize::try_from(unsafe { stat.assume_init() }.st_size).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_final() {
        let file = create(8192).unwrap();

        assert_eq!(size(file.as_raw_fd()), Some(8192));
        assert_eq!(nix::unistd::ftruncate(&file, 4096), Err(Errno::EPERM));
        assert_eq!(nix::unistd::ftruncate(&file, 16384), Err(Errno::EPERM));
        assert_eq!(size(make_file(NAME, 8192).unwrap().as_raw_fd()), None);
        assert_eq!(size(-1), None);
    }

    #[test]
    fn a_name_is_cut() {
        let link = |name: &[u8]| {
            let file = create_named(b"kind ", name, 4096).unwrap();
            let path = format!("/proc/self/fd/{}", file.as_raw_fd());

            std::fs::read_link(path).unwrap().display().to_string()
        };
        let longest = "x".repeat(NAME_MAX - 5);

        assert_eq!(link(b"one"), "/memfd:kind one (deleted)");
        assert_eq!(link(b"a\0b"), "/memfd:kind a (deleted)");
        assert_eq!(
            link(&[b'x'; 300]),
            format!("/memfd:kind {longest} (deleted)")
        );
    }
}
