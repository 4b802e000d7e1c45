//! Builds the programs under test, once for each program of tests.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

/// The directory in which the tests build the library, relative to the
/// project's directory.
const BUILD: &str = "build/map_anon";

/// The project's directory.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The directory for files that tests create.
pub fn directory() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// Runs a command; panics with its output if it fails.
pub fn run(command: &mut Command) {
    let out = command.output().expect("a program that runs");

    assert!(
        out.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
}

/// Builds the echo server `examples/echo.c`; returns its path.
pub fn echo() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();

    BUILT
        .get_or_init(|| {
            let program = format!("{BUILD}/echo");

            run(Command::new("make").current_dir(root()).args([
                "-s",
                &format!("B={BUILD}"),
                &program,
            ]));

            root().join(program)
        })
        .clone()
}

/// Builds `c-tests/fixtures/NAME.c` with the library; returns the path of the
/// program.
pub fn program(name: &str) -> PathBuf {
    static BUILT: Mutex<Option<HashMap<String, PathBuf>>> = Mutex::new(None);

    echo();

    let mut guard = BUILT.lock().unwrap_or_else(|err| err.into_inner());

    guard
        .get_or_insert_default()
        .entry(name.to_string())
        .or_insert_with(|| compile(name))
        .clone()
}

fn compile(name: &str) -> PathBuf {
    let program = directory().join(name);
    let library = root().join(BUILD);

    run(Command::new("cc")
        .args([
            "-O1",
            "-g",
            "-std=gnu11",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-o",
        ])
        .arg(&program)
        .arg(
            root()
                .join("c-tests/fixtures")
                .join(name)
                .with_extension("c"),
        )
        .arg(format!("-I{}/include", library.display()))
        .arg(format!("-L{}", library.display()))
        .arg("-lngx_ipc")
        .arg(format!("-Wl,-rpath,{}", library.display())));

    program
}
