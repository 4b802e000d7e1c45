//! The files of Unix sockets: who may connect, and when they are replaced and removed.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::server::Server;
use crate::support::upgrade::{change_binary, retire};
use crate::support::{proc, sys, wait_until};

/// A server that listens on the Unix socket of the second value.
fn server(test: &str) -> (Server, PathBuf) {
    let mut server = Server::configurable(test);
    let path = server.directory.join("socket");

    server.place = format!("unix:{}", path.display());

    (server, path)
}

/// Whether a worker answers on the socket.
fn answers(path: &Path) -> bool {
    let Ok(mut stream) = UnixStream::connect(path) else {
        return false;
    };
    let mut line = String::new();

    stream.write_all(b"w").unwrap();
    BufReader::new(stream).read_line(&mut line).unwrap();

    !line.is_empty()
}

fn mode_of(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o777
}

/// Every user may connect, whatever the umask is, unless the program has chosen
/// another mode.
#[test]
fn the_mode_does_not_depend_on_the_umask() {
    for (umask, options, mode) in [
        ("077", &["-w", "1"][..], 0o666),
        ("000", &["-w", "1", "-M", "660"], 0o660),
    ] {
        let (server, path) = server("unix_mode");
        let plain = server.command(options);
        let mut command = Command::new("sh");

        command
            .args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")])
            .arg(plain.get_program())
            .args(plain.get_args());
        server.spawn_command(command, options);
        server.wait_for_workers(1);
        assert_eq!(mode_of(&path), mode);
        server.reload();
        assert_eq!(mode_of(&path), mode);
        assert!(answers(&path));
        server.quit(&[]);
        assert!(!path.exists());
    }
}

/// The file of a Unix socket gets the owner that the program has chosen. A user that
/// does not exist is an error.
#[test]
fn the_file_has_its_owner() {
    if !sys::is_root() {
        eprintln!("SKIP: only root can change the owner of a file");
        return;
    }

    let (server, path) = server("unix_owner");

    server.start(1, &["-O", "nobody"]);
    assert_ne!(fs::symlink_metadata(&path).unwrap().uid(), 0);
    server.quit(&[]);

    let mut command = server.command(&["-O", "no-such-user"]);

    assert_eq!(command.status().unwrap().code(), Some(1));
    assert!(!path.exists());
    assert!(
        fs::read_to_string(server.directory.join("stderr"))
            .unwrap()
            .contains("user \"no-such-user\" not found")
    );
}

/// The file of the socket is removed at each kind of exit: of a master in the foreground,
/// of a daemon, and of a single process.
#[test]
fn the_file_is_removed_at_each_exit() {
    for options in [&["-w", "1"][..], &["-w", "1", "-d"], &["-1"]] {
        for signo in [libc::SIGQUIT, libc::SIGTERM, libc::SIGINT] {
            let (server, path) = server("unix_exit");

            server.spawn(options);
            wait_until("an answer", || path.exists() && answers(&path));
            server.signal(signo);
            server.finish(&[]);
            assert!(!path.exists(), "signal {signo}, {options:?}");
        }
    }
}

/// After `kill -9` of all processes the file of the socket is left. The next start
/// replaces it.
#[test]
fn the_file_of_a_killed_server_is_replaced() {
    let (server, path) = server("unix_killed");
    let master = server.start(1, &["-d"]);
    let before = fs::symlink_metadata(&path).unwrap().ino();

    // A master that runs would start another worker.
    let workers = server.workers();

    for pid in [master].into_iter().chain(workers) {
        sys::kill(pid, libc::SIGKILL);
    }

    wait_until("the end", || server.processes().is_empty());
    assert_eq!(fs::symlink_metadata(&path).unwrap().ino(), before);

    fs::remove_file(server.pidfile()).unwrap();
    server.start(1, &["-d"]);
    assert!(answers(&path));
    server.signal(libc::SIGTERM);
    server.finish(&[]);
    assert!(!path.exists());
}

/// A second instance does not replace the socket of a first one that runs, and no file
/// that is not a socket.
#[test]
fn other_files_stay() {
    const IN_USE: &[&str] = &["Address already in use", "still could not bind()"];

    let (first, path) = server("unix_first");
    let (mut second, theirs) = server("unix_second");
    let master = first.start(1, &[]);
    let before = fs::symlink_metadata(&path).unwrap().ino();
    let refused = |server: &Server| {
        assert_eq!(server.command(&[]).status().unwrap().code(), Some(1));
        server.check_log(IN_USE);
        assert!(!server.pidfile().exists());
    };

    fs::write(&theirs, "text").unwrap();
    refused(&second);
    assert_eq!(fs::read_to_string(&theirs).unwrap(), "text");

    second.place.clone_from(&first.place);
    refused(&second);
    assert_eq!(fs::symlink_metadata(&path).unwrap().ino(), before);
    assert!(answers(&path));
    assert!(proc::alive(master));
    first.quit(&[]);
}

/// QUIT to both binaries during an upgrade: the last one that exits removes the
/// file (D34).
#[test]
fn both_binaries_of_an_upgrade_exit() {
    let (server, path) = server("unix_both");

    server.start(1, &["-d"]);

    let (old, new) = change_binary(&server, 1);

    assert!(answers(&path));

    for pid in [old, new] {
        sys::kill(pid, libc::SIGQUIT);
    }

    wait_until("the end", || server.processes().is_empty());
    assert!(!path.exists());
}

/// During an upgrade one binary exits: the file stays for the other one.
#[test]
fn one_binary_of_an_upgrade_exits() {
    let (server, path) = server("unix_one");

    server.start(1, &["-d"]);

    let (old, new) = change_binary(&server, 1);

    sys::kill(new, libc::SIGQUIT);
    wait_until("the new master's end", || !proc::alive(new));
    assert!(answers(&path));
    wait_until("the old pid file", || server.pidfile().exists());

    let (_, new) = change_binary(&server, 1);

    retire(&server, old);
    assert!(answers(&path));
    assert_eq!(server.master(), new);
    server.quit(&[]);
    assert!(!path.exists());
}

/// The new binary does not have the second address any more. The old binary removes
/// its file when it exits, and not before.
#[test]
fn a_socket_that_the_new_binary_does_not_have_is_removed() {
    let (mut server, path) = server("unix_dropped");
    let second = server.directory.join("second");
    let drops = server.directory.join("drops");

    server.places = vec![format!("unix:{}", second.display())];
    server.start(1, &["-d", "-E", drops.to_str().unwrap()]);
    assert!(answers(&path) && answers(&second));
    fs::write(&drops, "").unwrap();

    let (old, _) = change_binary(&server, 1);

    assert!(answers(&second));
    retire(&server, old);
    assert!(!second.exists());
    assert!(answers(&path));
    server.quit(&[]);
    assert!(!path.exists());
}
