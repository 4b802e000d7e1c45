//! Tests of a program's own messages: the example in docs/servers.md, and messages on
//! channels for which a worker has no handler.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use crate::support::build::{directory, example, program};
use crate::support::client::ask;
use crate::support::server::{Server, free_port};
use crate::support::{Killed, SOON, find, proc, sys, wait_until};

/// A type that main() registers is known in the master and in all workers, also in
/// those of the next generation.
#[test]
fn the_example_tells_all_processes() {
    let log = directory().join("tell.log");
    let address = format!("127.0.0.1:{}", free_port());
    let mut command = Command::new(example("tell"));

    command.arg(&address).stdin(Stdio::null());

    let mut program = Killed(
        command
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap(),
    );
    let workers = std::thread::available_parallelism().unwrap().get();
    let lines = |text: &str| {
        let log = std::fs::read_to_string(&log).unwrap();

        log.lines().filter(|line| line.ends_with(text)).count()
    };
    let tell = |text: &str| {
        let mut stream = find("a server", || TcpStream::connect(&address).ok());

        stream.write_all(text.as_bytes()).unwrap();
        wait_until("a line of each process", || {
            lines(&format!("told: {text}")) == workers + 1
        });
    };

    tell("first");
    assert!(sys::kill(program.0.id() as i32, libc::SIGHUP));
    wait_until("the end of the old workers", || lines(": exit") == workers);
    tell("second");

    assert!(sys::kill(program.0.id() as i32, libc::SIGQUIT));
    assert!(program.0.wait().unwrap().success());
}

/// A worker that is started again handles the message that the master has kept before it
/// accepts a connection, also if connections wait already.
#[test]
fn a_kept_message_comes_before_connections() {
    let address = format!("127.0.0.1:{}", free_port());
    let mut command = Command::new(program("runtime_kept"));

    command.arg(&address).stdin(Stdio::null());

    let mut server = Killed(command.stderr(Stdio::null()).spawn().unwrap());
    let master = server.0.id().cast_signed();
    let answer = |mut stream: TcpStream| {
        let mut text = String::new();

        stream.set_read_timeout(Some(SOON)).unwrap();
        stream.read_to_string(&mut text).unwrap();

        let (pid, message) = text.split_once(' ').unwrap();

        (pid.parse::<i32>().unwrap(), message.to_string())
    };

    let first = find("a server", || TcpStream::connect(&address).ok());
    let (worker, message) = answer(first);

    assert_eq!(message, "configuration");

    assert!(sys::kill(worker, libc::SIGSTOP));
    wait_until("a stopped worker", || proc::state(worker) == Some('T'));

    let waiting: Vec<_> = (0..3)
        .map(|_| TcpStream::connect(&address).unwrap())
        .collect();

    assert!(sys::kill(worker, libc::SIGKILL));

    for (pid, message) in waiting.into_iter().map(answer) {
        assert_ne!(pid, worker);
        assert_eq!(message, "configuration");
    }

    assert!(sys::kill(master, libc::SIGQUIT));
    assert!(server.0.wait().unwrap().success());
}

/// A message on the channel of a worker whose command the worker does not know is refused.
/// If it arrives all the same, the worker says so, once.
#[test]
fn an_unknown_command_is_refused() {
    let server = Server::configurable("own_unknown");

    server.start(2, &[]);

    let mut sender = server.connect();

    for _ in 0..3 {
        assert_eq!(ask(&mut sender, 'u'), ["-1 ENOTSUP 32"]);
    }

    // The other worker gets the order to quit after these messages.
    drop(sender);
    server.quit(&["the command 31"]);

    let refused = server.lines("has no handler for the command 31 of a channel message");

    assert_eq!(refused.len(), 3, "{refused:?}");
    assert!(
        refused
            .iter()
            .all(|line| line.contains("[alert]") && line.contains("(95: ")),
        "{refused:?}"
    );

    let lines = server.lines("dropped a channel message with the command 31");

    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("[warn]"), "{lines:?}");
}
