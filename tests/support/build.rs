//! Builds the programs under test, once for each program of tests.

use std::collections::HashMap;
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use super::{run, sys};

/// The directory in which the tests build the library, relative to the
/// project's directory.
const BUILD: &str = "build/map_anon";

/// The directory of a library that was built before, which the tests use instead of
/// their own. They keep their programs there, and build only those that are missing.
/// `make mutants` sets this variable.
fn given_library() -> Option<PathBuf> {
    env::var_os("T_LIBRARY").map(PathBuf::from)
}

/// The directory of the library.
fn library() -> PathBuf {
    given_library().unwrap_or_else(|| root().join(BUILD))
}

/// The project's directory.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The directory for files that the tests of this run create.
pub fn directory() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();

    MADE.get_or_init(|| {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(run::number().to_string());

        fs::create_dir_all(&directory).expect("a directory");
        directory
    })
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
///
/// `make` links the program each time, so two runs could write the same file at the
/// same time. So a run locks the file while `make` runs, and then makes its own hard
/// link to the program.
pub fn echo() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();

    BUILT
        .get_or_init(|| {
            let library = library();
            let program = library.join("echo");
            let own = directory().join("echo.program");
            let mut make = Command::new("make");
            let _lock = lock();

            if given_library().is_some() {
                make.args(["-o", "lib"]);
            }

            run(make
                .current_dir(root())
                .arg("-s")
                .arg(format!("B={}", library.display()))
                .arg(&program));

            let _ = fs::remove_file(&own);

            fs::hard_link(program, &own).expect("a link");
            own
        })
        .clone()
}

/// Waits until no other run builds a program. Others wait until the result is dropped.
fn lock() -> File {
    let file = File::create(directory().with_file_name("lock")).expect("a file");

    sys::lock(&file);
    file
}

/// Builds `c-tests/fixtures/NAME.c` with the library; returns the path of the
/// program.
pub fn program(name: &str) -> PathBuf {
    built("c-tests/fixtures", name)
}

/// Builds `examples/NAME.c` with the library; returns the path of the program.
pub fn example(name: &str) -> PathBuf {
    built("examples", name)
}

/// Builds a program, unless this run has built it already.
fn built(source: &str, name: &str) -> PathBuf {
    static BUILT: Mutex<Option<HashMap<String, PathBuf>>> = Mutex::new(None);

    echo();

    let mut guard = BUILT.lock().unwrap_or_else(|err| err.into_inner());

    guard
        .get_or_insert_default()
        .entry(format!("{source}/{name}"))
        .or_insert_with(|| compile(source, name))
        .clone()
}

/// Builds `NAME.c` in `source`, a directory of the project.
fn compile(source: &str, name: &str) -> PathBuf {
    let given = given_library();
    let program = given.as_deref().unwrap_or(directory()).join(name);
    let library = library();
    let _lock = lock();

    if given.is_some() && program.exists() {
        return program;
    }

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
        .arg(root().join(source).join(name).with_extension("c"))
        .arg(format!("-I{}/include", library.display()))
        .arg(format!("-L{}", library.display()))
        .arg("-lngx_ipc")
        .arg(format!("-Wl,-rpath,{}", library.display())));

    program
}
