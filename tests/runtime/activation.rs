//! Listening sockets that a service manager has opened, `sd_listen_fds(3)`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Command, Stdio};

use crate::support::build::example;
use crate::support::client::ask;
use crate::support::server::{Server, connect_to, free_port};
use crate::support::upgrade::{change_binary, retire};
use crate::support::{Killed, SOON, find, proc, sys, wait_until};

/// The sockets have these descriptors until the command moves them to 3 and higher.
const PASSED: i32 = 40;

/// The command with `sockets` as the descriptors 3 and higher, with `names`, and for the
/// process `pid`.
fn activated(command: &Command, sockets: &[OwnedFd], names: &str, pid: &str) -> Command {
    let moves: String = (0..sockets.len())
        .map(|i| format!("exec {}<&{1} {1}<&-;", 3 + i, PASSED as usize + i))
        .collect();
    let mut shell = Command::new("bash");

    shell
        .arg("-c")
        .arg(format!("{moves} LISTEN_PID={pid} exec \"$0\" \"$@\""))
        .arg(command.get_program())
        .args(command.get_args())
        .env("LISTEN_FDS", sockets.len().to_string())
        .env("LISTEN_FDNAMES", names);

    for (sock, number) in sockets.iter().zip(PASSED..) {
        sys::pass(&mut shell, sock, number);
    }

    shell
}

/// A socket of the manager, which listens on a port that the kernel has chosen.
fn listener() -> (OwnedFd, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();

    (listener.into(), address)
}

/// The inodes of the listening sockets of a process, once for each descriptor.
fn listening(pid: i32) -> Vec<u64> {
    let mut inodes: Vec<_> = sys::listening_sockets_of(pid)
        .iter()
        .map(|sock| nix::sys::stat::fstat(sock).unwrap().st_ino)
        .collect();

    inodes.sort_unstable();
    inodes
}

/// The number of sockets of a process.
fn sockets_of(pid: i32) -> usize {
    proc::descriptors(pid)
        .values()
        .filter(|link| link.starts_with("socket:"))
        .count()
}

/// Checks that the server accepts connections of each socket, and that a worker hides
/// the variables from the programs that it executes.
fn serves(addresses: &[SocketAddr], path: &std::path::Path) {
    for &address in addresses {
        assert_eq!(ask(&mut connect_to(address).unwrap(), 'e'), [""; 0]);
    }

    let mut bytes = [0; 2];
    let mut stream = UnixStream::connect(path).unwrap();

    stream.set_read_timeout(Some(SOON)).unwrap();
    std::io::Write::write_all(&mut stream, b"i").unwrap();
    std::io::Read::read_exact(&mut stream, &mut bytes).unwrap();
    assert_eq!(&bytes, b".\n");
}

/// Sockets are found by their address and by their name, stay open at a reload and in a
/// new binary, and those without an entry are reported and closed. The file of a Unix
/// socket stays at the end, because the manager still listens. Names and paths can have
/// semicolons.
#[test]
fn sockets_are_found_by_address_and_by_name() {
    for mode in ["-t0", "-d", "-1"] {
        let mut server = Server::configurable("activation");
        let path = server.directory.join("manager;1.sock");
        let unix = UnixListener::bind(&path).unwrap();
        let [(one, a), (two, b), (three, c), (spare, d)] = [(); 4].map(|()| listener());

        server.place = a.to_string();
        server.places = vec!["fdname:web;1".into(), format!("unix:{}", path.display())];

        let sockets = [
            spare,
            one,
            unix.as_fd().try_clone_to_owned().unwrap(),
            two,
            three,
        ];
        let options = ["-w1", mode];
        let mut command = activated(
            &server.command(&options),
            &sockets,
            "spare:by-address::web;1:web;1",
            "$$",
        );
        let stderr = server.directory.join("stderr");

        command.stderr(fs::File::create(&stderr).unwrap());

        let master = server.spawn_command(command, &options);

        drop(sockets);
        serves(&[a, b, c], &path);
        assert_eq!(listening(master).len(), 4);
        assert!(TcpStream::connect(d).is_err(), "the spare socket is open");

        let stderr = fs::read_to_string(stderr).unwrap();

        assert!(stderr.contains("using 5 sockets of the service manager"));
        assert!(stderr.contains(&format!(
            "the socket {d} of the service manager, fd:3 name:\"spare\", is closed: \
             the configuration has no entry for it"
        )));
        assert_eq!(stderr.matches("is closed").count(), 1, "{stderr}");

        let before = listening(master);

        // A single process keeps an old configuration, with its log, while a connection
        // uses it.
        wait_until("no connection", || mode != "-1" || sockets_of(master) == 4);

        server.signal(libc::SIGHUP);
        server.wait_for_lines(2, "hook init_module");
        wait_until("the same sockets", || listening(master) == before);
        serves(&[a, b, c], &path);

        if mode == "-d" {
            for _ in 0..2 {
                let (old, _) = change_binary(&server, 1);

                retire(&server, old);
                serves(&[a, b, c], &path);
                server.reload();
            }
        }

        server.signal(libc::SIGTERM);
        server.finish(&[]);
        assert!(
            [a, b, c]
                .iter()
                .all(|&address| TcpStream::connect(address).is_err())
        );
        assert!(
            UnixStream::connect(&path).is_ok(),
            "the file of the manager"
        );
    }
}

/// No socket has the name of an entry: the program does not start.
#[test]
fn a_name_that_no_socket_has() {
    let (sock, _) = listener();
    let mut program = Command::new(example("listen"));
    let out = activated(program.arg("fdname:web"), &[sock], "other", "$$")
        .output()
        .unwrap();
    let stderr = String::from_utf8(out.stderr).unwrap();

    assert_eq!(out.status.code(), Some(1));
    assert!(
        stderr.contains("fdname:web: the service manager has opened no such socket"),
        "{stderr}"
    );
}

/// The variables are for another process, such as a shell that has started the program.
#[test]
fn variables_for_another_process() {
    let server = Server::configurable("activation_other");
    let mut command = activated(&server.command(&["-w1"]), &[], "", "1");
    let stderr = server.directory.join("stderr");

    command
        .env("LISTEN_FDS", "1")
        .stderr(fs::File::create(&stderr).unwrap());
    server.spawn_command(command, &[]);
    assert_eq!(ask(&mut server.connect(), 'e'), [""; 0]);

    let stderr = fs::read_to_string(stderr).unwrap();

    assert!(
        stderr.contains("LISTEN_FDS is for process \"1\", ignored"),
        "{stderr}"
    );
    server.quit(&[]);
}

/// Descriptors that are no listening sockets are logged, and the others are used.
#[test]
fn descriptors_that_do_not_listen() {
    let mut server = Server::configurable("activation_faults");
    let (sock, address) = listener();
    let (connected, _other) = UnixStream::pair().unwrap();

    server.place = address.to_string();

    let sockets = [
        fs::File::open("/dev/null").unwrap().into(),
        connected.into(),
        sock,
    ];
    let mut command = activated(&server.command(&["-w1"]), &sockets, "", "$$");
    let stderr = server.directory.join("stderr");

    command
        .env("LISTEN_FDS", "1000000")
        .stderr(fs::File::create(&stderr).unwrap());
    server.spawn_command(command, &[]);
    assert_eq!(ask(&mut connect_to(address).unwrap(), 'e'), [""; 0]);

    let stderr = fs::read_to_string(stderr).unwrap();

    for (fd, why) in [
        (3, "(88: Socket operation on non-socket)"),
        (4, "(22: Invalid argument)"),
        (6, "(9: Bad file descriptor)"),
    ] {
        let line = format!("descriptor {fd} of LISTEN_FDS cannot be used to listen {why}");

        assert_eq!(stderr.matches(&line).count(), 1, "{line}: {stderr}");
    }

    assert_eq!(stderr.matches("cannot be used").count(), 3, "{stderr}");
    server.quit(&[]);
}

/// systemd's own program for socket activation starts the server when the first client
/// connects.
#[test]
fn systemd_socket_activate_starts_a_server() {
    const TOOL: &str = "systemd-socket-activate";

    if Command::new(TOOL).arg("--version").output().is_err() {
        eprintln!("skipped: this machine has no {TOOL}");
        return;
    }

    let address = format!("127.0.0.1:{}", free_port());
    let mut server = Killed(
        Command::new(TOOL)
            .args(["-l", &address, "--fdname=web"])
            .arg(example("listen"))
            .arg("fdname:web")
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let stream = find("a connection", || TcpStream::connect(&address).ok());
    let mut line = String::new();

    stream.set_read_timeout(Some(SOON)).unwrap();
    BufReader::new(stream).read_line(&mut line).unwrap();
    assert!(line.starts_with("hello from "), "{line}");
    sys::kill(server.0.id().cast_signed(), libc::SIGQUIT);
    assert!(server.0.wait().unwrap().success());
}
