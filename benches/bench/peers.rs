//! Builds each driver three times: with nginx's objects, with the library, and
//! with bare system calls.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::rows::Peer;

/// The project's directory.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The directory for results and built programs.
pub fn directory() -> PathBuf {
    root().join("build/bench")
}

/// The backends of shared memory, a line `NAME FEATURE` for each; the best one
/// is first.
const BACKENDS: &str = include_str!("../../src/shmem/backends");

/// A backend of shared memory: the number of its line in [`BACKENDS`].
#[derive(Clone, Copy)]
pub struct Backend(usize);

impl Backend {
    /// The best backend, which the library uses on Linux.
    pub const BEST: Self = Self(0);

    /// All backends, the best one last.
    pub fn all() -> Vec<Self> {
        (0..BACKENDS.lines().count()).rev().map(Self).collect()
    }

    pub fn is_best(self) -> bool {
        self.0 == Self::BEST.0
    }

    pub fn name(self) -> &'static str {
        BACKENDS.split_whitespace().nth(2 * self.0).expect("a name")
    }

    /// The object file that makes nginx use this backend; `None` for the best
    /// one, which nginx uses anyway.
    fn object(self) -> Option<String> {
        (!self.is_best()).then(|| format!("shmem_{}.o", self.name()))
    }

    /// The features that a build of the library must not use, so that it uses
    /// this backend.
    fn without(self) -> impl Iterator<Item = &'static str> {
        features().take(self.0)
    }
}

fn features() -> impl Iterator<Item = &'static str> {
    BACKENDS.split_whitespace().skip(1).step_by(2)
}

/// Runs a command, which must succeed; returns its standard output.
pub fn run(command: &mut Command) -> String {
    let out = command
        .current_dir(root())
        .output()
        .unwrap_or_else(|err| panic!("{command:?}: {err}"));

    assert!(
        out.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );

    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// Builds `benches/c/NAME.c` for nginx, the library or the floor; returns the
/// path of the program.
pub fn driver(name: &str, peer: Peer, backend: Backend) -> PathBuf {
    let directory = directory();
    let program = directory.join(format!("{name}-{}-{}", peer.name(), backend.name()));
    let source = |file: &str| root().join("benches/c").join(file);
    let mut command = Command::new("cc");

    std::fs::create_dir_all(&directory).expect("a directory");

    command
        .args(["-O2", "-g", "-std=gnu11", "-Wall", "-Wextra", "-Werror"])
        .arg("-o")
        .arg(&program)
        .arg(source(&format!("{name}.c")))
        .arg(source("bench.c"));

    match peer {
        Peer::Nginx => {
            let objects = nginx_objects();

            for part in [
                "src/core",
                "src/event",
                "src/event/modules",
                "src/os/unix",
                "objs",
            ] {
                command
                    .arg("-isystem")
                    .arg(objects.join("nginx").join(part));
            }

            command.args(backend.object().map(|object| objects.join(object)));
            command.arg(objects.join("libnginx.a")).arg("-lcrypt");
        }

        Peer::Library => {
            let library = library(backend);

            command
                .arg("-DBENCH_IPC=1")
                .arg(format!("-I{}/include", library.display()));

            // A call of a shared library takes as long as half of a lock, and nginx's own
            // functions are part of the driver.
            if ["locks", "slab"].contains(&name) {
                command.arg(library.join("libngx_ipc.a")).args([
                    "-lutil",
                    "-lrt",
                    "-lpthread",
                    "-lm",
                    "-ldl",
                ]);
            } else {
                command
                    .arg(format!("-L{}", library.display()))
                    .arg("-lngx_ipc")
                    .arg(format!("-Wl,-rpath,{}", library.display()));
            }
        }

        Peer::Floor => {
            command
                .arg("-DBENCH_FLOOR=1")
                .arg(format!("-I{}/include", library(Backend::BEST).display()))
                .arg(source("floor.c"));
        }
    }

    run(&mut command);

    program
}

/// Builds `examples/NAME.c` with the library; returns the path of the program.
pub fn example(name: &str) -> PathBuf {
    let directory = library(Backend::BEST);
    let build = format!("build/{}", Backend::BEST.name());

    run(Command::new("make")
        .args(["-s", &format!("B={build}"), &format!("{build}/{name}")])
        .env_remove("MAKEFLAGS"));

    directory.join(name)
}

/// Builds nginx's own objects with nginx's configure and make; returns their
/// directory.
fn nginx_objects() -> PathBuf {
    let directory = directory().join("nginx");

    run(Command::new("sh")
        .arg("c-tests/run/nginx-objects.sh")
        .arg(&directory)
        .arg("fast"));

    directory
}

/// Builds the shared library with a backend; returns its directory.
fn library(backend: Backend) -> PathBuf {
    let directory = format!("build/{}", backend.name());
    let mut command = Command::new("make");

    command
        .args(["-s", &format!("B={directory}")])
        .env_remove("MAKEFLAGS");

    for feature in features() {
        command.env_remove(feature);
    }

    for feature in backend.without() {
        command.env(feature, "0");
    }

    run(&mut command);

    root().join(directory)
}
