//! The environment variable that tells a new binary which files of zones its old binary uses.
//! So the new binary, which is executed at SIGUSR2, takes these files although processes use them,
//! and leaves those of another program in the same directory alone.
//!
//! The variable has a version, and for each file ";", the device, ":" and the inode.

use std::ffi::CStr;
use std::fmt::Write;

use nix::errno::Errno;

use crate::sys::fd::Identity;
use crate::sys::lock::Lock;
use crate::sys::{environment, heap};

const NAME: &CStr = c"NGX_IPC_ZONE_FILES";
const VERSION: &str = "1";

/// The files of the old binary.
static OLD: Lock<Vec<Identity>> = Lock::new(Vec::new());

/// Reads the variable that the old binary has set, and removes it, so that a program that this
/// process executes does not have it.
pub fn inherit() {
    let Some(value) = environment::get(NAME) else {
        return;
    };

    // If the text is not valid, or there is no memory, files are those of another program.
    *OLD.lock() = read(value).unwrap_or_default();
    environment::remove(NAME);
}

/// Whether the old binary uses the file.
pub fn is_of_old_binary(file: Identity) -> bool {
    OLD.lock().contains(&file)
}

/// Forgets the files of the old binary.
pub fn forget() {
    OLD.lock().clear();
}

fn read(value: &str) -> Option<Vec<Identity>> {
    let mut files = Vec::new();
    let rest = value.strip_prefix(VERSION)?;

    if rest.is_empty() {
        return Some(files);
    }

    for text in rest.strip_prefix(';')?.split(';') {
        let (device, inode) = text.split_once(':')?;

        heap::push(&mut files, (device.parse().ok()?, inode.parse().ok()?)).ok()?;
    }

    Some(files)
}

/// The variable for these files, with its name and a NUL at its end. Fails with ENOMEM.
pub fn write(files: &[Identity]) -> Result<Vec<u8>, Errno> {
    let mut text = heap::Writer::new();
    let name = NAME.to_str().unwrap_or_default();

    write!(text, "{name}={VERSION}").or(Err(Errno::ENOMEM))?;

    for (device, inode) in files {
        write!(text, ";{device}:{inode}").or(Err(Errno::ENOMEM))?;
    }

    write!(text, "\0").or(Err(Errno::ENOMEM))?;

    Ok(text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for files in [&[][..], &[(1, 2)], &[(2049, u64::MAX), (0, 7)]] {
            let text = write(files).unwrap();
            let text = CStr::from_bytes_with_nul(&text).unwrap().to_str().unwrap();
            let (name, value) = text.split_once('=').unwrap();

            assert_eq!(name, NAME.to_str().unwrap());
            assert_eq!(read(value), Some(files.to_vec()));
        }
    }

    #[test]
    fn garbage_is_refused() {
        for value in [
            "", "2", "1x", "1;", "1;5", "1;5:", "1;:5", "1;5:-1", "1;1:2;", "1;1:2:3",
        ] {
            assert_eq!(read(value), None, "{value}");
        }
    }
}
