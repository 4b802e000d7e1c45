//! The examples of listening sockets in docs/servers.md, with each form of address.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv6Addr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::process::{Command, Stdio};

use crate::support::build::{directory, example};
use crate::support::server::free_port;
use crate::support::{Killed, SOON, find, sys};

/// Checks that the server greets a client that has connected.
fn greets(stream: impl Read) {
    let mut line = String::new();

    BufReader::new(stream).read_line(&mut line).unwrap();
    assert!(line.starts_with("hello from "), "{line}");
}

fn start(command: &mut Command) -> Killed {
    Killed(command.stderr(Stdio::null()).spawn().unwrap())
}

/// Stops a server, which must exit without an error.
fn quit(mut server: Killed) {
    assert!(sys::kill(server.0.id() as i32, libc::SIGQUIT));
    assert!(server.0.wait().unwrap().success());
}

/// Connects as soon as the server listens.
fn connect(address: &str) -> TcpStream {
    let stream = find(address, || TcpStream::connect(address).ok());

    stream.set_read_timeout(Some(SOON)).unwrap();
    stream
}

/// A program listens on an address of each form. The Unix socket with a file leaves
/// none, and the one without a file is free again.
#[test]
fn each_form_of_address() {
    let program = example("listen");
    let path = directory().join("listen.sock");
    let name = format!("ngx-ipc-listen-{}", std::process::id());
    let [one, all, bare, star] = [(); 4].map(|()| free_port());
    let ipv6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
    let mut command = Command::new(program);

    command
        .arg(format!("127.0.0.1:{one}"))
        .arg(format!(":{all}"))
        .arg(format!("{bare}"))
        .arg(format!("*:{star}"))
        .arg(format!("unix:{}", path.display()))
        .arg(format!("unix:@{name}"));

    if ipv6 {
        command.args([format!("[::1]:{one}"), format!("[::]:{all}")]);
    } else {
        eprintln!("IPv6 addresses are skipped: this system has no IPv6");
    }

    let server = start(&mut command);

    for port in [one, all, bare, star] {
        greets(connect(&format!("127.0.0.1:{port}")));
    }

    if ipv6 {
        greets(connect(&format!("[::1]:{one}")));
        greets(connect(&format!("[::1]:{all}")));
    }

    let address = SocketAddr::from_abstract_name(&name).unwrap();

    greets(UnixStream::connect(&path).unwrap());
    greets(UnixStream::connect_addr(&address).unwrap());
    assert!(fs::exists(&path).unwrap());
    quit(server);
    assert!(!fs::exists(&path).unwrap());
    assert!(UnixStream::connect_addr(&address).is_err());
}

/// A program listens on a descriptor that its parent has opened.
#[test]
fn a_descriptor_that_is_open_already() {
    let listener = OwnedFd::from(TcpListener::bind("127.0.0.1:0").unwrap());
    let address = TcpListener::from(listener.try_clone().unwrap())
        .local_addr()
        .unwrap()
        .to_string();
    let mut command = Command::new(example("listen"));

    sys::pass(command.arg("fd:40"), &listener, 40);

    let server = start(&mut command);

    drop(listener);
    greets(connect(&address));
    quit(server);
    assert!(TcpStream::connect(&address).is_err());
}

/// A descriptor that is no socket, or not open, is refused.
#[test]
fn a_descriptor_that_is_no_socket() {
    let file = OwnedFd::from(fs::File::open("/dev/null").unwrap());

    for (number, says) in [
        (41, "Socket operation on non-socket"),
        (42, "Bad file descriptor"),
    ] {
        let mut command = Command::new(example("listen"));

        sys::pass(command.arg(format!("fd:{number}")), &file, 41);

        let out = command.output().unwrap();
        let stderr = String::from_utf8(out.stderr).unwrap();

        assert_eq!(out.status.code(), Some(1));
        assert!(
            stderr.contains(&format!("fd:{number} cannot be used to listen (")),
            "{stderr}"
        );
        assert!(stderr.contains(says), "{stderr}");
    }

    assert!(file.as_raw_fd() > 2);
}

/// The example of datagrams sends each back.
#[test]
fn the_example_of_datagrams() {
    let address = format!("127.0.0.1:{}", free_port());
    let server = start(Command::new(example("datagram")).arg(&address));
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut bytes = [0; 100];

    client.connect(&address).unwrap();

    let n = find("an answer", || {
        client.send(b"hello").ok()?;
        client.set_read_timeout(Some(SOON / 100)).unwrap();
        client.recv(&mut bytes).ok()
    });

    assert_eq!(&bytes[..n], b"hello");
    quit(server);
}
