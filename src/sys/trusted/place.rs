//! Finds the directory and the name of a file, and follows only the symbolic links
//! that no other user can have made.

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat, renameat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat};
use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs};
use nix::unistd::{UnlinkatFlags, unlinkat};

use crate::sys::buffer::copy;
use crate::sys::file::write_all;
use crate::sys::path::{self, CPath};

/// The largest number of symbolic links in a path, as in `path_resolution(7)`.
const MOST_LINKS: usize = 40;

/// The largest number of names that a process tries for a new file. A process that was
/// killed while it wrote can have left its file.
const MOST_NAMES: u32 = 100;

const DIRECTORY: OFlag = OFlag::O_PATH
    .union(OFlag::O_DIRECTORY)
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);

/// The directory of a file, and the file's name in it.
pub(super) struct Place {
    pub(super) directory: OwnedFd,
    pub(super) name: CPath,
    /// The path ended with a symbolic link, which has been followed.
    pub(super) linked: bool,
}

/// What happens to a link at the end of a path that another user can have made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Untrusted {
    /// The path is refused with ELOOP.
    Refused,
    /// The caller replaces the link.
    Replaced,
}

impl Place {
    /// The place of a path; the kernel follows the links in the directory's name.
    pub(super) fn of(path: &Path) -> Result<Self, Errno> {
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
    pub(super) fn open(&self, mut flags: OFlag) -> Result<OwnedFd, Errno> {
        flags |= OFlag::O_CLOEXEC;

        if !is_proc(&self.directory)? {
            flags |= OFlag::O_NOFOLLOW;
        }

        let mode = Mode::from_bits_truncate(0o644);

        openat(&self.directory, self.name.as_c_str(), flags, mode)
    }

    /// Whether there is a file that is neither a regular file nor a link.
    pub(super) fn is_special(&self) -> Result<bool, Errno> {
        let name = self.name.as_c_str();

        match fstatat(&self.directory, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Err(Errno::ENOENT) => Ok(false),
            result => result
                .map(|stat| !is_kind(&stat, SFlag::S_IFREG) && !is_kind(&stat, SFlag::S_IFLNK)),
        }
    }

    /// Writes `bytes` to the file, which is created if it does not exist.
    pub(super) fn overwrite(&self, bytes: &[u8]) -> Result<(), Errno> {
        let flags = OFlag::O_WRONLY | OFlag::O_TRUNC | OFlag::O_CREAT;

        write_all(&self.open(flags)?, bytes)
    }

    /// Writes `bytes` to a new file, which then gets the name of this place.
    pub(super) fn replace(&self, bytes: &[u8]) -> Result<(), Errno> {
        let (new, file) = self.create_beside()?;
        let (from, to) = (new.name.as_c_str(), self.name.as_c_str());

        write_all(&file, bytes)
            .and_then(|()| renameat(&new.directory, from, &self.directory, to))
            .inspect_err(|_| {
                let _ = new.unlink();
            })
    }

    /// Makes a new file in the same directory. A process of another container can have
    /// the same pid, `pid_namespaces(7)`, and write to the same directory. So a file that
    /// has the name already is not touched, and the new file gets another name.
    ///
    /// Returns `EEXIST` if there are files with all [`MOST_NAMES`] names.
    fn create_beside(&self) -> Result<(Self, OwnedFd), Errno> {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL;
        let pid = std::process::id();

        for n in 0..MOST_NAMES {
            let new = Self {
                directory: openat(&self.directory, c".", DIRECTORY, Mode::empty())?,
                name: CPath::formatted(format_args!(".ngx_ipc.{pid}.{n}"))?,
                linked: false,
            };

            match new.open(flags) {
                Err(Errno::EEXIST) => {}
                result => return result.map(|file| (new, file)),
            }
        }

        Err(Errno::EEXIST)
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

/// Follows a path up to its last name.
pub(super) fn find(path: &Path, untrusted: Untrusted) -> Result<Place, Errno> {
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

pub(super) fn is_kind(stat: &FileStat, kind: SFlag) -> bool {
    stat.st_mode & SFlag::S_IFMT.bits() == kind.bits()
}

/// Whether only root can make files and links in a directory.
pub(super) fn is_roots(directory: &OwnedFd) -> Result<bool, Errno> {
    let stat = fstat(directory)?;
    let others = (Mode::S_IWGRP | Mode::S_IWOTH).bits();

    Ok(stat.st_uid == 0 && stat.st_mode & others == 0)
}

fn is_proc(directory: &OwnedFd) -> Result<bool, Errno> {
    Ok(fstatfs(directory.as_fd())?.filesystem_type() == PROC_SUPER_MAGIC)
}
