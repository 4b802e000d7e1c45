//! Files that are read or written as a whole, renamed or removed.

use std::fs;
use std::io;
use std::path::Path;

use nix::errno::Errno;

/// Reads a text file.
///
/// Returns `EILSEQ` if the file is not UTF-8.
///
/// # References
///
/// `open(2)`, `read(2)`.
pub fn read_to_string(path: impl AsRef<Path>) -> Result<String, Errno> {
    fs::read_to_string(path).map_err(|err| errno_of(&err))
}

/// Writes `text` to a file: creates the file, or replaces its contents.
///
/// # References
///
/// `open(2)`, `write(2)`.
pub fn write(path: &Path, text: &str) -> Result<(), Errno> {
    fs::write(path, text).map_err(|err| errno_of(&err))
}

/// Renames the file `from` to `to`. Replaces a file that has the name `to`
/// already.
///
/// # References
///
/// `rename(2)`.
pub fn rename(from: &Path, to: &Path) -> Result<(), Errno> {
    fs::rename(from, to).map_err(|err| errno_of(&err))
}

/// Removes a file.
///
/// # References
///
/// `unlink(2)`.
pub fn remove(path: &Path) -> Result<(), Errno> {
    fs::remove_file(path).map_err(|err| errno_of(&err))
}

/// The errno of a failed operation. A failure without an errno means that the
/// file is not UTF-8: `EILSEQ`.
pub(super) fn errno_of(err: &io::Error) -> Errno {
    err.raw_os_error().map_or(Errno::EILSEQ, Errno::from_raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_read_renamed_and_removed() {
        let dir = std::env::temp_dir();
        let old = dir.join(format!("ngx-ipc-file-{}", std::process::id()));
        let new = old.with_extension("new");

        write(&old, "a long text\n").unwrap();
        write(&old, "text\n").unwrap();
        rename(&old, &new).unwrap();

        assert_eq!(read_to_string(&old), Err(Errno::ENOENT));
        assert_eq!(read_to_string(&new).as_deref(), Ok("text\n"));
        assert_eq!(remove(&new), Ok(()));
        assert_eq!(remove(&new), Err(Errno::ENOENT));
    }
}
