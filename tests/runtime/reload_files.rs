//! Tests of a reload that changes the pid file, the log or a listening socket.

use std::fs;
use std::os::unix::net::UnixStream;

use crate::support::client::ask;
use crate::support::server::Server;
use crate::support::{proc, sys, wait_until};

/// A reload with another name of the pid file creates the new file and removes
/// the old one.
#[test]
fn a_reload_moves_the_pid_file() {
    let server = Server::configurable("reload_pid");
    let conf = server.directory.join("conf");
    let moved = server.directory.join("pid.moved");
    let master = server.start(2, &["-r", conf.to_str().unwrap()]);
    let pid_in = |path| fs::read_to_string(path).unwrap_or_default();
    let reload = |content: String| {
        let old = server.workers();

        fs::write(&conf, content).unwrap();
        sys::kill(master, libc::SIGHUP);
        server.wait_for_others(2, &old);
    };

    // The reload fails if the new pid file cannot be written.
    let workers = server.workers();

    fs::write(&conf, "pid /nonexistent/pid").unwrap();
    server.signal(libc::SIGHUP);
    server.wait_for_line("open() \"/nonexistent/pid\" failed");
    assert_eq!(server.master(), master);
    assert_eq!(server.workers(), workers);

    reload(format!("pid {}", moved.display()));
    assert_eq!(pid_in(&moved), format!("{master}\n"));
    assert!(!server.pidfile().exists());

    reload(format!("pid {}", moved.display()));
    assert_eq!(pid_in(&moved), format!("{master}\n"));

    reload(format!("pid {}", server.pidfile().display()));
    assert_eq!(server.master(), master);
    assert!(!moved.exists());
    server.quit(&["/nonexistent/pid"]);
}

/// A reload fails and changes nothing if the new log cannot be opened. The next
/// reload succeeds.
#[test]
fn a_reload_needs_its_log() {
    let server = Server::configurable("reload_log");
    let conf = server.directory.join("conf");
    let master = server.start(2, &["-r", conf.to_str().unwrap()]);
    let workers = server.workers();
    let descriptors = proc::descriptors(master);

    fs::write(&conf, "log /nonexistent/log").unwrap();
    server.signal(libc::SIGHUP);
    server.wait_for_line("open() \"/nonexistent/log\" failed");
    wait_until("the descriptors as they were", || {
        proc::descriptors(master) == descriptors
    });
    assert_eq!(server.workers(), workers);
    assert_eq!(
        ask(&mut server.connect(), 'w')[0].split(' ').nth(2),
        Some("1")
    );

    fs::write(&conf, "").unwrap();
    server.reload();
    server.quit(&["/nonexistent/log"]);
}

/// A reload that no longer has the address of a Unix socket removes the
/// socket's file. A later reload can create the file again.
#[test]
fn a_dropped_unix_socket_s_file_goes() {
    let mut server = Server::configurable("dropped_unix");
    let conf = server.directory.join("conf");
    let path = server.directory.join("socket");
    let tcp = server.place.clone();
    let unix = format!("unix:{}", path.display());

    server.place.clone_from(&unix);

    let master = server.start(2, &["-r", conf.to_str().unwrap()]);
    let before = proc::kinds_of_descriptors(master);

    UnixStream::connect(&path).unwrap();

    for _ in 0..2 {
        fs::write(&conf, format!("address {tcp}")).unwrap();
        server.reload();
        wait_until("the file's end", || !path.exists());
        ask(&mut server.connect(), 'w');

        fs::write(&conf, format!("address {unix}")).unwrap();
        server.reload();
        UnixStream::connect(&path).unwrap();
        wait_until("a closed port", || server.try_connect().is_err());
    }

    wait_until("the descriptors as they were", || {
        server.processes().len() == 3 && proc::kinds_of_descriptors(master) == before
    });
    server.quit(&[]);
    assert!(!path.exists());
}
