//! Paths as C strings, on the stack, so that no call with a path allocates
//! memory.

use std::ffi::{CStr, OsStr};
use std::fmt::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::errno::Errno;

use super::buffer::copy;

/// The size of the longest path that the kernel takes, with the NUL at its end.
pub const SIZE: usize = libc::PATH_MAX as usize;

/// A path as a C string.
pub struct CPath {
    /// The path, and zeros behind it.
    bytes: [u8; SIZE],
    len: usize,
}

impl CPath {
    /// Joins `parts` to a path.
    ///
    /// Returns `ENAMETOOLONG` if the path is too long for the kernel, and
    /// `EINVAL` if it has a NUL.
    pub fn new(parts: &[&[u8]]) -> Result<Self, Errno> {
        let mut path = Self {
            bytes: [0; SIZE],
            len: 0,
        };

        parts.iter().try_for_each(|part| path.append(part))?;

        Ok(path)
    }

    /// Makes a path of a text. Fails with `ENAMETOOLONG` if it is no path of the
    /// kernel.
    pub fn formatted(text: fmt::Arguments<'_>) -> Result<Self, Errno> {
        let mut path = Self::new(&[])?;

        path.write_fmt(text).or(Err(Errno::ENAMETOOLONG))?;

        Ok(path)
    }

    fn append(&mut self, part: &[u8]) -> Result<(), Errno> {
        if part.contains(&0) {
            return Err(Errno::EINVAL);
        }

        if part.len() >= SIZE - self.len {
            return Err(Errno::ENAMETOOLONG);
        }

        self.len += copy(self.bytes.get_mut(self.len..).unwrap_or_default(), part);

        Ok(())
    }

    /// Converts a path. Fails as [`CPath::new`] does.
    pub fn of(path: &Path) -> Result<Self, Errno> {
        Self::new(&[path.as_os_str().as_bytes()])
    }

    /// The path as a C string.
    pub fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or_default()
    }

    /// The path.
    pub fn as_path(&self) -> &Path {
        let bytes = self.bytes.get(..self.len).unwrap_or_default();

        Path::new(OsStr::from_bytes(bytes))
    }
}

impl fmt::Write for CPath {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.append(text.as_bytes()).or(Err(fmt::Error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_joined() {
        let path = CPath::new(&[b"/run/", b"x.pid", b".oldbin"]).unwrap();

        assert_eq!(path.as_c_str(), c"/run/x.pid.oldbin");
        assert_eq!(path.as_path(), Path::new("/run/x.pid.oldbin"));

        let path = CPath::formatted(format_args!("/proc/{}", 7)).unwrap();

        assert_eq!(path.as_c_str(), c"/proc/7");
    }

    #[test]
    fn a_path_that_the_kernel_refuses_is_an_error() {
        let longest = [b'a'; SIZE - 1];

        assert!(CPath::new(&[&longest]).is_ok());
        assert_eq!(
            CPath::new(&[&longest, b"b"]).err(),
            Some(Errno::ENAMETOOLONG)
        );
        assert_eq!(CPath::new(&[b"a\0b"]).err(), Some(Errno::EINVAL));
    }
}
