//! The log of a server without nginx is like nginx's: messages to a syslog server, and a
//! log that cannot be opened.

use std::net::UdpSocket;

use crate::nginx::{BOTH, Nginx, Which};
use crate::support::server::Server;
use crate::support::{SOON, build, find};

/// The next message that contains `text`, with "9" in place of each number.
fn message(syslog: &UdpSocket, text: &str) -> String {
    let mut buffer = [0; 4096];

    find(text, || {
        let n = syslog.recv(&mut buffer).ok()?;
        let message = String::from_utf8(buffer[..n].to_vec()).unwrap();

        message.contains(text).then(|| without_numbers(&message))
    })
}

/// Replaces each number by "9". The day of a date can begin with a space.
fn without_numbers(text: &str) -> String {
    let mut shown = String::new();

    for letter in text.chars() {
        match letter {
            '0'..='9' if shown.ends_with('9') => {}
            '0'..='9' => shown.push('9'),
            _ => shown.push(letter),
        }
    }

    shown
}

/// The messages about the start and the end of a worker are those of nginx, with each
/// parameter. The tag is given, because its default is the name of the program.
#[test]
fn syslog_messages_are_nginx_s() {
    const TEXTS: [&str; 3] = [
        "start worker processes",
        "gracefully shutting down",
        "exiting",
    ];

    let syslog = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = syslog.local_addr().unwrap().port();

    syslog.set_read_timeout(Some(SOON)).unwrap();

    for parameters in [
        "tag=t",
        "facility=daemon,tag=t,nohostname",
        "severity=crit,tag=t",
    ] {
        let log = format!("syslog:server=127.0.0.1:{port},{parameters}");
        let mut all = Vec::new();

        for which in BOTH {
            let main = format!("worker_processes 1; error_log {log} notice;");
            let nginx = Nginx::new("syslog", which, &main, "");

            all.push(messages(&nginx, &syslog, &TEXTS));
        }

        let mut server = Server::new("syslog_own", "server", &build::program("runtime_conf"));

        server.instead = vec![
            format!("address={}", server.place).into(),
            format!("pid={}", server.pidfile().display()).into(),
            format!("error_log={log}").into(),
            "worker_processes=1".into(),
        ];
        all.push(messages(&server, &syslog, &TEXTS));
        assert_eq!(all[0], all[1]);
        assert_eq!(all[0], all[2]);
    }
}

/// Starts and stops a server; returns its messages with these texts.
fn messages(server: &Server, syslog: &UdpSocket, texts: &[&str; 3]) -> Vec<String> {
    server.spawn(&[]);
    server.wait_for_workers(1);

    let first = message(syslog, texts[0]);

    server.quit(&[]);

    [first, message(syslog, texts[1]), message(syslog, texts[2])].to_vec()
}

/// nginx does not start if it cannot open its log, as a server without nginx.
#[test]
fn a_log_that_cannot_be_opened_stops_nginx() {
    for which in [Which::Stock, Which::Ipc] {
        let nginx = Nginx::new("no_log", which, "error_log /nonexistent/log;", "");
        let out = nginx.run(&[]);
        let text = String::from_utf8_lossy(&out.stderr);

        assert_eq!(out.status.code(), Some(1));
        assert!(text.contains("[emerg]"), "{text}");
        assert!(
            text.contains("open() \"/nonexistent/log\" failed (2:"),
            "{text}"
        );
    }
}
