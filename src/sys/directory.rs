//! The directory in which the program was started. A relative path of the
//! configuration means a file in this directory, also in a process that has changed its
//! working directory since.

use std::ffi::CStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;

use nix::errno::Errno;

use super::path::{CPath, SIZE};

static START: OnceLock<CPath> = OnceLock::new();

/// Stores the working directory of this process as that of the program, at the first
/// call. If the kernel does not tell it, relative paths stay relative.
///
/// # References
///
/// `getcwd(3)`.
pub fn remember() {
    if let Ok(directory) = current() {
        START.get_or_init(|| directory);
    }
}

fn current() -> Result<CPath, Errno> {
    let mut buffer = [0_u8; SIZE];

    // SAFETY: getcwd() writes at most `SIZE` bytes to `buffer`.
    if unsafe { libc::getcwd(buffer.as_mut_ptr().cast(), SIZE) }.is_null() {
        return Err(Errno::last());
    }

    let path = CStr::from_bytes_until_nul(&buffer).unwrap_or_default();

    // The kernel marks a directory that cannot be reached with "(unreachable)".
    if !path.to_bytes().starts_with(b"/") {
        return Err(Errno::ENOENT);
    }

    CPath::new(&[path.to_bytes()])
}

/// Makes an absolute path of a path in the configuration.
///
/// Returns `ENAMETOOLONG` if the result is too long for the kernel.
pub fn absolute(path: &Path) -> Result<CPath, Errno> {
    join(START.get().map(CPath::as_path), path)
}

/// The path `path` in the directory `directory`, unless `path` is absolute.
pub fn join(directory: Option<&Path>, path: &Path) -> Result<CPath, Errno> {
    let directory = directory
        .filter(|_| !path.is_absolute())
        .map_or(&b""[..], |directory| directory.as_os_str().as_bytes());
    let slash: &[u8] = match directory.last() {
        None | Some(b'/') => b"",
        Some(_) => b"/",
    };

    CPath::new(&[directory, slash, path.as_os_str().as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::testing::in_child;
    use crate::sys::user;

    #[test]
    fn paths_are_joined() {
        let join = |directory: Option<&str>, path: &str| {
            let path = join(directory.map(Path::new), Path::new(path)).unwrap();

            path.as_path().to_str().map(str::to_string).unwrap()
        };

        assert_eq!(join(Some("/run"), "log"), "/run/log");
        assert_eq!(join(Some("/"), "log"), "/log");
        assert_eq!(join(Some("/run"), "/var/log"), "/var/log");
        assert_eq!(join(None, "log"), "log");
    }

    #[test]
    fn a_path_keeps_its_meaning() {
        in_child(|| {
            user::chdir(Path::new("/proc")).unwrap();
            remember();
            user::chdir(Path::new("/")).unwrap();
            remember();
            assert_eq!(
                absolute(Path::new("x")).unwrap().as_path(),
                Path::new("/proc/x")
            );
        });
    }
}
