//! Files that are read or written as a whole, renamed or removed.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::{Mode, SFlag, stat};

use super::path::CPath;

/// Reads a file into `buffer`. Returns the contents, or as many bytes as
/// `buffer` has room for.
///
/// # References
///
/// `open(2)`, `read(2)`.
pub fn read<'a>(path: &Path, buffer: &'a mut [u8]) -> Result<&'a [u8], Errno> {
    let path = CPath::of(path)?;
    let file = open_retried(path.as_c_str(), OFlag::O_RDONLY)?;

    read_all(&file, buffer)
}

/// Reads an open file as [`read`] does.
pub(super) fn read_all<'a>(file: &OwnedFd, buffer: &'a mut [u8]) -> Result<&'a [u8], Errno> {
    let mut len = 0;

    while let Some(rest) = buffer.get_mut(len..).filter(|rest| !rest.is_empty()) {
        match nix::unistd::read(file, rest) {
            Err(Errno::EINTR) => {}
            Err(err) => return Err(err),
            Ok(0) => break,
            Ok(n) => len += n,
        }
    }

    Ok(buffer.get(..len).unwrap_or_default())
}

/// Writes `bytes` to an open file.
pub(super) fn write_all(file: &OwnedFd, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match super::fd::write(file.as_raw_fd(), bytes) {
            Err(Errno::EINTR) => {}
            Err(err) => return Err(err),
            Ok(n) => bytes = bytes.get(n..).unwrap_or_default(),
        }
    }

    Ok(())
}

/// Opens a file, close-on-exec. Repeats `open(2)` if a signal has interrupted it.
fn open_retried(path: &CStr, flags: OFlag) -> Result<OwnedFd, Errno> {
    let mode = Mode::from_bits_truncate(0o644);

    loop {
        match open(path, flags | OFlag::O_CLOEXEC, mode) {
            Err(Errno::EINTR) => {}
            result => return result,
        }
    }
}

/// Renames the file `from` to `to`. Replaces a file that has the name `to`
/// already.
///
/// # References
///
/// `rename(2)`.
pub fn rename(from: &Path, to: &Path) -> Result<(), Errno> {
    let (from, to) = (CPath::of(from)?, CPath::of(to)?);

    // SAFETY: both paths are C strings.
    Errno::result(unsafe { libc::rename(from.as_c_str().as_ptr(), to.as_c_str().as_ptr()) })
        .map(drop)
}

/// Returns `ENOTDIR` if there is a file at `path` that is no directory, `stat(2)`.
pub fn check_directory(path: &Path) -> Result<(), Errno> {
    let mode = stat(CPath::of(path)?.as_c_str())?.st_mode;

    if mode & SFlag::S_IFMT.bits() == SFlag::S_IFDIR.bits() {
        Ok(())
    } else {
        Err(Errno::ENOTDIR)
    }
}

/// Removes a file.
///
/// # References
///
/// `unlink(2)`.
pub fn remove(path: &Path) -> Result<(), Errno> {
    nix::unistd::unlink(CPath::of(path)?.as_c_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_renamed_and_removed() {
        let dir = std::env::temp_dir();
        let old = dir.join(format!("ngx-ipc-file-{}", std::process::id()));
        let new = old.with_extension("new");
        let mut buffer = [0; 64];

        std::fs::write(&old, b"text\n").unwrap();
        rename(&old, &new).unwrap();

        assert_eq!(read(&old, &mut buffer), Err(Errno::ENOENT));
        assert_eq!(read(&new, &mut buffer), Ok(&b"text\n"[..]));
        assert_eq!(read(&new, &mut buffer[..2]), Ok(&b"te"[..]));
        assert_eq!(remove(&new), Ok(()));
        assert_eq!(remove(&new), Err(Errno::ENOENT));
    }
}
