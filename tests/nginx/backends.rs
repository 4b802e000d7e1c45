//! The ways to shared memory, see c-tests/run/nginx-build.sh.

use std::fs;

use crate::nginx::{Nginx, Which, built_variant};
use crate::support::{proc, sys};
use crate::zones;

/// What the library was built without, and whether its segments are System
/// V's: a zone is shared by the workers and survives a reload, and nothing is
/// left of it, even if nobody can clean up.
fn works(variant: &str, without: &[&str], system_v: bool) {
    let program = built_variant(variant);
    let probes = fs::read_to_string(program.with_file_name("ngx_ipc/probes.log")).expect("probes");

    for feature in without {
        let line = format!("{feature}: no, given from outside");

        assert!(probes.lines().any(|probe| probe == line), "{probes}");
    }

    let test = format!("backend_{variant}");
    let nginx = Nginx::of(&program, &test, Which::Ipc, zones::TWO, zones::LIMIT_REQ);

    zones::limits_requests(&nginx);

    let everybody = nginx.everybody();

    for &pid in &everybody {
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("maps");

        assert_eq!(maps.contains("/SYSV"), system_v, "{maps}");
    }

    for &pid in &everybody {
        sys::kill(pid, libc::SIGKILL);
    }

    nginx.wait_for_end_of(&everybody);
    assert_eq!(proc::segments_of(&everybody), [""; 0]);
}

#[test]
#[ignore = "builds another nginx"]
fn map_devzero() {
    works("map_devzero", &["NGX_HAVE_MAP_ANON"], false);
}

#[test]
#[ignore = "builds another nginx"]
fn sysvshm() {
    works(
        "sysvshm",
        &["NGX_HAVE_MAP_ANON", "NGX_HAVE_MAP_DEVZERO"],
        true,
    );
}
