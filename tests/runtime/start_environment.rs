//! What a program inherits at its start: signals, descriptors, environment variables.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use crate::support::build::example;
use crate::support::client::ask;
use crate::support::server::{Server, free_port};
use crate::support::{Killed, find, proc, sys, wait_until};

/// The program inherits blocked signals, and ignored SIGHUP and SIGCHLD. The master,
/// its workers and a single process get the signals that the library handles.
#[test]
fn inherited_blocked_signals() {
    for mode in ["-w1", "-d", "-1"] {
        let server = Server::configurable("blocked_signals");
        let mut command = server.command(&[mode, "-w", "1", "-m", "1"]);

        sys::block_signals(&mut command);

        server.spawn_command(command, &[mode]);

        if mode == "-1" {
            server.signal(libc::SIGHUP);
            server.wait_for_line("reconfiguring");
        } else {
            let worker = server.wait_for_workers(1);

            for &pid in &worker {
                sys::kill(pid, libc::SIGKILL);
            }
            server.wait_for_others(1, &worker);
            server.reload();
            server.signal(libc::SIGTTIN);
            server.wait_for_line(" slot:");
        }

        server.signal(libc::SIGUSR1);
        server.wait_for_line("reopening logs");
        server.signal(libc::SIGTERM);
        server.finish(&["exited on signal 9"]);
    }
}

/// The program starts with stdin, stdout and stderr closed. These descriptors become
/// `/dev/null`, so no other file gets their numbers.
#[test]
fn closed_stdio() {
    for mode in ["-w1", "-d", "-1"] {
        let server = Server::configurable("closed_stdio");
        let mut command = server.command(&[mode, "-w", "1"]);

        sys::close_stdio(&mut command);

        let master = server.spawn_command(command, &[mode]);

        if mode != "-1" {
            server.wait_for_workers(1);
        }
        ask(&mut server.connect(), 'w');

        let descriptors = proc::descriptors(master);

        // A daemon's stderr is its log.
        for fd in 0..if mode == "-d" { 2 } else { 3 } {
            assert_eq!(descriptors.get(&fd).map(String::as_str), Some("/dev/null"));
        }
        assert!(descriptors.contains_key(&2), "{descriptors:?}");
        server.signal(libc::SIGQUIT);
        server.finish(&[]);
    }
}

/// Runs the daemon under a strace that does `what`.
fn traced(server: &Server, what: &str) -> Command {
    let daemon = server.command(&["-d", "-w", "1"]);
    let mut command = Command::new("strace");
    let stderr = fs::File::create(server.directory.join("stderr")).unwrap();

    // With -D the parent of the daemon is a child of this process, and not of
    // strace, which would wait for both.
    command
        .args(["-D", "-f", "-o", "/dev/null", "-e", what])
        .arg(daemon.get_program())
        .args(daemon.get_args())
        .stderr(stderr);
    command
}

/// A signal to the parent that waits for its daemon does not change the exit code.
#[test]
fn a_signal_to_the_waiting_parent() {
    let server = Server::configurable("waiting_parent");
    let mut parent = traced(&server, "inject=setsid:delay_enter=500000")
        .spawn()
        .unwrap();
    let pid = parent.id().cast_signed();

    find("the daemon", || {
        server
            .processes()
            .into_iter()
            .find(|&process| proc::parent(process) == Some(pid))
    });
    wait_until("the parent's read", || proc::state(pid) == Some('S'));

    for signo in [libc::SIGHUP, libc::SIGUSR1, libc::SIGTERM] {
        sys::kill(pid, signo);
    }

    assert_eq!(parent.wait().unwrap().code(), Some(0));
    assert!(server.pidfile().exists());
    server.wait_for_workers(1);
    server.quit(&[]);
}

/// The daemon is killed before it is set up. Its parent says so, and exits with 1.
#[test]
fn a_daemon_that_is_killed_at_its_start() {
    let server = Server::configurable("killed_daemon");
    let status = traced(&server, "inject=setsid:signal=SIGKILL")
        .status()
        .unwrap();
    let stderr = fs::read_to_string(server.directory.join("stderr")).unwrap();

    assert_eq!(status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("exited on signal 9 before it was set up"),
        "{stderr}"
    );
    wait_until("no process", || server.processes().is_empty());
    assert!(!server.pidfile().exists());
}

fn inherited(list: &str) -> (Server, OwnedFd, i32) {
    let mut server = Server::configurable("inherited_sockets");
    let sock = OwnedFd::from(TcpListener::bind((Ipv4Addr::LOCALHOST, server.port)).unwrap());

    server.environment.push(("NGINX", list.into()));

    let mut command = server.command(&["-w", "1"]);

    sys::pass(&mut command, &sock, 50);

    let master = server.spawn_command(command, &[]);

    server.wait_for_workers(1);

    (server, sock, master)
}

/// A listening socket that the program inherits becomes non-blocking (D33). The
/// programs that the workers execute do not inherit the variable.
#[test]
fn an_inherited_socket_becomes_non_blocking() {
    let (server, sock, _) = inherited("50;");

    assert!(sys::is_nonblocking(&sock));
    drop(sock);
    assert_eq!(ask(&mut server.connect(), 'e'), [""; 0]);
    server.quit(&[]);
}

/// The variable NGINX has a number twice, a number that is no socket, a closed
/// descriptor and garbage. The program uses the socket once, and logs the rest.
#[test]
fn a_faulty_list_of_inherited_sockets() {
    let (server, sock, master) = inherited("50;50;0;51;x;52;");
    let stderr = fs::read_to_string(server.directory.join("stderr")).unwrap();

    for line in [
        "socket number \"50\" is twice in NGINX environment variable",
        "descriptor 0 in NGINX environment variable failed (88: Socket operation on non-socket)",
        "descriptor 51 in NGINX environment variable failed (9: Bad file descriptor)",
        "invalid socket number \"x\" in NGINX environment variable, ignoring the rest",
    ] {
        assert_eq!(stderr.matches(line).count(), 1, "{line}: {stderr}");
    }

    assert_eq!(sys::listening_sockets_of(master).len(), 1);
    drop(sock);
    assert_eq!(ask(&mut server.connect(), 'e'), [""; 0]);
    server.quit(&[]);
}

/// A module waits in `init_module` for a child that it has started with `popen(3)`.
/// The library leaves the status to the module (D7).
#[test]
fn a_module_waits_for_a_child_in_init_module() {
    for mode in ["-w1", "-1"] {
        let server = Server::configurable("popen");

        server.spawn(&[mode, "-q"]);
        server.wait_for_line("child of init_module: 7");
        assert_eq!(server.lines("unknown process"), [""; 0]);
        server.signal(libc::SIGQUIT);
        server.finish(&[]);
    }
}

/// Process titles overwrite neither an argument of the program nor a variable whose
/// address a module got from `getenv(3)` in `init_module`.
#[test]
fn titles_leave_arguments_and_variables() {
    let mut server = Server::configurable("kept_texts");

    server.environment.push(("RT_VARIABLE", "a value".into()));
    server.start(2, &["-d"]);

    let kept = [server.place.clone(), "a value".into()];

    assert_eq!(ask(&mut server.connect(), 'k'), kept);
    server.reload();
    assert_eq!(ask(&mut server.connect(), 'k'), kept);
    server.quit(&[]);
}

/// The program passes no arguments to `ngx_ipc_main()`. Its processes have titles, and
/// SIGUSR2 is refused with a reason.
#[test]
fn a_program_that_passes_no_arguments() {
    const REFUSED: &str = "the program's arguments are not known";

    let server = Server::configurable("no_arguments");
    let master = server.start(1, &["-d", "-N"]);
    let before = (proc::descriptors(master), server.workers());

    assert_eq!(proc::title(master), "server: master process");
    server.signal(libc::SIGUSR2);
    server.wait_for_line(REFUSED);
    wait_until("the processes and descriptors as they were", || {
        (proc::descriptors(master), server.workers()) == before
    });
    assert!(!server.old_pidfile().exists());
    server.quit(&[REFUSED]);
}

/// The example of a larger program that runs a server: a function of the program learns
/// why the start has failed, or that the server runs.
#[test]
fn a_program_learns_how_its_start_goes() {
    let out = Command::new(example("embed"))
        .arg("unix:/nonexistent/socket")
        .output()
        .unwrap();
    let stdout = String::from_utf8(out.stdout).unwrap();
    let lines: Vec<&str> = stdout.lines().collect();

    assert!(out.status.success());
    assert_eq!(lines.len(), 2, "{stdout}");
    assert!(lines[0].starts_with("embed: bind() to unix:/nonexistent/socket failed (2:"));
    assert_eq!(lines[1], "the program goes on without a server");

    let mut server = Killed(
        Command::new(example("embed"))
            .arg(format!("127.0.0.1:{}", free_port()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let mut stdout = BufReader::new(server.0.stdout.take().unwrap());
    let mut line = String::new();

    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "embed: the server runs\n");
    sys::kill(server.0.id().cast_signed(), libc::SIGQUIT);
    assert!(server.0.wait().unwrap().success());
}

/// The function `report` need not be async-signal-safe: it gets no line that the signal
/// handler logs.
#[test]
fn the_handler_of_signals_does_not_call_report() {
    let ignored = "the changing binary signal is ignored";
    let occupied = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut program = Killed(
        Command::new(example("embed"))
            .arg(occupied.local_addr().unwrap().to_string())
            // The program takes its parent for an old binary, so it ignores SIGUSR2.
            .env("NGINX", "")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut reports = BufReader::new(program.0.stdout.take().unwrap());
    let mut log = program.0.stderr.take().unwrap();
    let (mut text, mut lines) = (String::new(), String::new());

    reports.read_line(&mut text).unwrap();
    assert!(text.starts_with("embed: bind() to 127.0.0.1"), "{text}");
    sys::kill(program.0.id().cast_signed(), libc::SIGUSR2);
    reports.read_to_string(&mut text).unwrap();
    log.read_to_string(&mut lines).unwrap();

    assert!(lines.contains(ignored), "{lines}");
    assert!(text.contains("embed: still could not bind()"), "{text}");
    assert!(!text.contains(ignored), "{text}");
}
