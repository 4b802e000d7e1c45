//! Test of `examples/echo.rs`.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use super::Case;
use super::started::Started;

pub const CASES: &[Case] = &[("example::the_echo_server", the_echo_server)];

fn the_echo_server() {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--quiet", "--example", "echo"])
        .args([
            "--manifest-path",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ])
        .status()
        .unwrap();

    assert!(built.success());

    let exe = env::current_exe().unwrap();
    let echo = exe
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples/echo");
    let address = free_address();
    let mut server = Started::start(
        Command::new(echo)
            .args([&address, "2"])
            .stderr(Stdio::piped()),
    );
    let log = BufReader::new(server.child().stderr.take().unwrap());
    let mut lines = log.lines().map(Result::unwrap);

    // The master listens before it starts its workers.
    lines
        .find(|line| line.contains("start worker process"))
        .unwrap();

    for _ in 0..3 {
        assert_eq!(echoed(&address), "hello");
    }

    server.quit();
    assert!(lines.any(|line| line.ends_with("exits, 3 clients until now")));
    assert!(server.wait().success());
}

/// An address with a port that no socket has.
fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();

    listener.local_addr().unwrap().to_string()
}

fn echoed(address: &str) -> String {
    let mut client = TcpStream::connect(address).unwrap();
    let mut text = String::new();

    client.write_all(b"hello").unwrap();
    client.shutdown(std::net::Shutdown::Write).unwrap();
    client.read_to_string(&mut text).unwrap();
    text
}
