//! The files of Unix sockets, `unix(7)`.
//!
//! The file of a socket stays when its process is killed. Then no socket belongs to
//! the file: the file is dead, and another process may replace it.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};
use nix::sys::stat::{Mode, SFlag, fchmod, fstat, lstat};
use nix::unistd::{Gid, Uid, fchownat};

use super::address::Address;
use super::file;
use super::flock::{FileLock, lock_soon};
use super::path::CPath;

/// Who may connect to a Unix socket.
#[derive(Clone, Copy, Debug)]
pub struct Rights {
    /// The permissions of the file. A process needs the permission to write.
    pub mode: u32,
    /// The owner of the file; `None`: the user of this process.
    pub user: Option<Uid>,
    /// The group of the file; `None`: the group of this process, or that of the
    /// directory.
    pub group: Option<Gid>,
}

/// Binds the socket `sock` to a path. A dead file at the path is replaced. The file
/// has its rights before a process can connect, because the socket does not listen
/// yet.
///
/// Returns `EADDRINUSE` if a socket belongs to the file at the path, or the file is
/// not that of a socket. If the owner cannot be set, the function removes the file.
///
/// # References
///
/// `bind(2)`, `unix(7)`, `fchownat(2)`.
pub fn bind(sock: &OwnedFd, path: &Path, rights: Rights) -> Result<(), Errno> {
    let _lock = lock_directory(path);

    // The kernel gives the file the permissions of the socket.
    fchmod(sock, Mode::from_bits_truncate(rights.mode))?;

    match bind_unmasked(sock, path) {
        Err(Errno::EADDRINUSE) if is_dead(path) => {
            file::remove(path)?;
            bind_unmasked(sock, path)?;
        }
        result => result?,
    }

    set_owner(path, rights).inspect_err(|_| {
        let _ = file::remove(path);
    })
}

/// Removes the file of a socket, unless another process has the socket too.
///
/// # References
///
/// `unlink(2)`, `unix(7)`.
pub fn remove_dead(path: &Path) -> Result<(), Errno> {
    let _lock = lock_directory(path);

    if is_dead(path) {
        file::remove(path)?;
    }

    Ok(())
}

/// Binds with the umask 0, because the umask would take permissions away.
fn bind_unmasked(sock: &OwnedFd, path: &Path) -> Result<(), Errno> {
    let before = nix::sys::stat::umask(Mode::empty());
    let result = Address::Unix(path).bind(sock.as_raw_fd());

    nix::sys::stat::umask(before);

    result
}

/// Whether the path names the file of a socket, and no process has the socket.
///
/// The function connects a datagram socket: if the file has a socket of another
/// type, the kernel refuses with `EPROTOTYPE`, and the other process notices nothing.
fn is_dead(path: &Path) -> bool {
    let try_to_connect = || {
        let path = CPath::of(path)?;
        let stat = lstat(path.as_c_str())?;

        if stat.st_mode & SFlag::S_IFMT.bits() != SFlag::S_IFSOCK.bits() {
            return Ok(());
        }

        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let sock = socket(AddressFamily::Unix, SockType::Datagram, flags, None)?;

        connect(sock.as_raw_fd(), &UnixAddr::new(path.as_c_str())?)
    };

    try_to_connect() == Err(Errno::ECONNREFUSED)
}

/// Changes the owner and the group of the file that this process has just made.
///
/// Returns `EPERM` if another user has put another file in its place.
fn set_owner(path: &Path, rights: Rights) -> Result<(), Errno> {
    if rights.user.is_none() && rights.group.is_none() {
        return Ok(());
    }

    let path = CPath::of(path)?;
    let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let file = open(path.as_c_str(), flags, Mode::empty())?;
    let stat = fstat(&file)?;

    if stat.st_mode & SFlag::S_IFMT.bits() != SFlag::S_IFSOCK.bits() || stat.st_nlink != 1 {
        return Err(Errno::EPERM);
    }

    fchownat(
        file.as_fd(),
        c"",
        rights.user,
        rights.group,
        AtFlags::AT_EMPTY_PATH,
    )
}

/// Locks the directory of a socket, `flock(2)`, so that no other process of this
/// library replaces or removes a file between [`is_dead`] and the next call.
///
/// `None` if the directory cannot be locked within a second: another user may have
/// locked it to stop this program.
fn lock_directory(path: &Path) -> Option<FileLock> {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let directory = CPath::of(parent.unwrap_or(Path::new("."))).ok()?;
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let directory = open(directory.as_c_str(), flags, Mode::empty()).ok()?;

    lock_soon(directory).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::net::{UnixDatagram, UnixListener};
    use std::path::PathBuf;

    use super::*;

    const ALL: Rights = Rights {
        mode: 0o666,
        user: None,
        group: None,
    };

    /// A path in the directory of temporary files, which is free.
    fn free_path(name: &str) -> PathBuf {
        let file = format!("ngx-ipc-unix-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(file);
        let _ = fs::remove_file(&path);

        path
    }

    fn stream() -> OwnedFd {
        let flags = SockFlag::SOCK_CLOEXEC;

        socket(AddressFamily::Unix, SockType::Stream, flags, None).unwrap()
    }

    #[test]
    fn a_file_has_its_mode_and_owner() {
        for mode in [0o666, 0o600, 0o620] {
            let path = free_path("mode");
            let user = Uid::effective();
            let rights = Rights {
                mode,
                user: Some(user),
                group: Some(Gid::from_raw(user.as_raw())),
            };

            bind(&stream(), &path, rights).unwrap();

            let file = fs::symlink_metadata(&path).unwrap();

            assert_eq!(file.mode() & 0o777, mode);
            assert_eq!((file.uid(), file.gid()), (user.as_raw(), user.as_raw()));
            fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn a_dead_file_is_replaced() {
        let path = free_path("dead");

        drop(UnixListener::bind(&path).unwrap());
        assert!(is_dead(&path));

        let sock = stream();

        bind(&sock, &path, ALL).unwrap();
        // The socket does not listen yet, but the file is not dead.
        assert!(!is_dead(&path));
        assert_eq!(bind(&stream(), &path, ALL), Err(Errno::EADDRINUSE));
        drop(sock);
        remove_dead(&path).unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn the_file_of_a_living_socket_stays() {
        let path = free_path("living");
        let listener = UnixListener::bind(&path).unwrap();

        listener.set_nonblocking(true).unwrap();
        assert_eq!(bind(&stream(), &path, ALL), Err(Errno::EADDRINUSE));
        remove_dead(&path).unwrap();
        assert!(path.exists());
        // The listener has not noticed the attempts.
        assert!(listener.accept().is_err());
        drop(listener);
        fs::remove_file(&path).unwrap();

        let datagrams = UnixDatagram::bind(&path).unwrap();

        assert_eq!(bind(&stream(), &path, ALL), Err(Errno::EADDRINUSE));
        remove_dead(&path).unwrap();
        assert!(path.exists());
        drop(datagrams);
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn other_files_stay() {
        let path = free_path("other");
        let link = free_path("link");

        fs::write(&path, "text").unwrap();
        std::os::unix::fs::symlink("nothing", &link).unwrap();

        for path in [&path, &link] {
            assert_eq!(bind(&stream(), path, ALL), Err(Errno::EADDRINUSE));
            remove_dead(path).unwrap();
            assert!(path.symlink_metadata().is_ok());
            fs::remove_file(path).unwrap();
        }
    }
}
