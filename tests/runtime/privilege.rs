//! What a root master gives to the user of its workers, and what it does not.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::support::server::Server;
use crate::support::sys;

/// The id of the user whom the workers run as.
fn nobody() -> u32 {
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let line = passwd.lines().find(|line| line.starts_with("nobody:"));

    line.unwrap().split(':').nth(2).unwrap().parse().unwrap()
}

/// A server with a worker that runs as "nobody", not started yet; `None`
/// without root.
fn server_of_root(test: &str) -> Option<Server> {
    if !sys::is_root() {
        return None;
    }

    Some(Server::configurable(test))
}

const OPTIONS: [&str; 2] = ["-u", "nobody"];

/// Other processes of the workers' user cannot read a worker's memory: the
/// kernel makes root the owner of its files in /proc, see `ptrace(2)`. Only a
/// limit for core files in the configuration changes that.
#[test]
fn the_memory_of_a_worker_is_its_own() {
    for (test, options, owner) in [
        ("memory", &[][..], 0),
        ("memory_core", &["-R", "4096"], nobody()),
    ] {
        let Some(server) = server_of_root(test) else {
            return;
        };

        server.start(1, &[&OPTIONS[..], options].concat());

        for worker in server.workers() {
            let maps = fs::metadata(format!("/proc/{worker}/maps")).unwrap();

            assert_eq!(maps.uid(), owner, "{options:?}");
        }

        server.quit(&[]);
    }
}
