//! Opening a log or a pid file as root in a directory that another user may
//! change.
//!
//! That user can replace the file by a symbolic link, by a hard link to a file
//! of root, or by a FIFO without a reader. Root would write to the wrong file,
//! make the user its owner, or wait for a reader.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, IntoRawFd, OwnedFd, RawFd};
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat, readlinkat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat};
use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs};
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::fd::{above_stdio, give};
use super::file::errno_of;

/// The largest number of symbolic links in a path, as in `path_resolution(7)`.
const MOST_LINKS: usize = 40;

/// What happens to the owner of a log that is opened.
#[derive(Clone, Copy)]
pub enum Owner {
    /// It stays as it is. The log may be a file of this user.
    May(libc::uid_t),
    /// This user becomes the owner.
    Becomes(libc::uid_t),
}

/// The directory of a file, and the file's name in it.
struct Place {
    directory: OwnedFd,
    name: OsString,
    /// The path ended with a symbolic link, which has been followed.
    linked: bool,
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
        // Opening a FIFO without a reader fails then, and does not wait.
        flags |= OFlag::O_NONBLOCK;
    }

    let file = place.open(flags)?;

    check_owner(&file, owner, safe, place.linked)?;

    above_stdio(file).map(IntoRawFd::into_raw_fd)
}

/// Writes `text` to a file: creates the file, or replaces its contents.
///
/// Links are followed as by [`open_append`]. In a directory that another user can
/// change, the last name of the path gets a new file, also if it was a link.
///
/// # References
///
/// `openat(2)`, `unlinkat(2)`.
pub fn write(path: &Path, text: &str) -> Result<(), Errno> {
    let place = find(path, Untrusted::Replaced)?;
    let mut flags = OFlag::O_WRONLY | OFlag::O_TRUNC | OFlag::O_CREAT;

    if !is_roots(&place.directory)? {
        place.unlink()?;
        flags |= OFlag::O_EXCL;
    }

    with_file(place.open(flags)?, |file| file.write_all(text.as_bytes()))
}

/// Reads a text file. Returns its text and its owner. Does not wait for the
/// writer of a FIFO.
///
/// Links are followed as by [`open_append`]. Returns `EILSEQ` if the file is not
/// UTF-8.
pub fn read(path: &Path) -> Result<(String, libc::uid_t), Errno> {
    let file = find(path, Untrusted::Refused)?.open(OFlag::O_RDONLY | OFlag::O_NONBLOCK)?;
    let owner = fstat(&file)?.st_uid;
    let mut text = String::new();

    with_file(file, |file| file.read_to_string(&mut text).map(drop))?;

    Ok((text, owner))
}

fn with_file(file: OwnedFd, act: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), Errno> {
    act(&mut File::from(file)).map_err(|err| errno_of(&err))
}

impl Place {
    /// Opens the file, close-on-exec. Does not follow a link: `find` has
    /// followed those that may be followed.
    fn open(&self, mut flags: OFlag) -> Result<OwnedFd, Errno> {
        flags |= OFlag::O_CLOEXEC;

        if !is_proc(&self.directory)? {
            flags |= OFlag::O_NOFOLLOW;
        }

        let mode = Mode::from_bits_truncate(0o644);

        openat(&self.directory, self.name.as_os_str(), flags, mode)
    }

    /// Removes the file, if there is one.
    fn unlink(&self) -> Result<(), Errno> {
        match unlinkat(
            &self.directory,
            self.name.as_os_str(),
            UnlinkatFlags::NoRemoveDir,
        ) {
            Err(Errno::ENOENT) => Ok(()),
            result => result,
        }
    }
}

/// Changes the owner of a file that has been opened, or refuses the file.
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

/// What happens to a link at the end of a path that another user can have made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Untrusted {
    /// The path is refused with ELOOP.
    Refused,
    /// The caller replaces the link.
    Replaced,
}

/// Follows a path up to its last name.
fn find(path: &Path, untrusted: Untrusted) -> Result<Place, Errno> {
    let mut directory = start_of(path)?;
    let mut rest = names(path);
    let mut linked = false;
    let mut links = 0;

    loop {
        let name = rest.pop().ok_or(Errno::EISDIR)?;
        let is_last = rest.is_empty();

        if let Some(target) = link(&directory, &name)? {
            links += 1;

            if links > MOST_LINKS || !is_roots(&directory)? {
                if is_last && untrusted == Untrusted::Replaced {
                    return Ok(Place {
                        directory,
                        name,
                        linked,
                    });
                }

                return Err(Errno::ELOOP);
            }

            linked |= is_last;

            if target.is_absolute() {
                directory = start_of(&target)?;
            }

            rest.extend(names(&target));
        } else if is_last {
            return Ok(Place {
                directory,
                name,
                linked,
            });
        } else {
            directory = openat(&directory, name.as_os_str(), DIRECTORY, Mode::empty())?;
        }
    }
}

const DIRECTORY: OFlag = OFlag::O_PATH
    .union(OFlag::O_DIRECTORY)
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);

/// The directory in which a path begins.
fn start_of(path: &Path) -> Result<OwnedFd, Errno> {
    let start = if path.is_absolute() { "/" } else { "." };

    open(start, DIRECTORY, Mode::empty())
}

/// The names of a path, the first one last.
fn names(path: &Path) -> Vec<OsString> {
    path.components()
        .rev()
        .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir))
        .map(|part| part.as_os_str().to_os_string())
        .collect()
}

/// The target of a symbolic link; `None` if `name` is no link or does not exist.
/// The links of `/proc/PID/fd` are opened as they are: what they contain is
/// not always a path, see `proc_pid_fd(5)`.
fn link(directory: &OwnedFd, name: &OsString) -> Result<Option<PathBuf>, Errno> {
    let stat = match fstatat(directory, name.as_os_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
        Err(Errno::ENOENT) => return Ok(None),
        result => result?,
    };

    // "self" is the one link of /proc that leads to a directory.
    if !is_kind(&stat, SFlag::S_IFLNK) || (is_proc(directory)? && name != "self") {
        return Ok(None);
    }

    readlinkat(directory, name.as_os_str()).map(|target| Some(target.into()))
}

fn is_kind(stat: &FileStat, kind: SFlag) -> bool {
    stat.st_mode & SFlag::S_IFMT.bits() == kind.bits()
}

/// Whether only root can make links in a directory.
fn is_roots(directory: &OwnedFd) -> Result<bool, Errno> {
    let stat = fstat(directory)?;
    let others = (Mode::S_IWGRP | Mode::S_IWOTH).bits();

    Ok(stat.st_uid == 0 && stat.st_mode & others == 0)
}

fn is_proc(directory: &OwnedFd) -> Result<bool, Errno> {
    Ok(fstatfs(directory.as_fd())?.filesystem_type() == PROC_SUPER_MAGIC)
}

#[cfg(test)]
mod tests;
