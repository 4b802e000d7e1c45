//! Builds the programs under test.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

/// The directory of the library for the tests, relative to the project.
const BUILD: &str = "build/map_anon";

/// The directory of the project.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The directory for the files of the tests.
pub fn directory() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// Runs a program, which must succeed.
pub fn run(command: &mut Command) {
    let out = command.output().expect("a program that runs");

    assert!(
        out.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
}

/// The echo server of the examples.
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

/// The program of `c-tests/fixtures/NAME.c`.
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
