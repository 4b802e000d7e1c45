//! Tests of nginx with each backend of shared memory but the best. All other
//! tests use the best one.

use std::fs;

use crate::nginx::{Nginx, Which, built_variant};
use crate::support::{proc, sys};
use crate::zones;

/// The backends, a line `NAME FEATURE` for each; the best one is first.
const BACKENDS: &str = include_str!("../../src/shmem/backends");

/// Checks that the workers share a zone, that the zone survives a reload, and
/// that no System V segment is left when all processes are killed. `without`
/// are the features that the build of the library did not use.
fn works(variant: &str, without: &[&str], system_v: bool) {
    let program = built_variant(variant);
    let probes = fs::read_to_string(program.with_file_name("ngx_ipc/probes.log")).expect("probes");

    for feature in without {
        let line = format!("{feature}: no, given from outside");

        assert!(probes.lines().any(|probe| probe == line), "{probes}");
    }

    let test = format!("backend_{variant}");
    let nginx = Nginx::with_program(&program, &test, Which::Ipc, zones::TWO, zones::LIMIT_REQ);

    zones::limits_requests(&nginx);

    let running = nginx.processes();

    for &pid in &running {
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("maps");

        assert_eq!(maps.contains("/SYSV"), system_v, "{maps}");
    }

    for &pid in &running {
        sys::kill(pid, libc::SIGKILL);
    }

    nginx.wait_for_end_of(&running);
    assert_eq!(proc::segments_of(&running), [""; 0]);
}

/// A build uses the first backend whose feature the system has. So this variant
/// is built without the features of all better backends.
#[test]
#[ignore = "builds another nginx"]
fn each_other_backend() {
    let (names, features): (Vec<_>, Vec<_>) = BACKENDS
        .lines()
        .filter_map(|line| line.split_once(' '))
        .unzip();

    assert!(names.len() > 1);

    for (i, name) in names.iter().enumerate().skip(1) {
        works(name, &features[..i], *name == "sysvshm");
    }
}
