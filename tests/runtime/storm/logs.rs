//! The disk and the clock of the storm: a small file system for the log, and a clock
//! that jumps.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::proc;

/// A small file system, `tmpfs(5)`, that is unmounted when the value is dropped.
pub struct Disk(PathBuf);

impl Disk {
    /// Mounts a file system at `directory`; `None` if this is not permitted.
    pub fn mount(directory: &Path) -> Option<Self> {
        fs::create_dir_all(directory).expect("a directory");

        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m", "storm"])
            .arg(directory)
            .output()
            .is_ok_and(|out| out.status.success());

        done.then(|| Self(directory.to_path_buf()))
    }

    /// Fills the file system, so that the next write fails with ENOSPC.
    pub fn fill(&self) {
        let mut file = File::create(self.0.join("ballast")).expect("a file");

        loop {
            match file.write(&[0; 4096]) {
                Ok(_) => {}
                Err(err) if err.kind() == ErrorKind::StorageFull => return,
                Err(err) => panic!("{err}"),
            }
        }
    }

    /// Undoes [`fill`](Self::fill).
    pub fn empty(&self) {
        let _ = fs::remove_file(self.0.join("ballast"));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// A clock for the server, which libfaketime moves.
pub struct Clock(PathBuf);

impl Clock {
    const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

    /// Makes a clock whose offset is in the file `file`; `None` if libfaketime is not
    /// installed. The result has the environment of a program that uses the clock.
    pub fn new(file: PathBuf) -> Option<(Self, Vec<(&'static str, PathBuf)>)> {
        if !Path::new(Self::LIBRARY).exists() {
            return None;
        }

        let environment = vec![
            ("LD_PRELOAD", Self::LIBRARY.into()),
            ("FAKETIME_TIMESTAMP_FILE", file.clone()),
            ("FAKETIME_CACHE_DURATION", "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
            ("FAKETIME_DISABLE_SHM", "1".into()),
        ];
        let clock = Self(file);

        clock.jump(0);

        Some((clock, environment))
    }

    /// Makes the clock differ from the machine's clock by `offset` seconds.
    pub fn jump(&self, offset: i64) {
        fs::write(&self.0, format!("{offset:+}\n")).expect("a file");
    }
}

impl Drop for Clock {
    /// Removes the shared memory and the semaphores of libfaketime in processes that
    /// were killed.
    fn drop(&mut self) {
        for entry in fs::read_dir("/dev/shm").into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let pid = ["faketime_shm_", "sem.faketime_sem_"]
                .iter()
                .find_map(|prefix| name.strip_prefix(prefix)?.parse().ok());

            if pid.is_some_and(|pid| !proc::alive(pid)) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}
