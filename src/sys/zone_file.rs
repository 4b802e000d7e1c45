//! Files with the content of zones, in a directory that no other user may change.
//!
//! A new file has no name until it is complete, `O_TMPFILE`. So a process that is killed
//! leaves no file that is half written.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat, renameat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat};
use nix::unistd::{UnlinkatFlags, geteuid, unlinkat};

use super::fd::{self, Identity};
use super::flock::{FileLock, lock_soon};
use super::memory_file::largest_file;
use super::path::CPath;

/// The rights that other users must not have: those to change the directory.
const OTHERS_WRITE: Mode = Mode::S_IWGRP.union(Mode::S_IWOTH);

/// A directory with files of zones.
pub struct Directory(OwnedFd);

impl Directory {
    /// Opens the directory at `path`. Makes it for this user alone if it does not exist.
    ///
    /// Fails with EPERM if another user owns it or may change it, and with ENOTDIR if the path
    /// ends with a symbolic link.
    ///
    /// # References
    ///
    /// `mkdir(2)`, `open(2)`.
    pub fn open(path: &Path) -> Result<Self, Errno> {
        let path = CPath::of(path)?;
        let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_RDONLY | OFlag::O_CLOEXEC;

        match nix::unistd::mkdir(path.as_c_str(), Mode::S_IRWXU) {
            Ok(()) | Err(Errno::EEXIST) => {}
            Err(err) => return Err(err),
        }

        let directory = open(path.as_c_str(), flags, Mode::empty())?;

        check(&fstat(&directory)?, OTHERS_WRITE)?;

        Ok(Self(directory))
    }

    /// Locks the directory, so that no other process of this library takes or replaces a file of
    /// it. The lock is released when the result is dropped. Fails with EWOULDBLOCK if another
    /// process has the lock for a second.
    ///
    /// # References
    ///
    /// `flock(2)`.
    pub fn lock(&self) -> Result<FileLock, Errno> {
        lock_soon(fd::duplicate(self.0.as_raw_fd())?)
    }

    /// Opens a file to read it.
    ///
    /// Fails with ELOOP at a symbolic link. Fails with EPERM if the file is not a regular one,
    /// if it has another name as well, or if another user owns it or may access it.
    pub fn file(&self, name: &CStr) -> Result<OwnedFd, Errno> {
        self.open_file(name, OFlag::O_RDONLY)
    }

    /// Opens a file to read and to change it. Fails as [`file`](Self::file) does.
    pub fn file_to_change(&self, name: &CStr) -> Result<OwnedFd, Errno> {
        self.open_file(name, OFlag::O_RDWR)
    }

    fn open_file(&self, name: &CStr, flags: OFlag) -> Result<OwnedFd, Errno> {
        let flags = flags | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let file = openat(&self.0, name, flags, Mode::empty())?;
        let stat = fstat(&file)?;

        if stat.st_mode & SFlag::S_IFMT.bits() != SFlag::S_IFREG.bits() || stat.st_nlink != 1 {
            return Err(Errno::EPERM);
        }

        check(&stat, Mode::S_IRWXG | Mode::S_IRWXO)?;

        Ok(file)
    }

    /// Makes a file of `size` zeros without a name. The file has its memory already, so that no
    /// process gets SIGBUS because the file system is full.
    ///
    /// # References
    ///
    /// `O_TMPFILE` of `open(2)`.
    pub fn create(&self, size: usize) -> Result<OwnedFd, Errno> {
        // fallocate() would raise SIGXFSZ.
        if u64::try_from(size).unwrap_or(u64::MAX) > largest_file() {
            return Err(Errno::EFBIG);
        }

        let flags = OFlag::O_TMPFILE | OFlag::O_RDWR | OFlag::O_CLOEXEC;
        let file = openat(&self.0, c".", flags, Mode::S_IRUSR | Mode::S_IWUSR)?;

        reserve(&file, size)?;

        Ok(file)
    }

    /// Gives a file of [`create`](Self::create) a name. Replaces the file that has the name.
    /// `new` is the name that the file has for a moment.
    ///
    /// # References
    ///
    /// `linkat(2)`, `renameat(2)`.
    pub fn publish(&self, file: &OwnedFd, new: &CStr, name: &CStr) -> Result<(), Errno> {
        let link = CPath::formatted(format_args!("/proc/self/fd/{}", file.as_raw_fd()))?;

        self.remove(new)?;

        // SAFETY: both names are C strings.
        Errno::result(unsafe {
            libc::linkat(
                libc::AT_FDCWD,
                link.as_c_str().as_ptr(),
                self.0.as_raw_fd(),
                new.as_ptr(),
                libc::AT_SYMLINK_FOLLOW,
            )
        })?;

        renameat(&self.0, new, &self.0, name).inspect_err(|_| {
            let _ = self.remove(new);
        })
    }

    fn remove(&self, name: &CStr) -> Result<(), Errno> {
        match unlinkat(&self.0, name, UnlinkatFlags::NoRemoveDir) {
            Err(Errno::ENOENT) => Ok(()),
            result => result,
        }
    }

    /// Removes the file `name` if it is still that with this identity.
    pub fn remove_if(&self, name: &CStr, identity: Identity) -> Result<(), Errno> {
        let file = self.file(name)?;

        if fd::identity(file.as_raw_fd())? == identity {
            self.remove(name)?;
        }

        Ok(())
    }
}

/// Fails with EPERM if this user and root do not own a file, or if others have one of these
/// rights.
fn check(stat: &FileStat, rights: Mode) -> Result<(), Errno> {
    let is_owner = stat.st_uid == 0 || stat.st_uid == geteuid().as_raw();

    if is_owner && stat.st_mode & rights.bits() == 0 {
        Ok(())
    } else {
        Err(Errno::EPERM)
    }
}

/// Gives the first `size` bytes of a file their memory. A signal that interrupts this does not
/// make it fail.
///
/// # References
///
/// `fallocate(2)`.
pub fn reserve(file: &OwnedFd, size: usize) -> Result<(), Errno> {
    let len = libc::off_t::try_from(size).or(Err(Errno::EFBIG))?;

    loop {
        // SAFETY: fallocate() accesses no memory of this process.
        match Errno::result(unsafe { libc::fallocate(file.as_raw_fd(), 0, 0, len) }) {
            Err(Errno::EINTR) => {}
            result => return result.map(drop),
        }
    }
}

/// The size of a file in bytes.
pub fn size(file: &OwnedFd) -> Result<usize, Errno> {
    usize::try_from(fstat(file)?.st_size).or(Err(Errno::EFBIG))
}

/// Whether a process has mapped the file, or opened it, to write to it. `file` is open for
/// reading. False if the kernel does not tell.
///
/// # References
///
/// A read lease of `F_SETLEASE` in `fcntl(2)` is only given if there is no writer.
pub fn is_written(file: &OwnedFd) -> bool {
    // SAFETY: F_SETLEASE accesses no memory.
    let lease = |kind: libc::c_int| unsafe {
        Errno::result(libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, kind))
    };

    match lease(libc::F_RDLCK) {
        Err(err) => err == Errno::EAGAIN,
        Ok(_) => {
            let _ = lease(libc::F_UNLCK);

            false
        }
    }
}

/// Reads a part of a file, from the offset `at` on. Fails with EIO if the file is too short.
pub fn read_at(file: &OwnedFd, mut bytes: &mut [u8], mut at: usize) -> Result<(), Errno> {
    while !bytes.is_empty() {
        let offset = libc::off_t::try_from(at).or(Err(Errno::EFBIG))?;
        // SAFETY: the kernel writes at most as many bytes as `bytes` has.
        let n = Errno::result(unsafe {
            libc::pread(
                file.as_raw_fd(),
                bytes.as_mut_ptr().cast(),
                bytes.len(),
                offset,
            )
        });

        match n.map(isize::unsigned_abs) {
            Err(Errno::EINTR) => {}
            Err(err) => return Err(err),
            Ok(0) => return Err(Errno::EIO),
            Ok(n) => {
                at += n;
                bytes = bytes.get_mut(n..).unwrap_or_default();
            }
        }
    }

    Ok(())
}

/// Writes bytes to a file, from the offset `at` on.
pub fn write_at(file: &OwnedFd, mut bytes: &[u8], mut at: usize) -> Result<(), Errno> {
    while !bytes.is_empty() {
        let offset = libc::off_t::try_from(at).or(Err(Errno::EFBIG))?;
        // SAFETY: the kernel reads `bytes`, all of which is initialised.
        let n = Errno::result(unsafe {
            libc::pwrite(file.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), offset)
        });

        match n.map(isize::unsigned_abs) {
            Err(Errno::EINTR) => {}
            Err(err) => return Err(err),
            Ok(n) => {
                at += n;
                bytes = bytes.get(n..).unwrap_or_default();
            }
        }
    }

    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::PathBuf;

    use super::*;
    use crate::sys::shm::map_file;

    /// A directory of a test, without content.
    fn place(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("ngx-ipc-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);

        path
    }

    #[test]
    fn a_file_appears_complete() {
        let path = place("zone-file");
        let directory = Directory::open(&path).unwrap();
        let names = || fs::read_dir(&path).unwrap().count();

        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o700
        );

        let file = directory.create(8192).unwrap();

        write_at(&file, b"abc", 8000).unwrap();
        assert_eq!((names(), size(&file)), (0, Ok(8192)));

        // A process that was killed has left the other name.
        fs::write(path.join(".a"), b"").unwrap();
        directory.publish(&file, c".a", c"a").unwrap();
        assert_eq!(names(), 1);

        let mut bytes = [0; 3];
        let found = directory.file(c"a").unwrap();

        read_at(&found, &mut bytes, 8000).unwrap();
        assert_eq!(&bytes, b"abc");
        assert_eq!(read_at(&found, &mut bytes, 8190), Err(Errno::EIO));

        let identity = fd::identity(file.as_raw_fd()).unwrap();
        let other = directory.create(4096).unwrap();

        directory.publish(&other, c".a", c"a").unwrap();
        directory.remove_if(c"a", identity).unwrap();
        assert_eq!(names(), 1, "another file has the name");
        directory
            .remove_if(c"a", fd::identity(other.as_raw_fd()).unwrap())
            .unwrap();
        assert_eq!(names(), 0);
        fs::remove_dir_all(&path).unwrap();
    }

    #[test]
    fn a_directory_is_locked_by_one_process() {
        let path = place("zone-lock");
        let [one, two] = [(); 2].map(|()| Directory::open(&path).unwrap());
        let lock = one.lock().unwrap();

        assert_eq!(two.lock().err(), Some(Errno::EWOULDBLOCK));
        drop(lock);
        assert!(two.lock().is_ok());
        fs::remove_dir_all(&path).unwrap();
    }

    #[test]
    fn a_file_that_is_mapped_is_written() {
        let path = place("zone-written");
        let directory = Directory::open(&path).unwrap();
        let file = directory.create(4096).unwrap();

        directory.publish(&file, c".a", c"a").unwrap();

        let mapped = map_file(&file, 4096, 0).unwrap();
        let found = directory.file(c"a").unwrap();

        drop(file);
        assert!(is_written(&found));
        mapped.unmap().unwrap();
        assert!(!is_written(&found));
        fs::remove_dir_all(&path).unwrap();
    }

    #[test]
    fn what_others_can_have_made_is_refused() {
        let path = place("zone-others");
        let directory = Directory::open(&path).unwrap();
        let open = |name| directory.file(name).err();
        let mode = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };

        fs::write(path.join("a"), b"").unwrap();
        mode(&path.join("a"), 0o600);
        assert_eq!(open(c"a"), None);
        mode(&path.join("a"), 0o640);
        assert_eq!(open(c"a"), Some(Errno::EPERM));
        mode(&path.join("a"), 0o600);
        symlink("a", path.join("link")).unwrap();
        assert_eq!(open(c"link"), Some(Errno::ELOOP));
        fs::hard_link(path.join("a"), path.join("b")).unwrap();
        assert_eq!(open(c"a"), Some(Errno::EPERM));
        fs::create_dir(path.join("d")).unwrap();
        assert_eq!(open(c"d"), Some(Errno::EPERM));
        assert_eq!(open(c"none"), Some(Errno::ENOENT));

        mode(&path, 0o720);
        assert_eq!(Directory::open(&path).err(), Some(Errno::EPERM));
        mode(&path, 0o700);

        let link = place("zone-link");
        let _ = fs::remove_file(&link);

        symlink(&path, &link).unwrap();
        assert_eq!(Directory::open(&link).err(), Some(Errno::ENOTDIR));
        fs::remove_file(&link).unwrap();
        assert_eq!(
            Directory::open(&path.join("none/none")).err(),
            Some(Errno::ENOENT)
        );
        fs::remove_dir_all(&path).unwrap();
    }
}
