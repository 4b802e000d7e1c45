//! Counts the instructions in user space that an operation needs, with
//! callgrind.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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
