//! The programs: each driver with nginx's objects, with the library, and with
//! bare system calls, all built here from their sources.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::rows::Peer;

/// The project.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where results and programs go.
pub fn folder() -> PathBuf {
    root().join("build/bench")
}

/// The ways to shared memory: their names, what of nginx replaces its usual
/// object, and which probes are to fail for the library.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    MapAnon,
    MapDevzero,
    Sysvshm,
}

impl Backend {
    pub fn name(self) -> &'static str {
        match self {
            Self::MapAnon => "map_anon",
            Self::MapDevzero => "map_devzero",
            Self::Sysvshm => "sysvshm",
        }
    }

    fn object(self) -> Option<&'static str> {
        match self {
            Self::MapAnon => None,
            Self::MapDevzero => Some("shmem_devzero.o"),
            Self::Sysvshm => Some("shmem_sysv.o"),
        }
    }

    fn without(self) -> &'static [&'static str] {
        match self {
            Self::MapAnon => &[],
            Self::MapDevzero => &["NGX_HAVE_MAP_ANON"],
            Self::Sysvshm => &["NGX_HAVE_MAP_ANON", "NGX_HAVE_MAP_DEVZERO"],
        }
    }
}

/// Runs a command, which must succeed; returns what it printed.
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

/// Builds `benches/c/NAME.c` for one peer.
pub fn driver(name: &str, peer: Peer, backend: Backend) -> PathBuf {
    let folder = folder();
    let program = folder.join(format!("{name}-{}-{}", peer.name(), backend.name()));
    let source = |file: &str| root().join("benches/c").join(file);
    let mut command = Command::new("cc");

    std::fs::create_dir_all(&folder).expect("a folder");

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
                .arg(format!("-I{}/include", library.display()))
                .arg(format!("-L{}", library.display()))
                .args([
                    "-lngx_ipc".into(),
                    format!("-Wl,-rpath,{}", library.display()),
                ]);
        }

        Peer::Floor => {
            command
                .arg("-DBENCH_FLOOR=1")
                .arg(format!("-I{}/include", library(Backend::MapAnon).display()))
                .arg(source("floor.c"));
        }
    }

    run(&mut command);

    program
}

/// nginx's own objects, as its own configure and make build them.
fn nginx_objects() -> PathBuf {
    let folder = folder().join("nginx");

    run(Command::new("sh")
        .arg("c-tests/nginx-objects.sh")
        .arg(&folder)
        .arg("fast"));

    folder
}

/// The library as it is installed: a shared object.
fn library(backend: Backend) -> PathBuf {
    let folder = format!("build/{}", backend.name());
    let mut command = Command::new("make");

    command
        .args(["-s", &format!("B={folder}")])
        .env_remove("NGX_HAVE_MAP_ANON")
        .env_remove("NGX_HAVE_MAP_DEVZERO")
        .env_remove("MAKEFLAGS");

    for probe in backend.without() {
        command.env(probe, "0");
    }

    run(&mut command);

    root().join(folder)
}
