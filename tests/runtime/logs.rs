//! Where the log of a program goes: stderr and syslog.

use std::fs;
use std::io::Read;
use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use super::conf_values::with_fields;
use crate::support::server::Server;
use crate::support::{find, sys, wait_until};

/// The time that a stand-in for a syslog server waits for a message.
pub const SOON: Duration = Duration::from_secs(60);

/// Connects to the server, and waits until a worker has closed the connection.
pub fn visit(server: &Server) {
    let mut end = Vec::new();

    assert_eq!(server.connect().read_to_end(&mut end).unwrap(), 0);
}

/// "stderr" is not the name of a file, as in nginx.
#[test]
fn the_log_can_be_stderr() {
    let server = with_fields("log_stderr", &["error_log=stderr", "text=a line"]);
    let work = server.directory.join("work");
    let stderr = || fs::read_to_string(server.directory.join("stderr")).unwrap();

    fs::create_dir(&work).unwrap();

    let mut command = server.command(&[]);

    command.current_dir(&work);
    server.spawn_command(command, &[]);
    wait_until("the worker's line", || {
        stderr().contains("#0: a line (11: ")
    });

    let before = server.settled_descriptors();

    server.signal(libc::SIGUSR1);
    wait_until("both processes", || {
        stderr().matches("#0: reopening logs").count() == 2
    });
    server.wait_for_descriptors(&before);
    server.reload();
    // A line is on stderr once.
    assert_eq!(stderr().matches("#0: a line (11: ").count(), 2);
    assert_eq!(stderr().matches("a line").count(), 2);
    server.quit(&[]);
    assert_eq!(fs::read_dir(&work).unwrap().count(), 0);
}

/// The next message of a stand-in for a syslog server that contains `text`.
pub fn message(what: &str, mut receive: impl FnMut(&mut [u8]) -> std::io::Result<usize>) -> String {
    let mut buffer = vec![0; 65536];

    find(what, || {
        let n = receive(&mut buffer).ok()?;
        let text = String::from_utf8(buffer[..n].to_vec()).unwrap();

        text.contains(what).then_some(text)
    })
}

/// Whether `text` is like `pattern`, in which "9" is any digit.
pub fn is_like(text: &str, pattern: &str) -> bool {
    text.len() == pattern.len()
        && text.chars().zip(pattern.chars()).all(|(a, b)| match b {
            '9' => a.is_ascii_digit(),
            _ => a == b,
        })
}

/// A line becomes a message with nginx's format, from each process. A reload and USR1
/// leave no socket.
#[test]
fn lines_go_to_a_syslog_server() {
    let syslog = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = syslog.local_addr().unwrap().port();
    let host = fs::read_to_string("/proc/sys/kernel/hostname")
        .unwrap()
        .to_ascii_lowercase();

    syslog.set_read_timeout(Some(SOON)).unwrap();

    for (parameters, priority, origin) in [
        ("", 23 * 8, format!("{} server", host.trim())),
        (
            ",facility=user,tag=my_tag,severity=debug,nohostname",
            8,
            "my_tag".to_string(),
        ),
    ] {
        let log = format!("error_log=syslog:server=127.0.0.1:{port}{parameters}");
        let server = with_fields("log_syslog", &[&log, "text=a line"]);
        let master = server.spawn(&[]);
        let worker = *server.wait_for_workers(1).first().unwrap();
        let next = |what: &str| message(what, |buffer| syslog.recv(buffer));

        for (text, level, number, pid) in [
            ("start worker processes", "notice", 5, master),
            ("a line (11: Resource", "error", 3, worker),
        ] {
            let text = next(text);
            let (head, rest) = text.split_once(&format!(" {origin}: ")).unwrap();
            let (date, line) = rest.split_at("2026/11/27 03:06:33".len());
            let head = head
                .strip_prefix(&format!("<{}>", priority + number))
                .unwrap();

            assert!(
                is_like(&head.replace("  ", " 0")[4..], "99 99:99:99"),
                "{head}"
            );
            assert!(is_like(date, "9999/99/99 99:99:99"), "{date}");
            assert!(line.starts_with(&format!(" [{level}] {pid}#0: ")), "{line}");
            assert!(!line.ends_with('\n'));
        }

        // A new socket has another port.
        let descriptors = || -> Vec<usize> {
            let all = server.descriptors();

            all.iter().map(|(_, kinds)| kinds.values().sum()).collect()
        };

        server.settled_descriptors();

        let before = descriptors();

        server.signal(libc::SIGUSR1);
        next("reopening logs");
        server.reload();
        next("a line");
        wait_until("the same descriptors", || descriptors() == before);
        server.quit(&[]);
        next("exit");
        assert!(!server.logfile().exists());
    }
}

/// A syslog server goes away, and comes back. Meanwhile workers work, and lines are lost.
/// Then the server gets the lines again, and their lost number.
#[test]
fn a_syslog_server_comes_back() {
    let mut server = with_fields("log_syslog_back", &[]);
    let path = server.directory.join("fifo");

    server
        .instead
        .push(format!("error_log=syslog:server=unix:{}", path.display()).into());

    let bind = || {
        let socket = UnixDatagram::bind(&path).unwrap();

        socket.set_read_timeout(Some(SOON)).unwrap();
        socket
    };
    let syslog = bind();

    server.spawn(&[]);
    server.wait_for_workers(1);
    visit(&server);
    message("accepted", |buffer| syslog.recv(buffer));
    drop(syslog);
    fs::remove_file(&path).unwrap();

    for _ in 0..5 {
        visit(&server);
    }

    let syslog = bind();

    visit(&server);
    message("*7 accepted", |buffer| syslog.recv(buffer));
    message(" lines could not be sent to the syslog server", |buffer| {
        syslog.recv(buffer)
    });
    server.quit(&[]);
}

/// A syslog server that does not read blocks no worker.
#[test]
fn a_syslog_server_blocks_nothing() {
    let mut server = with_fields("log_syslog_full", &["lines=20000"]);
    let path = server.directory.join("fifo");
    let lines = server.directory.join("own");
    let syslog = UnixDatagram::bind(&path).unwrap();

    server
        .instead
        .push(format!("error_log=syslog:server=unix:{}", path.display()).into());
    server
        .instead
        .push(format!("writer={}", lines.display()).into());
    server.spawn(&[]);
    server.wait_for_workers(1);
    visit(&server);
    // The function of the program gets the lines that the syslog server does not get.
    wait_until("all lines", || {
        fs::read_to_string(&lines)
            .unwrap()
            .contains("has logged all")
    });

    let text = fs::read_to_string(&lines).unwrap();

    assert_eq!(text.matches("worker 0 line ").count(), 20_000);
    server.quit(&[]);
    drop(syslog);
}

/// A syslog server of a new configuration that is invalid is refused.
#[test]
fn invalid_parameters_of_syslog_are_refused() {
    for (parameters, expected) in [
        ("", "unknown syslog parameter \"\""),
        ("tag=x", "no syslog server specified"),
        (
            "server=127.0.0.1,facility=x",
            "unknown syslog facility \"x\"",
        ),
        (
            "server=127.0.0.1,server=127.0.0.1",
            "duplicate syslog \"server\"",
        ),
        (
            "server=127.0.0.1:x",
            "invalid port in syslog server \"127.0.0.1:x\"",
        ),
        ("server=127.0.0.1,tag=a-b", "syslog \"tag\" only allows"),
    ] {
        let server = with_fields(
            "log_syslog_bad",
            &[&format!("error_log=syslog:{parameters}")],
        );
        let status = server.command(&[]).status().unwrap();
        let text = fs::read_to_string(server.directory.join("stderr")).unwrap();

        assert_eq!(status.code(), Some(1));
        assert!(
            text.contains("[emerg]") && text.contains(expected),
            "{text}"
        );
    }
}

/// A function of the program gets each line and its level, in place of stderr or beside a
/// The fields of a line of JSON. Fails if the line is not an object of JSON with strings
/// With `log_json` each line is an object: in the file, at a syslog server, and for a
/// The log is renamed and opened again all the time, while two workers log 100,000
/// When the disk is full, a log tries to write once a second, as nginx does. Other logs
/// A worker that runs as another user has the same log.
#[test]
fn the_log_of_a_user_is_the_same() {
    if !sys::is_root() {
        eprintln!("SKIP: only root can start workers of another user");
        return;
    }

    let server = with_fields(
        "log_user",
        &["username=nobody", "text=a line", "log_json=1"],
    );

    server.spawn(&[]);
    server.wait_for_line("a line");
    assert!(Path::new(&server.logfile()).exists());
    server.quit(&[]);
}
