//! Programs of Debian packages that need not be installed.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use super::build::root;

/// Puts the files of packages into the directory `build/NAME`, if they are not there, and
/// returns it. `None` if they are not to be had: then the test skips, and the reason is
/// printed.
pub fn unpacked(name: &str, packages: &[&str]) -> Option<PathBuf> {
    static UNPACKS: Mutex<()> = Mutex::new(());

    let _guard = UNPACKS.lock().unwrap_or_else(PoisonError::into_inner);
    let directory = root().join("build").join(name);
    let out = Command::new("sh")
        .current_dir(root())
        .arg("c-tests/run/debian-packages.sh")
        .arg(&directory)
        .args(packages)
        .output()
        .expect("a shell");

    if !out.status.success() {
        println!("# skipped: {}", String::from_utf8_lossy(&out.stderr).trim());
        return None;
    }

    Some(directory)
}
