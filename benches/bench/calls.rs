//! Counts the system calls that a master makes for each process that it spawns.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::driver::{Case, Driver};
use crate::peers::directory;
use crate::rows::{Row, Unit};

/// System calls that are not counted: fork() and wait(), and calls of the
/// driver itself.
const NOT_COUNTED: [&str; 11] = [
    "clone",
    "clone3",
    "fork",
    "vfork",
    "wait4",
    "waitid",
    "kill",
    "read",
    "write",
    "rt_sigreturn",
    "rt_sigsuspend",
];

/// Runs a driver that spawns `n` processes under strace. Returns the number of
/// its system calls, by name.
fn count(program: &Path, n: usize) -> BTreeMap<String, usize> {
    use std::io::Write;

    let log = directory().join("strace.log");
    let mut child = Command::new("strace")
        .arg("-o")
        .arg(&log)
        .arg(program)
        .arg("spawn")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("strace");

    writeln!(child.stdin.take().expect("its input"), "{n}").expect("a driver that listens");
    assert!(child.wait().expect("strace").success(), "{program:?}");

    let mut calls = BTreeMap::new();

    for line in fs::read_to_string(&log).expect("a log").lines() {
        if let Some((name, _)) = line.split_once('(')
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            *calls.entry(name.to_string()).or_default() += 1;
        }
    }

    calls
}

/// The number of system calls for one process. It is computed from two runs
/// with different numbers of processes, so that the calls at the start and exit
/// of the driver cancel out. The calls that close a process's channel after its
/// exit are not counted.
fn for_each(program: &Path) -> f64 {
    const FEW: usize = 20;
    const MORE: usize = 60;

    let (few, more) = (count(program, FEW), count(program, MORE));
    let mut calls = 0;

    for (name, n) in &more {
        if !NOT_COUNTED.contains(&name.as_str()) {
            calls += n - few.get(name).unwrap_or(&0);
        }
    }

    // The driver closes the ends of channels that the master has open: two for
    // each process in nginx, and one in the other programs.
    let kept = if program.to_string_lossy().contains("-nginx-") {
        2
    } else {
        1
    };

    calls as f64 / (MORE - FEW) as f64 - f64::from(kept)
}

/// The number of system calls of the workers of a server for one request. `load` is
/// `benches/servers/load.c`, which starts the server with `command`.
pub fn for_each_request(load: &Path, command: &str) -> f64 {
    const FEW: usize = 200;
    const MORE: usize = 1_200;

    let count = |n| count_of_workers(load, command, n);

    // There are two workers, with one connection each.
    (count(MORE) - count(FEW)) as f64 / (2 * (MORE - FEW)) as f64
}

/// The number of system calls of all workers that answer `n` requests each.
fn count_of_workers(load: &Path, command: &str, n: usize) -> usize {
    let logs = directory().join("strace");
    let case = Case {
        name: command,
        argument: 1,
        pinned: false,
    };

    let _ = fs::remove_dir_all(&logs);
    fs::create_dir_all(&logs).expect("a directory");

    // strace writes a log for each process.
    Driver::start(
        Command::new("strace")
            .args(["-ff", "-o"])
            .arg(logs.join("log"))
            .arg(load),
        case,
    )
    .numbers(n);

    fs::read_dir(&logs)
        .expect("the logs")
        .map(|log| fs::read_to_string(log.expect("a log").path()).expect("a log"))
        .filter(|log| log.lines().any(|line| line.starts_with("accept4(")))
        .map(|log| {
            log.lines()
                .filter(|line| line.contains('(') && !line.starts_with("---"))
                .count()
        })
        .sum()
}

pub fn row(programs: &[PathBuf; 3]) -> Row {
    Row {
        subject: "spawn",
        what: "system calls of the master, without fork and wait".into(),
        n: None,
        unit: Unit::SystemCalls,
        values: programs.each_ref().map(|program| vec![for_each(program)]),
    }
}
