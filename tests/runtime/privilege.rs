//! A master that runs as root, and workers of another user: which files and which
//! memory this user can get access to.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::build::echo;
use crate::support::server::Server;
use crate::support::{proc, sys, wait_until};

/// The id of the user whom the workers run as.
fn nobody() -> u32 {
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let line = passwd.lines().find(|line| line.starts_with("nobody:"));

    line.unwrap().split(':').nth(2).unwrap().parse().unwrap()
}

/// Makes a server whose worker will run as the user "nobody". Does not start the
/// server. Returns `None` if the test does not run as root. If `theirs` is true,
/// "nobody" owns the directory of the log.
fn server_of_root(test: &str, theirs: bool) -> Option<Server> {
    if !sys::is_root() {
        return None;
    }

    let server = Server::configurable(test);

    if theirs {
        chown(&server.directory, Some(nobody()), None).unwrap();
    }

    Some(server)
}

const OPTIONS: [&str; 2] = ["-u", "nobody"];

/// Makes a file of root. The server must not write to it or change its owner.
fn secret(server: &Server) -> PathBuf {
    let path = server.directory.join("secret");

    fs::write(&path, "secret\n").unwrap();

    path
}

fn assert_untouched(path: &Path) {
    assert_eq!(fs::metadata(path).unwrap().uid(), 0, "the owner changed");
    assert_eq!(fs::read_to_string(path).unwrap(), "secret\n");
}

/// Calls `place`, which replaces the log by another file, and then makes the master
/// reopen its log. The master must refuse the new file, and write to the old log.
fn refused_at_reopening(test: &str, place: impl Fn(&Path, &Path)) {
    let Some(server) = server_of_root(test, true) else {
        return;
    };
    let secret = secret(&server);
    let (log, old) = (server.logfile(), server.directory.join("log.1"));
    let master = server.start(1, &OPTIONS);

    fs::rename(&log, &old).unwrap();
    place(&secret, &log);
    server.signal(libc::SIGUSR1);
    wait_until("a refusal in the old log", || {
        fs::read_to_string(&old).unwrap().contains("log\" failed")
    });
    assert_untouched(&secret);
    assert!(
        proc::descriptors(master)
            .values()
            .any(|file| *file == old.to_string_lossy()),
        "the master has the old log"
    );

    fs::rename(&old, &log).unwrap();
    server.signal(libc::SIGUSR1);
    server.wait_for_new_log();
    server.quit(&["log\" failed"]);
}

/// A symbolic link that the workers' user has put at the log's path is not
/// opened, and the owner of its target is not changed (D32).
#[test]
fn a_reopened_log_is_no_symlink_of_the_workers() {
    refused_at_reopening("log_symlink", |secret, log| symlink(secret, log).unwrap());
}

/// A hard link that the workers' user has put at the log's path is refused (D32).
#[test]
fn a_reopened_log_is_no_hard_link_of_the_workers() {
    refused_at_reopening("log_hard_link", |secret, log| {
        fs::hard_link(secret, log).unwrap();
    });
}

/// A FIFO that has no reader does not block the master.
#[test]
fn a_reopened_log_is_no_fifo_of_the_workers() {
    refused_at_reopening("log_fifo", |_, log| {
        nix::unistd::mkfifo(log, nix::sys::stat::Mode::from_bits_truncate(0o666)).unwrap();
    });
}

/// A symbolic link in the place of the log's directory is not followed (D32).
#[test]
fn a_reopened_log_is_in_no_symlink_of_the_workers() {
    let Some(server) = server_of_root("log_directory", true) else {
        return;
    };
    let theirs = server.directory.join("logs");
    let roots = server.directory.join("roots");
    let conf = server.directory.join("conf");
    let moved = theirs.join("log");
    let secret = roots.join("log");

    for directory in [&theirs, &roots] {
        fs::create_dir(directory).unwrap();
    }

    chown(&theirs, Some(nobody()), None).unwrap();
    fs::write(&secret, "secret\n").unwrap();
    fs::write(&conf, format!("log {}", moved.display())).unwrap();

    server.start(1, &[&OPTIONS[..], &["-r", conf.to_str().unwrap()]].concat());
    server.reload();
    fs::rename(&theirs, server.directory.join("logs.1")).unwrap();
    symlink(&roots, &theirs).unwrap();
    server.signal(libc::SIGUSR1);

    let old = server.directory.join("logs.1/log");

    wait_until("a refusal in the old log", || {
        fs::read_to_string(&old).unwrap().contains("log\" failed")
    });
    assert_untouched(&secret);
    server.quit(&[]);
}

/// A link in a directory that only root can change is followed. The owner of
/// its target is not changed.
#[test]
fn a_reopened_log_may_be_a_symlink_of_root() {
    let Some(server) = server_of_root("log_root_link", false) else {
        return;
    };
    let target = server.directory.join("target");

    fs::write(&target, "").unwrap();
    server.start(1, &OPTIONS);
    fs::rename(server.logfile(), server.directory.join("log.1")).unwrap();
    symlink(&target, server.logfile()).unwrap();
    server.signal(libc::SIGUSR1);
    wait_until("the master's new log", || {
        let target = target.to_string_lossy();

        proc::descriptors(server.master())
            .values()
            .any(|file| *file == target)
    });
    assert_eq!(fs::metadata(&target).unwrap().uid(), 0);
    // The worker may not open a file of root.
    server.quit(&["log\" failed (13:"]);
}

/// At a start and at a reload, the master does not follow a symbolic link that the
/// workers' user has put at the log's path (D32).
#[test]
fn a_new_log_is_no_symlink_of_the_workers() {
    let Some(server) = server_of_root("log_start", true) else {
        return;
    };
    let secret = secret(&server);
    let conf = server.directory.join("conf");
    let link = server.directory.join("link");

    symlink(&secret, server.logfile()).unwrap();
    symlink(&secret, &link).unwrap();

    let status = server.command(&OPTIONS).status().unwrap();
    let text = fs::read_to_string(server.directory.join("stderr")).unwrap();

    assert_eq!(status.code(), Some(1));
    assert!(text.contains("log\" failed (40:"), "{text}");
    assert_untouched(&secret);
    fs::remove_file(server.logfile()).unwrap();
    server.start(1, &[&OPTIONS[..], &["-r", conf.to_str().unwrap()]].concat());
    fs::write(&conf, format!("log {}", link.display())).unwrap();
    server.signal(libc::SIGHUP);
    server.wait_for_line("link\" failed (40:");
    assert_untouched(&secret);
    server.quit(&["link\" failed (40:"]);
}

/// A pid file is not written through a symbolic link that the workers' user has
/// put at its path.
#[test]
fn a_pid_file_is_no_symlink_of_the_workers() {
    let Some(server) = server_of_root("pid_symlink", true) else {
        return;
    };
    let secret = secret(&server);

    symlink(&secret, server.pidfile()).unwrap();

    let master = server.start(1, &OPTIONS);
    let pid = fs::read_to_string(server.pidfile()).unwrap();

    assert_untouched(&secret);
    assert_eq!(pid, format!("{master}\n"));
    assert_eq!(fs::symlink_metadata(server.pidfile()).unwrap().uid(), 0);
    server.quit(&[]);
}

/// Root sends no signal to a process of root that the workers' user has named in
/// a pid file of its own.
#[test]
fn a_pid_file_of_the_workers_names_no_process_of_root() {
    let Some(server) = server_of_root("pid_owner", true) else {
        return;
    };
    let mut bystander = Command::new("sleep").arg("60").spawn().unwrap();
    let pidfile = server.pidfile();

    fs::write(&pidfile, bystander.id().to_string()).unwrap();
    chown(&pidfile, Some(nobody()), None).unwrap();

    let out = Command::new(echo())
        .arg("-p")
        .arg(&pidfile)
        .args(["-s", "stop"])
        .output()
        .unwrap();

    // If root had sent SIGTERM to the process before, wait() below would report
    // SIGTERM in place of SIGKILL.
    bystander.kill().unwrap();

    let stderr = String::from_utf8_lossy(&out.stderr);

    assert!(stderr.contains("is not the user of process"), "{stderr}");
    assert_eq!(out.status.code(), Some(1));
    assert_eq!(bystander.wait().unwrap().signal(), Some(libc::SIGKILL));
}

/// Other processes of the workers' user cannot read a worker's memory: the
/// kernel makes root the owner of its files in /proc, see `ptrace(2)`. Only a
/// limit for core files in the configuration changes that (D36).
#[test]
fn the_memory_of_a_worker_is_its_own() {
    for (test, options, owner) in [
        ("memory", &[][..], 0),
        ("memory_core", &["-R", "4096"], nobody()),
    ] {
        let Some(server) = server_of_root(test, false) else {
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
