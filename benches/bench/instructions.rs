//! Counts the instructions in user space that an operation needs, with
//! callgrind.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::driver::{Case, Driver};
use crate::peers::directory;
use crate::rows::{Row, Unit};

/// The number of instructions of a driver that repeats an operation `n` times.
fn count(program: &Path, case: &str, argument: usize, n: usize) -> u64 {
    let out = directory().join("callgrind.out");
    let mut child = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(program)
        .arg(case)
        .arg(argument.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("valgrind");

    writeln!(child.stdin.take().expect("its input"), "{n}").expect("a driver that listens");

    let said = child.wait_with_output().expect("valgrind").stderr;
    let said = String::from_utf8_lossy(&said);

    said.lines()
        .find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok())
        .unwrap_or_else(|| panic!("callgrind of {program:?}: {said}"))
}

/// The number of instructions of one operation. It is computed from two runs
/// with different numbers of repetitions, so that the instructions at the start
/// and exit of the driver cancel out.
fn for_each(program: &Path, case: &str, argument: usize) -> f64 {
    const FEW: usize = 1_000;
    const MORE: usize = 2_000;

    let few = count(program, case, argument, FEW);
    let more = count(program, case, argument, MORE);

    (more - few) as f64 / (MORE - FEW) as f64
}

/// The number of instructions of a server for one request. `load` is
/// `benches/servers/load.c`, which starts the server with `command`.
pub fn for_each_request(load: &Path, command: &str) -> f64 {
    const FEW: usize = 200;
    const MORE: usize = 1_200;

    let count = |n| count_of_server(load, command, n);

    // There are two workers, with one connection each.
    (count(MORE) - count(FEW)) as f64 / (2 * (MORE - FEW)) as f64
}

/// The number of instructions of a server whose two workers answer `n` requests each.
fn count_of_server(load: &Path, command: &str, n: usize) -> u64 {
    let out = directory().join("callgrind");
    let command = format!(
        "valgrind --quiet --tool=callgrind --callgrind-out-file={}/%p {command}",
        out.display()
    );
    let case = Case {
        name: &command,
        argument: 1,
        pinned: false,
    };

    let _ = fs::remove_dir_all(&out);
    fs::create_dir_all(&out).expect("a directory");

    Driver::new(load, case).numbers(n);

    fs::read_dir(&out)
        .expect("the files")
        .map(|file| fs::read_to_string(file.expect("a file").path()).expect("a file"))
        .filter_map(|text| {
            text.lines()
                .find_map(|line| line.strip_prefix("totals: ")?.parse::<u64>().ok())
        })
        .sum()
}

pub fn row(
    programs: &[PathBuf; 3],
    case: &str,
    argument: usize,
    (subject, what): (&'static str, &str),
) -> Row {
    Row {
        subject,
        what: what.into(),
        n: None,
        unit: Unit::Instructions,
        values: programs
            .each_ref()
            .map(|program| vec![for_each(program, case, argument)]),
    }
}
