//! Opens a log or a pid file in a directory that another user may change.
//!
//! That user can replace the file by a symbolic link, by a hard link to a file
//! of root, or by a FIFO without a reader. Without the checks of this file, root
//! would write to the wrong file, make the user its owner, or wait for a reader.

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat, renameat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat};
use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs};
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::buffer::copy;
use super::fd::{above_stdio, give};
use super::file::{read_all, write_all};
use super::path::{self, CPath};
use super::user;

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
    name: CPath,
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

impl Place {
    /// The place of a path; the kernel follows the links in the directory's name.
    fn of(path: &Path) -> Result<Self, Errno> {
        let name = path.file_name().ok_or(Errno::EISDIR)?;

        if path.as_os_str().as_bytes().ends_with(b"/") {
            return Err(Errno::EISDIR);
        }

        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => CPath::of(parent)?,
            _ => CPath::new(&[b"."])?,
        };
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;

        Ok(Self {
            directory: open(directory.as_c_str(), flags, Mode::empty())?,
            name: CPath::new(&[name.as_bytes()])?,
            linked: false,
        })
    }

    /// Opens the file, close-on-exec. Does not follow a link: `find` has
    /// followed those that may be followed.
    fn open(&self, mut flags: OFlag) -> Result<OwnedFd, Errno> {
        flags |= OFlag::O_CLOEXEC;

        if !is_proc(&self.directory)? {
            flags |= OFlag::O_NOFOLLOW;
        }

        let mode = Mode::from_bits_truncate(0o644);

        openat(&self.directory, self.name.as_c_str(), flags, mode)
    }

    /// Whether there is a file that is neither a regular file nor a link.
    fn is_special(&self) -> Result<bool, Errno> {
        let name = self.name.as_c_str();

        match fstatat(&self.directory, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Err(Errno::ENOENT) => Ok(false),
            result => result
                .map(|stat| !is_kind(&stat, SFlag::S_IFREG) && !is_kind(&stat, SFlag::S_IFLNK)),
        }
    }

    /// Writes `bytes` to the file, which is created if it does not exist.
    fn overwrite(&self, bytes: &[u8]) -> Result<(), Errno> {
        let flags = OFlag::O_WRONLY | OFlag::O_TRUNC | OFlag::O_CREAT;

        write_all(&self.open(flags)?, bytes)
    }

    /// Writes `bytes` to a new file, which then gets the name of this place.
    fn replace(&self, bytes: &[u8]) -> Result<(), Errno> {
        let new = self.beside()?;
        let (from, to) = (new.name.as_c_str(), self.name.as_c_str());
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL;

        new.unlink()?;

        let file = new.open(flags)?;

        write_all(&file, bytes)
            .and_then(|()| renameat(&new.directory, from, &self.directory, to))
            .inspect_err(|_| {
                let _ = new.unlink();
            })
    }

    /// The place of a file of this process in the same directory.
    fn beside(&self) -> Result<Self, Errno> {
        Ok(Self {
            directory: openat(&self.directory, c".", DIRECTORY, Mode::empty())?,
            name: CPath::formatted(format_args!(".ngx_ipc.{}", std::process::id()))?,
            linked: false,
        })
    }

    /// Removes the file, if there is one.
    fn unlink(&self) -> Result<(), Errno> {
        match unlinkat(
            &self.directory,
            self.name.as_c_str(),
            UnlinkatFlags::NoRemoveDir,
        ) {
            Err(Errno::ENOENT) => Ok(()),
            result => result,
        }
    }
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
    let path = path.as_os_str().as_bytes();
    let mut directory = start_of(path)?;
    let mut rest = Rest::new(path)?;
    let mut linked = false;
    let mut links = 0;

    loop {
        let name = rest.take()?.ok_or(Errno::EISDIR)?;
        let is_last = rest.is_empty();
        let mut target = [0; path::SIZE];

        if let Some(target) = link(&directory, name.as_c_str(), &mut target)? {
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

            if target.starts_with(b"/") {
                directory = start_of(target)?;
            }

            rest.prepend(target)?;
        } else if is_last {
            return Ok(Place {
                directory,
                name,
                linked,
            });
        } else {
            directory = openat(&directory, name.as_c_str(), DIRECTORY, Mode::empty())?;
        }
    }
}

/// The part of a path that has not been followed yet. The target of a link is
/// put before the rest of the path.
struct Rest {
    /// The rest of the path is the end of this array.
    bytes: [u8; path::SIZE],
    start: usize,
}

impl Rest {
    fn new(path: &[u8]) -> Result<Self, Errno> {
        let mut rest = Self {
            bytes: [0; path::SIZE],
            start: path::SIZE,
        };

        rest.prepend(path)?;

        Ok(rest)
    }

    /// Puts `path` and a slash before the rest. Returns `ENAMETOOLONG` if there
    /// is no room.
    fn prepend(&mut self, path: &[u8]) -> Result<(), Errno> {
        let (end, room) = (self.start, path.len().saturating_add(1));
        let start = end.checked_sub(room).ok_or(Errno::ENAMETOOLONG)?;
        let to = self.bytes.get_mut(start..end).unwrap_or_default();

        copy(to, path);
        to.iter_mut().skip(path.len()).for_each(|end| *end = b'/');
        self.start = start;

        Ok(())
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// Takes the first name out of the rest; `None` if there is no name.
    fn take(&mut self) -> Result<Option<CPath>, Errno> {
        let mut start = self.start;

        for part in self.bytes().split(|&byte| byte == b'/') {
            start += part.len() + 1;

            if is_name(part) {
                let name = CPath::new(&[part])?;

                self.start = start;

                return Ok(Some(name));
            }
        }

        Ok(None)
    }

    /// Whether the name that was taken last is the end of the path. A slash behind
    /// this name, or "/.", means that the name is that of a directory,
    /// `path_resolution(7)`.
    fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }
}

/// Whether a part of a path names a file. The part between two slashes can be
/// empty, and "." is the directory itself.
fn is_name(part: &[u8]) -> bool {
    !part.is_empty() && part != b"."
}

const DIRECTORY: OFlag = OFlag::O_PATH
    .union(OFlag::O_DIRECTORY)
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);

/// The directory in which a path begins.
fn start_of(path: &[u8]) -> Result<OwnedFd, Errno> {
    let start = if path.starts_with(b"/") { c"/" } else { c"." };

    open(start, DIRECTORY, Mode::empty())
}

/// Reads the target of a symbolic link into `target`. Returns `None` if `name` is
/// no link or does not exist, and for links in `/proc`, such as `/proc/PID/fd/0`:
/// the kernel follows these, because their text is not always a path, see
/// `proc_pid_fd(5)`.
fn link<'a>(
    directory: &OwnedFd,
    name: &CStr,
    target: &'a mut [u8],
) -> Result<Option<&'a [u8]>, Errno> {
    let stat = match fstatat(directory, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
        Err(Errno::ENOENT) => return Ok(None),
        result => result?,
    };

    // The path can continue behind "/proc/self", so this link is followed here.
    if !is_kind(&stat, SFlag::S_IFLNK) || (is_proc(directory)? && name != c"self") {
        return Ok(None);
    }

    let (fd, size) = (directory.as_raw_fd(), target.len());

    // SAFETY: `name` is a C string, and the kernel writes at most `size` bytes to
    // `target`.
    let n = Errno::result(unsafe {
        libc::readlinkat(fd, name.as_ptr(), target.as_mut_ptr().cast(), size)
    })?;
    let n = n.unsigned_abs();

    if n == size {
        return Err(Errno::ENAMETOOLONG);
    }

    Ok(target.get(..n))
}

fn is_kind(stat: &FileStat, kind: SFlag) -> bool {
    stat.st_mode & SFlag::S_IFMT.bits() == kind.bits()
}

/// Whether only root can make files and links in a directory.
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
