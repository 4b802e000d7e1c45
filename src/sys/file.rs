//! Files by their paths.

use std::fs;
use std::io;
use std::path::Path;

use nix::errno::Errno;

/// Reads a whole file as text, `open(2)` and `read(2)`.
///
/// A file that is not UTF-8 is EILSEQ.
pub fn read_to_string(path: impl AsRef<Path>) -> Result<String, Errno> {
    fs::read_to_string(path).map_err(|err| errno_of(&err))
}

/// The errno of a failed operation.
fn errno_of(err: &io::Error) -> Errno {
    err.raw_os_error().map_or(Errno::EILSEQ, Errno::from_raw)
}
