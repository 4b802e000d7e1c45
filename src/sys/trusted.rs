//! Opens a log or a pid file in a directory that another user may change.
//!
//! That user can replace the file by a symbolic link, by a hard link to a file
//! of root, or by a FIFO without a reader. Without the checks of this file, root
//! would write to the wrong file, make the user its owner, or wait for a reader.

mod place;

use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd, RawFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{SFlag, fstat};

use self::place::{Place, Untrusted, find, is_kind, is_roots};
use super::fd::{above_stdio, give};
use super::file::read_all;
use super::user;

/// What happens to the owner of a log that is opened.
#[derive(Clone, Copy)]
pub enum Owner {
    /// It stays as it is. The log may be a file of this user.
    May(libc::uid_t),
    /// This user becomes the owner.
    Becomes(libc::uid_t),
}

/// Opens a file to append to it, close-on-exec. The file is created if it does
/// not exist.
///
/// A symbolic link is followed only if no other user can have made it: its
/// directory is root's, and only root may write to it. The target of a link at
/// the end of the path keeps its owner. So does a file that is not a regular
/// one, such as `/dev/null`.
///
/// Fails with ELOOP at another link. Fails with EPERM at a file that another
/// user may have put there: a hard link, or a file that is not a regular one.
///
/// # References
///
/// `openat(2)`, `fchown(2)`, `path_resolution(7)`.
pub fn open_append(path: &Path, owner: Owner) -> Result<RawFd, Errno> {
    let place = find(path, Untrusted::Refused)?;
    let safe = is_roots(&place.directory)?;
    let mut flags = OFlag::O_WRONLY | OFlag::O_APPEND | OFlag::O_CREAT;

    if !safe {
        // With O_NONBLOCK, opening a FIFO without a reader fails at once.
        flags |= OFlag::O_NONBLOCK;
    }

    let file = place.open(flags)?;

    check_owner(&file, owner, safe, place.linked)?;

    above_stdio(file).map(IntoRawFd::into_raw_fd)
}

/// Makes a file with the contents `bytes`, or replaces the file that the path
/// names. A process that reads the file meanwhile finds the complete old or the
/// complete new contents.
///
/// The function writes to a new file in the same directory, and renames it. So a
/// link at the end of the path is replaced. Root follows such a link in a
/// directory that only root can change, and fails with ELOOP at any other link
/// that another user can have made.
///
/// If the path names neither a regular file nor a link, or no file can be made
/// beside it, the function writes to the file that is there. Root does so only in
/// a directory that only root can change.
///
/// # References
///
/// `openat(2)`, `renameat(2)`.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Errno> {
    let (place, safe) = if user::is_root() {
        let place = find(path, Untrusted::Replaced)?;
        let safe = is_roots(&place.directory)?;

        (place, safe)
    } else {
        (Place::of(path)?, true)
    };

    if safe && place.is_special()? {
        return place.overwrite(bytes);
    }

    match place.replace(bytes) {
        Err(Errno::EACCES | Errno::EPERM | Errno::EROFS | Errno::EBUSY) if safe => {
            place.overwrite(bytes)
        }
        result => result,
    }
}

/// Reads a file into `buffer`. Returns the contents, or as many bytes as `buffer`
/// has room for, and the owner of the file. Does not wait for the writer of a
/// FIFO.
///
/// Links are followed as by [`open_append`].
pub fn read<'a>(path: &Path, buffer: &'a mut [u8]) -> Result<(&'a [u8], libc::uid_t), Errno> {
    let file = find(path, Untrusted::Refused)?.open(OFlag::O_RDONLY | OFlag::O_NONBLOCK)?;
    let owner = fstat(&file)?.st_uid;

    Ok((read_all(&file, buffer)?, owner))
}

/// Changes the owner of a file that has been opened, or refuses the file. `safe`:
/// only root can change the directory of the file. `linked`: the path ended with a
/// symbolic link.
fn check_owner(file: &OwnedFd, owner: Owner, safe: bool, linked: bool) -> Result<(), Errno> {
    let stat = fstat(file)?;
    let (Owner::May(user) | Owner::Becomes(user)) = owner;
    let has_one_name = is_kind(&stat, SFlag::S_IFREG) && stat.st_nlink == 1;

    if stat.st_uid == user {
        return Ok(());
    }

    if !has_one_name && !safe {
        return Err(Errno::EPERM);
    }

    match owner {
        Owner::Becomes(_) if has_one_name && !linked => give(file.as_raw_fd(), user),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
