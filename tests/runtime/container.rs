//! The server as `examples/Containerfile` runs it: as pid 1, with a read-only root, and
//! as a user that is not root.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::process::Command;

use crate::support::client::echo;
use crate::support::server::Server;
use crate::support::{Killed, build, find, proc, sys, wait_until};

/// The lines of `examples/Containerfile` by their first words.
fn containerfile() -> BTreeMap<String, String> {
    let path = build::root().join("examples/Containerfile");

    fs::read_to_string(path)
        .unwrap()
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(word, rest)| (word.to_string(), rest.to_string()))
        .collect()
}

/// Mounts everything read-only, checks this, and runs the command as the user `$1`.
const INSIDE: &str = "
    mount --make-rprivate / || exit 8
    for target in $(awk '{ print $2 }' /proc/mounts); do
        mount -o remount,bind,ro \"$target\" 2>/dev/null
    done
    touch \"$0\" 2>/dev/null && exit 9
    user=$1; shift
    exec setpriv --reuid $user --regid $user --clear-groups \"$@\"";

/// The server runs without a file of its own, reloads, and stops at the signal of the
/// container.
#[test]
fn a_container_with_a_read_only_root() {
    if !sys::is_root() {
        eprintln!("skipped: only root can make the namespaces of a container");
        return;
    }

    let file = containerfile();
    let server = Server::echo("container");
    let port = server.port.to_string();
    // A list of strings in quotation marks.
    let arguments: Vec<&str> = file["ENTRYPOINT"].split('"').skip(1).step_by(2).collect();
    let stderr = server.directory.join("stderr");

    assert_eq!(arguments[0], "/echo");
    assert_eq!(file["STOPSIGNAL"], "SIGQUIT");

    let mut process = Killed(
        Command::new("unshare")
            .args(["-pfm", "--mount-proc", "sh", "-c", INSIDE])
            .arg(server.directory.join("work"))
            .arg(&file["USER"])
            .arg(&server.exe)
            .args(
                arguments[1..]
                    .iter()
                    .map(|text| text.replace("7000", &port)),
            )
            .stderr(File::create(&stderr).unwrap())
            .spawn()
            .unwrap(),
    );
    let master = find("the process 1", || {
        if let Some(status) = process.0.try_wait().unwrap() {
            panic!("{status}: {}", fs::read_to_string(&stderr).unwrap());
        }

        server
            .processes()
            .into_iter()
            .find(|&pid| proc::status(pid, "NSpid").is_some_and(|pids| pids.ends_with("\t1")))
    });

    let workers = server.wait_for_workers(2);

    for &pid in &server.processes() {
        let uid = proc::status(pid, "Uid").unwrap();

        assert_eq!(uid.split_whitespace().next(), Some(&*file["USER"]));
    }

    echo(&mut server.connect(), "in a container\n");
    sys::kill(master, libc::SIGHUP);
    server.wait_for_others(2, &workers);
    echo(&mut server.connect(), "after a reload\n");
    sys::kill(master, libc::SIGQUIT);
    assert!(process.0.wait().unwrap().success());
    wait_until("no process", || server.processes().is_empty());

    let log = fs::read_to_string(&stderr).unwrap();

    assert!(log.contains("reconfiguring"), "{log}");
    assert!(
        !["[emerg]", "[alert]", "[crit]"]
            .iter()
            .any(|bad| log.contains(bad)),
        "{log}"
    );
}
