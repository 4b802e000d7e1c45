//! Listening sockets at the start of a program and at a reload.

use std::fs;
use std::io::Read;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::Command;

use nix::sys::socket::{SockaddrStorage, getsockname};

use crate::support::client::ask;
use crate::support::server::{Server, connect_to, free_port};
use crate::support::tracer::Tracer;
use crate::support::upgrade::{change_binary, retire};
use crate::support::{proc, sys, wait_until};

/// The listening sockets of a process: the number of the inode and the address of
/// each.
fn sockets_of(pid: i32) -> Vec<(u64, String)> {
    let mut all: Vec<_> = sys::listening_sockets_of(pid)
        .iter()
        .map(|sock| {
            let name = getsockname::<SockaddrStorage>(sock.as_raw_fd()).unwrap();
            let inode = nix::sys::stat::fstat(sock).unwrap().st_ino;

            (inode, name.to_string())
        })
        .collect();

    all.sort();
    all
}

/// A reload applies a changed backlog to the socket that is open already. A
/// refused reload does not.
#[test]
fn a_reload_changes_the_backlog() {
    let server = Server::configurable("reload_backlog");
    let conf = server.directory.join("conf");
    let master = server.start(1, &["-B", "5", "-r", conf.to_str().unwrap()]);
    let sockets = sockets_of(master);

    assert_eq!(sys::backlogs_of(master), [5]);

    fs::write(&conf, "backlog 7").unwrap();
    server.reload();
    wait_until("the new backlog", || sys::backlogs_of(master) == [7]);

    fs::write(&conf, "refuse").unwrap();
    server.signal(libc::SIGHUP);
    server.wait_for_line("configuration refused");
    assert_eq!(sys::backlogs_of(master), [7]);
    assert_eq!(sockets_of(master), sockets);
    server.quit(&["configuration refused"]);
}

/// A socket that another program hands down in the variable NGINX gets the backlog
/// of the configuration.
#[test]
fn an_inherited_socket_gets_the_backlog() {
    let mut server = Server::configurable("inherited_backlog");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, server.port)).unwrap();
    let sock = OwnedFd::from(listener);

    server.environment.push(("NGINX", "50;".into()));

    let mut command = server.command(&["-w", "1", "-B", "9"]);

    sys::pass(&mut command, &sock, 50);

    let master = server.spawn_command(command, &[]);

    server.wait_for_workers(1);
    assert_eq!(sys::backlog_of(&sock), 9);
    ask(&mut server.connect(), 'w');
    assert_eq!(sys::backlogs_of(master), [9]);
    drop(sock);
    server.quit(&[]);
}

/// An address with the port 0 keeps its socket, and so its port, at a reload and in
/// a new binary.
#[test]
fn port_0_keeps_its_port() {
    let mut server = Server::configurable("port_0");

    server.place = "127.0.0.1:0".into();
    server.places = vec![
        "127.0.0.1:0".into(),
        format!("127.0.0.1:{}", free_port()),
        "127.0.0.2:0".into(),
    ];

    let master = server.start(1, &["-d"]);
    let before = sockets_of(master);
    let descriptors = proc::kinds_of_descriptors(master);
    let port = |i: usize| -> u16 { before[i].1.rsplit_once(':').unwrap().1.parse().unwrap() };
    let ports: Vec<String> = (0..4).map(|i| port(i).to_string()).collect();
    let ask_ports = || {
        ask(
            &mut connect_to((Ipv4Addr::LOCALHOST, port(0)).into()).unwrap(),
            'a',
        )
    };

    assert_eq!(ask_ports(), ports);

    for _ in 0..2 {
        server.reload();
        assert_eq!(sockets_of(master), before);
        assert_eq!(ask_ports(), ports);
    }

    wait_until("the descriptors as they were", || {
        proc::kinds_of_descriptors(master) == descriptors
    });

    let (old, new) = change_binary(&server, 1);

    retire(&server, old);
    assert_eq!(sockets_of(new), before);
    assert_eq!(ask_ports(), ports);
    server.quit(&[]);
}

/// A descriptor that the program inherits keeps its socket at a reload and in a new
/// binary, where the socket has another number, and gets the configured backlog.
#[test]
fn a_descriptor_keeps_its_socket() {
    let mut server = Server::configurable("descriptor");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, server.port)).unwrap();
    let sock = OwnedFd::from(listener);

    server.place = "fd:50".into();
    server.places = vec!["127.0.0.1:0".into()];

    let mut command = server.command(&["-d", "-w", "1", "-B", "9"]);

    sys::pass(&mut command, &sock, 50);

    let master = server.spawn_command(command, &["-d"]);

    server.wait_for_workers(1);

    let before = sockets_of(master);

    assert_eq!(sys::backlog_of(&sock), 9);
    drop(sock);
    assert_eq!(before.len(), 2);
    ask(&mut server.connect(), 'w');

    for _ in 0..2 {
        server.reload();
        assert_eq!(sockets_of(master), before);
        ask(&mut server.connect(), 'w');
    }

    let (old, new) = change_binary(&server, 1);

    retire(&server, old);
    assert_eq!(sockets_of(new), before);
    server.reload();
    assert_eq!(sockets_of(new), before);
    ask(&mut server.connect(), 'w');
    server.quit(&[]);
    assert!(server.try_connect().is_err());
}

/// An IPv6 socket accepts IPv6 only, so a program can listen on the same port with
/// IPv4 too.
#[test]
fn ipv4_beside_ipv6() {
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        eprintln!("skipped: this system has no IPv6");
        return;
    }

    for order in [["0.0.0.0", "[::]"], ["[::]", "0.0.0.0"]] {
        let mut server = Server::configurable("ipv4_beside_ipv6");
        let [first, second] = order.map(|host| format!("{host}:{}", server.port));

        server.place = first;
        server.places = vec![second];
        server.start(1, &[]);
        ask(&mut server.connect(), 'w');
        ask(
            &mut connect_to((Ipv6Addr::LOCALHOST, server.port).into()).unwrap(),
            'w',
        );
        server.quit(&[]);
    }
}

/// With `ipv6only = -1` an IPv6 socket accepts IPv4 too.
#[test]
fn ipv6_with_ipv4() {
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        eprintln!("skipped: this system has no IPv6");
        return;
    }

    let mut server = Server::configurable("ipv6_with_ipv4");

    server.place = format!("[::]:{}", server.port);
    server.start(1, &["-6"]);
    ask(&mut server.connect(), 'w');
    ask(
        &mut connect_to((Ipv6Addr::LOCALHOST, server.port).into()).unwrap(),
        'w',
    );
    server.quit(&[]);
}

/// At the start another program has the address. The server retries as nginx does,
/// until the other program has closed its socket.
#[test]
fn a_start_waits_for_its_address() {
    let server = Server::configurable("start_waits");
    let listener = TcpListener::bind(server.address()).unwrap();
    let in_use = format!(
        "bind() to {} failed (98: Address already in use)",
        server.place
    );
    let stderr = || fs::read_to_string(server.directory.join("stderr")).unwrap_or_default();
    let mut child = server.command(&["-w", "1"]).spawn().unwrap();

    wait_until("a failed try", || stderr().contains("try again to bind()"));
    drop(listener);
    wait_until("the server", || server.pidfile().exists());
    server.wait_for_workers(1);
    ask(&mut server.connect(), 'w');
    assert!(stderr().contains(&in_use));
    assert!(!stderr().contains("still could not bind()"));
    sys::kill(server.master(), libc::SIGQUIT);
    assert!(child.wait().unwrap().success());
    server.finish(&[]);
}

/// The address stays in use: the start fails after nginx's five tries, and a reload
/// too. A failed reload changes nothing.
#[test]
fn an_address_stays_in_use() {
    let mut server = Server::configurable("in_use");
    let conf = server.directory.join("conf");
    let busy = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let busy = busy.local_addr().unwrap().to_string();
    let place = std::mem::replace(&mut server.place, busy.clone());
    let status = server.command(&["-w", "1"]).status().unwrap();
    let stderr = fs::read_to_string(server.directory.join("stderr")).unwrap();
    let count = |text: &str| stderr.lines().filter(|line| line.contains(text)).count();

    assert_eq!(status.code(), Some(1));
    assert_eq!(count(&format!("bind() to {busy} failed (98:")), 5);
    assert_eq!(count("[notice]"), count("try again to bind() after 500ms"));
    assert_eq!(count("try again to bind() after 500ms"), 5);
    assert_eq!(count("still could not bind()"), 1);

    server.place = place;

    let master = server.start(1, &["-r", conf.to_str().unwrap()]);
    let before = (proc::descriptors(master), server.workers());

    fs::write(&conf, format!("address {busy}")).unwrap();
    server.signal(libc::SIGHUP);
    server.wait_for_line("still could not bind()");
    wait_until("the processes and descriptors as they were", || {
        (proc::descriptors(master), server.workers()) == before
    });
    ask(&mut server.connect(), 'w');
    server.quit(&["bind()"]);
}

/// An address that cannot be parsed is reported once, at the start and at a reload.
#[test]
fn an_invalid_address_is_reported_once() {
    let mut server = Server::configurable("invalid_address");
    let conf = server.directory.join("conf");
    let place = server.place.clone();

    for (address, says) in [
        (Some("no-address"), "invalid address \"no-address\""),
        (Some(""), "invalid address \"\""),
        (None, "a listening socket has no address"),
    ] {
        let mut command = Command::new(&server.exe);

        command.arg("-p").arg(server.pidfile()).args(address);

        let out = command.output().unwrap();
        let stderr = String::from_utf8(out.stderr).unwrap();

        assert_eq!(out.status.code(), Some(1), "{address:?}");
        assert_eq!(stderr.matches("[emerg]").count(), 1, "{stderr}");
        assert!(stderr.contains(says), "{stderr}");
        assert!(!stderr.contains("(null)"), "{stderr}");
    }

    server.place = place;

    let master = server.start(1, &["-r", conf.to_str().unwrap()]);
    let before = (proc::descriptors(master), server.workers());

    fs::write(&conf, "address no-address").unwrap();
    server.signal(libc::SIGHUP);
    server.wait_for_line("invalid address");
    wait_until("the processes and descriptors as they were", || {
        (proc::descriptors(master), server.workers()) == before
    });
    server.quit(&["invalid address"]);
    assert_eq!(server.lines("invalid address").len(), 1);
}

/// The kernel refuses to duplicate a listening socket at a reload. The log names
/// this call, and nothing changes.
#[test]
fn a_socket_that_cannot_be_duplicated() {
    const FAILED: &str = "fcntl(F_DUPFD_CLOEXEC)";

    let server = Server::configurable("duplicate_fails");
    let master = server.start(1, &[]);
    let before = (proc::descriptors(master), server.workers());
    let tracer = Tracer::inject(&server, master, "fcntl", "error=EMFILE:when=1");

    server.signal(libc::SIGHUP);
    wait_until("the failure or new workers", || {
        !server.lines(" failed (").is_empty() || server.workers() != before.1
    });
    drop(tracer);

    let lines = server.lines(" failed (");

    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].ends_with(&format!(
            "{FAILED} {} failed (24: Too many open files)",
            server.place
        )),
        "{lines:?}"
    );
    wait_until("the processes and descriptors as they were", || {
        (proc::descriptors(master), server.workers()) == before
    });
    server.reload();
    server.quit(&[FAILED]);
}

/// The kernel refuses that a new Unix socket listens. The reload is refused, and the file
/// of the socket does not stay.
#[test]
fn a_socket_that_cannot_listen_leaves_no_file() {
    let server = Server::configurable("listen_fails");
    let conf = server.directory.join("conf");
    let path = server.directory.join("socket");
    let master = server.start(1, &["-r", conf.to_str().unwrap()]);
    let before = (proc::descriptors(master), server.workers());
    let files = || fs::read_dir(&server.directory).unwrap().count();

    fs::write(&conf, format!("address unix:{}", path.display())).unwrap();

    let tracer = Tracer::inject(&server, master, "listen", "error=ENOBUFS:when=1");
    let count = files();

    server.signal(libc::SIGHUP);
    server.wait_for_line("listen() to unix:");
    drop(tracer);
    wait_until("the processes and descriptors as they were", || {
        (proc::descriptors(master), server.workers()) == before
    });
    assert!(!path.exists());
    assert_eq!(files(), count);
    ask(&mut server.connect(), 'w');
    server.quit(&["listen()"]);
}

/// A reload that is refused, by the program or by a module, leaves all descriptors
/// as they were, also when it would have opened another socket.
#[test]
fn a_refused_reload_leaves_no_descriptor() {
    let mut server = Server::configurable("refused_reload");
    let conf = server.directory.join("conf");

    server.places = vec!["127.0.0.1:0".into()];

    let master = server.start(1, &["-r", conf.to_str().unwrap()]);
    let before = (proc::descriptors(master), server.workers());

    for (i, text) in ["refuse", "module", "address unix:/nonexistent/socket"]
        .iter()
        .enumerate()
    {
        fs::write(&conf, text).unwrap();
        server.signal(libc::SIGHUP);
        server.wait_for_lines(i + 1, "reconfiguring");
        wait_until("the master's loop", || proc::waits_for_events(master));
        assert_eq!((proc::descriptors(master), server.workers()), before);
    }

    server.quit(&["configuration refused", "a module could not", "bind()"]);
}

/// Clients that have connected before a reload are served after it.
#[test]
fn a_reload_keeps_the_queue() {
    let server = Server::configurable("reload_queue");
    let master = server.start(1, &[]);
    let worker = *server.workers().first().unwrap();

    sys::kill(worker, libc::SIGSTOP);

    let mut clients: Vec<TcpStream> = (0..10).map(|_| server.connect()).collect();

    sys::kill(master, libc::SIGHUP);
    server.wait_for_lines(2, "hook init_process");
    sys::kill(worker, libc::SIGCONT);

    for client in &mut clients {
        ask(client, 'w');
    }

    client_end(clients);
    server.quit(&[]);
}

/// Closes the connections, and waits until the server has closed them too.
fn client_end(clients: Vec<TcpStream>) {
    for mut client in clients {
        client.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
    }
}
