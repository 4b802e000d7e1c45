//! Tests of opening a log as root.

use std::fs::{self, Permissions};
use std::os::fd::FromRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;

use nix::sys::stat::Mode;

use super::*;
use crate::sys::testing::in_child;

const ROOT: libc::uid_t = 0;
const USER: libc::uid_t = 65534;

/// A directory that contains two others. Only root may write to `safe`; every user
/// may write to `open`.
struct Directory(PathBuf);

impl Directory {
    /// Makes the directories. Returns `None` if the test does not run as root: only
    /// root can change owners.
    fn new(name: &str) -> Option<Self> {
        let path = std::env::temp_dir().join(format!("trusted-{}-{name}", std::process::id()));

        if !nix::unistd::geteuid().is_root() {
            println!("skipped: only root changes owners");
            return None;
        }

        for (inner, mode) in [("safe", 0o755), ("open", 0o757), ("group", 0o775)] {
            fs::create_dir_all(path.join(inner)).ok()?;
            fs::set_permissions(path.join(inner), Permissions::from_mode(mode)).ok()?;
        }

        Some(Self(path))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str) -> PathBuf {
        fs::write(self.path(name), "old\n").ok();
        self.path(name)
    }

    fn link(&self, target: &str, name: &str) -> PathBuf {
        symlink(target, self.path(name)).ok();
        self.path(name)
    }

    fn owner(&self, name: &str) -> Option<u32> {
        fs::metadata(self.path(name)).ok().map(|file| file.uid())
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn open(path: &Path, owner: Owner) -> Result<OwnedFd, Errno> {
    // SAFETY: `open_append` has just opened the descriptor, so it has no owner.
    open_append(path, owner).map(|fd| unsafe { OwnedFd::from_raw_fd(fd) })
}

fn is_close_on_exec(file: &OwnedFd) -> bool {
    // SAFETY: F_GETFD accesses no memory.
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFD) == libc::FD_CLOEXEC }
}

fn error(path: &Path, owner: Owner) -> Option<Errno> {
    open(path, owner).err()
}

#[test]
fn a_log_is_made_and_appended_to() {
    let Some(dir) = Directory::new("made") else {
        return;
    };
    let path = dir.path("safe/log");

    for line in ["one\n", "two\n"] {
        let file = open(&path, Owner::May(ROOT));

        assert!(file.as_ref().is_ok_and(|file| file.as_raw_fd() > 2));
        assert!(file.as_ref().is_ok_and(is_close_on_exec));
        assert!(file.is_ok_and(|file| nix::unistd::write(file, line.as_bytes()) == Ok(4)));
    }

    assert!(fs::read(&path).is_ok_and(|text| text == b"one\ntwo\n"));
    assert!(fs::metadata(&path).is_ok_and(|file| file.mode() & 0o133 == 0));
    assert_eq!(
        error(&dir.path("safe"), Owner::May(ROOT)),
        Some(Errno::EISDIR)
    );
    assert_eq!(error(Path::new("/"), Owner::May(ROOT)), Some(Errno::EISDIR));
    assert_eq!(
        error(&dir.path("none/log"), Owner::May(ROOT)),
        Some(Errno::ENOENT)
    );
}

/// A path that ends with a slash names a directory, `path_resolution(7)`.
#[test]
fn a_path_with_a_slash_at_its_end_is_no_file() {
    let Some(dir) = Directory::new("slash") else {
        return;
    };

    dir.write("safe/log");
    dir.link("log/", "safe/link");

    for name in ["log/", "log//", "log/.", "link"] {
        let path = dir.path("safe").join(name);

        assert_eq!(error(&path, Owner::May(ROOT)), Some(Errno::ENOTDIR));
        assert_eq!(write(&path, b"new"), Err(Errno::ENOTDIR));
        assert_eq!(read(&path, &mut [0; 8]), Err(Errno::ENOTDIR));
    }

    for name in ["safe/", "safe/.", "none/"] {
        assert!(error(&dir.path(name), Owner::May(ROOT)).is_some());
    }

    assert!(!dir.path("none").exists());
}

#[test]
fn a_log_with_one_name_gets_its_user() {
    let Some(dir) = Directory::new("user") else {
        return;
    };

    for name in ["safe/log", "open/log"] {
        let path = dir.write(name);

        assert_eq!(error(&path, Owner::May(USER)), None);
        assert_eq!(dir.owner(name), Some(ROOT));
        assert_eq!(error(&path, Owner::Becomes(USER)), None);
        assert_eq!(dir.owner(name), Some(USER));
        assert_eq!(error(&path, Owner::Becomes(USER)), None);
    }
}

#[test]
fn links_are_followed_only_in_directories_of_root() {
    let Some(dir) = Directory::new("links") else {
        return;
    };

    dir.write("safe/log");
    dir.write("open/log");
    fs::create_dir_all(dir.path("safe/inner")).ok();
    dir.link("log", "safe/same");
    dir.link("../open/log", "safe/other");
    dir.link(&dir.path("safe/log").display().to_string(), "safe/absolute");
    dir.link("inner/../../safe", "safe/directory");
    dir.link("../safe/log", "open/link");
    dir.link("../safe", "open/directory");
    dir.link("../safe/log", "group/link");

    for name in [
        "same",
        "other",
        "absolute",
        "directory/log",
        "directory/same",
        "./log",
        ".//same",
    ] {
        let path = dir.path("safe").join(name);

        assert_eq!(error(&path, Owner::May(USER)), None, "{name}");
    }

    for name in ["open/link", "open/directory/log", "group/link"] {
        assert_eq!(error(&dir.path(name), Owner::May(USER)), Some(Errno::ELOOP));
    }

    // The target of a link at the end of the path keeps its owner.
    assert_eq!(error(&dir.path("safe/same"), Owner::Becomes(USER)), None);
    assert_eq!(dir.owner("safe/log"), Some(ROOT));
    assert_eq!(
        error(&dir.path("safe/directory/log"), Owner::Becomes(USER)),
        None
    );
    assert_eq!(dir.owner("safe/log"), Some(USER));
}

#[test]
fn forty_links_are_followed() {
    let Some(dir) = Directory::new("forty") else {
        return;
    };

    dir.write("safe/0");

    for n in 1..=41 {
        dir.link(&(n - 1).to_string(), &format!("safe/{n}"));
    }

    dir.link("loop", "safe/loop");

    assert_eq!(error(&dir.path("safe/40"), Owner::May(ROOT)), None);
    assert_eq!(
        error(&dir.path("safe/41"), Owner::May(ROOT)),
        Some(Errno::ELOOP)
    );
    assert_eq!(
        error(&dir.path("safe/loop"), Owner::May(ROOT)),
        Some(Errno::ELOOP)
    );
}

#[test]
fn other_files_are_refused_where_users_can_make_them() {
    let Some(dir) = Directory::new("others") else {
        return;
    };

    dir.write("safe/log");

    for name in ["safe/hard", "open/hard"] {
        fs::hard_link(dir.path("safe/log"), dir.path(name)).ok();
    }

    assert_eq!(error(&dir.path("safe/hard"), Owner::Becomes(USER)), None);
    assert_eq!(
        error(&dir.path("open/hard"), Owner::Becomes(USER)),
        Some(Errno::EPERM)
    );
    assert_eq!(
        error(&dir.path("open/hard"), Owner::May(USER)),
        Some(Errno::EPERM)
    );
    assert_eq!(dir.owner("safe/log"), Some(ROOT));

    assert_eq!(error(Path::new("/dev/null"), Owner::Becomes(USER)), None);
}

#[test]
fn the_links_of_proc_are_opened() {
    let Some(dir) = Directory::new("proc") else {
        return;
    };
    let path = dir.write("safe/log");

    assert!(fs::File::open(path).is_ok_and(|file| {
        let link = format!("/proc/self/fd/{}", file.as_raw_fd());

        error(Path::new(&link), Owner::May(USER)).is_none()
    }));

    // The text of this link is no path: "pipe:[NUMBER]".
    let pipe = crate::sys::process::pipe();

    assert!(pipe.is_ok_and(|(_reader, writer)| {
        let link = format!("/proc/self/fd/{}", writer.as_raw_fd());

        error(Path::new(&link), Owner::May(ROOT)).is_none()
    }));
}

/// Root does not wait at a FIFO of another user. The test runs in a child, which ends
/// if it waits.
#[test]
fn a_fifo_is_not_waited_for() {
    let Some(dir) = Directory::new("fifo") else {
        return;
    };
    let fifo = dir.path("open/fifo");
    let mode = Mode::from_bits_truncate(0o622);

    assert_eq!(nix::unistd::mkfifo(&fifo, mode), Ok(()));

    in_child(|| {
        assert_eq!(error(&fifo, Owner::Becomes(USER)), Some(Errno::ENXIO));
        assert_eq!(read(&fifo, &mut [0; 8]), Ok((&b""[..], ROOT)));

        let reader = nix::fcntl::open(&fifo, OFlag::O_RDONLY | OFlag::O_NONBLOCK, Mode::empty());

        assert!(reader.is_ok());
        assert_eq!(error(&fifo, Owner::Becomes(USER)), Some(Errno::EPERM));
    });

    assert_eq!(dir.owner("open/fifo"), Some(ROOT));
}

#[test]
fn a_written_file_replaces_links_of_users_only() {
    let Some(dir) = Directory::new("write") else {
        return;
    };

    dir.write("safe/log");
    dir.link("log", "safe/link");
    dir.link("../safe/log", "open/link");
    dir.link("../safe", "open/directory");
    dir.write("open/old");

    let text = |name: &str| fs::read_to_string(dir.path(name)).unwrap_or_default();
    let is_link = |name: &str| dir.path(name).is_symlink();
    let inode = |name: &str| fs::metadata(dir.path(name)).map_or(0, |file| file.ino());
    let before = inode("open/old");
    // The file system may give the inode of a removed file to the next file.
    let kept = fs::File::open(dir.path("open/old"));

    assert_eq!(write(&dir.path("safe/link"), b"new"), Ok(()));
    assert_eq!(text("safe/log"), "new");
    assert!(is_link("safe/link"));
    assert_eq!(write(&dir.path("safe/made"), b"1\n"), Ok(()));
    assert_eq!(text("safe/made"), "1\n");

    for name in ["open/link", "open/old", "open/made"] {
        assert_eq!(write(&dir.path(name), b"2\n"), Ok(()));
        assert_eq!((text(name), is_link(name)), ("2\n".to_string(), false));
    }

    assert!(kept.is_ok() && inode("open/old") != before);
    assert_eq!(text("safe/log"), "new");

    // Only a link at the end of a path is replaced.
    let path = dir.path("open/directory/log");

    assert_eq!(write(&path, b"3\n"), Err(Errno::ELOOP));
    assert!(is_link("open/directory"));
    assert_eq!(text("safe/log"), "new");
}

/// Processes in two containers can have the same pid and write to the same directory. A
/// process does not touch the file that the other one is writing.
#[test]
fn a_file_of_a_process_with_the_same_pid_stays() {
    let Some(dir) = Directory::new("same_pid") else {
        return;
    };
    let text = |path: &Path| fs::read_to_string(path).unwrap_or_default();
    let count = || fs::read_dir(dir.path("open")).map_or(0, Iterator::count);
    let path = dir.path("open/pid");
    let others: Vec<PathBuf> = ["", ".0", ".1"]
        .iter()
        .map(|end| dir.write(&format!("open/.ngx_ipc.{}{end}", std::process::id())))
        .collect();

    for bytes in ["1\n", "2\n"] {
        assert_eq!(write(&path, bytes.as_bytes()), Ok(()));
        assert_eq!(text(&path), bytes);
    }

    // A file cannot replace a directory, rename(2).
    fs::create_dir_all(dir.path("open/directory")).ok();
    assert_eq!(
        write(&dir.path("open/directory"), b"3\n"),
        Err(Errno::EISDIR)
    );

    for other in &others {
        assert_eq!(text(other), "old\n");
    }

    assert_eq!(count(), others.len() + 2);
}

#[test]
fn a_device_is_written_to_and_stays() {
    let before = fs::metadata("/dev/null").map(|file| file.ino());

    assert_eq!(write(Path::new("/dev/null"), b"1\n"), Ok(()));
    assert_eq!(
        fs::metadata("/dev/null").map(|file| file.ino()).ok(),
        before.ok()
    );
}

#[test]
fn a_file_is_read_with_its_owner() {
    let Some(dir) = Directory::new("read") else {
        return;
    };
    let path = dir.write("open/pid");

    dir.link("pid", "open/link");
    assert_eq!(read(&path, &mut [0; 8]), Ok((&b"old\n"[..], ROOT)));
    assert_eq!(read(&path, &mut [0; 2]), Ok((&b"ol"[..], ROOT)));
    assert_eq!(error(&path, Owner::Becomes(USER)), None);
    assert_eq!(read(&path, &mut [0; 8]), Ok((&b"old\n"[..], USER)));
    assert_eq!(read(&dir.path("open/link"), &mut [0; 8]), Err(Errno::ELOOP));
    assert_eq!(
        read(&dir.path("open/none"), &mut [0; 8]),
        Err(Errno::ENOENT)
    );
}
