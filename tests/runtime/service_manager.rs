//! Messages to a service manager, `sd_notify(3)`. A stand-in receives them, which checks
//! that they come from the main process of the service.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::client::ask;
use crate::support::manager::Manager;
use crate::support::server::Server;
use crate::support::upgrade::{change_binary, wait_for_old};
use crate::support::{proc, sys, wait_until};

/// Microseconds after which the manager takes a program for dead, in these tests.
const WATCHDOG_USEC: &str = "200000";
/// The time between two messages for the watchdog.
const INTERVAL: Duration = Duration::from_millis(100);

/// The message of a program that runs.
fn ready(pid: i32, status: &str) -> Vec<String> {
    vec![
        "READY=1".to_string(),
        format!("MAINPID={pid}"),
        format!("STATUS={status}"),
    ]
}

/// Microseconds of the clock that the message names.
fn monotonic() -> i64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };

    // SAFETY: the kernel writes `now`, which is local.
    #[allow(unsafe_code)]
    unsafe {
        libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now)
    };

    now.tv_sec * 1_000_000 + now.tv_nsec / 1000
}

/// Sends SIGHUP. The manager learns that a reload begins, and when it has begun.
fn begin_reload(server: &Server, manager: &Manager) {
    let before = monotonic();

    server.signal(libc::SIGHUP);

    let message = manager.next_event();
    let usec = message[1].strip_prefix("MONOTONIC_USEC=").unwrap();

    assert_eq!(message[0], "RELOADING=1");
    assert!((before..=monotonic()).contains(&usec.parse().unwrap()));
    assert_eq!(message[2..], ["STATUS=reloading"]);
}

fn reload(server: &Server, manager: &Manager, status: &str) {
    begin_reload(server, manager);
    assert_eq!(manager.next_event(), ready(manager.main(), status));
}

/// The programs that the worker executes have none of the manager's variables.
fn hides_variables(server: &Server) {
    assert_eq!(ask(&mut server.connect(), 'e'), [""; 0]);
}

/// Start, reload, refused reloads and stop, each with its messages in this order. The
/// program keeps no descriptor of the manager.
#[test]
fn a_master_tells_what_it_does() {
    for mode in ["-t0", "-d"] {
        let mut server = Server::configurable("notify");
        let manager = Manager::of(&mut server);
        let file = server.directory.join("conf");
        let master = server.start(2, &[mode, "-r", file.to_str().unwrap()]);

        assert_eq!(manager.next(), ready(master, "2 workers, generation 1"));
        hides_variables(&server);

        let before = server.settled_descriptors();

        assert!(
            before
                .iter()
                .all(|(_, kinds)| !kinds.contains_key("datagram"))
        );
        reload(&server, &manager, "2 workers, generation 2");
        server.wait_for_descriptors(&before);

        for (what, why) in [
            ("refuse", "configuration refused"),
            ("error", "an error"),
            (
                "log /nonexistent/log",
                "open() \"/nonexistent/log\" failed (2: No such file or directory)",
            ),
        ] {
            fs::write(&file, what).unwrap();
            reload(&server, &manager, &format!("reload refused: {why}"));
            server.wait_for_descriptors(&before);
        }

        fs::write(&file, "workers 1").unwrap();
        reload(&server, &manager, "1 worker, generation 3");
        server.signal(libc::SIGQUIT);
        assert_eq!(manager.next(), ["STOPPING=1", "STATUS=shutting down"]);
        server.finish(&["configuration refused", "/nonexistent/log"]);
        manager.is_silent(INTERVAL);
    }
}

/// A single process sends the same messages. SIGTERM stops it.
#[test]
fn a_single_process_tells_what_it_does() {
    let mut server = Server::configurable("notify_single");
    let manager = Manager::of(&mut server);
    let file = server.directory.join("conf");

    fs::write(&file, "refuse").unwrap();

    let pid = server.spawn(&["-1", "-r", file.to_str().unwrap()]);

    assert_eq!(manager.next(), ready(pid, "1 process, generation 1"));
    hides_variables(&server);
    reload(&server, &manager, "reload refused: configuration refused");
    fs::remove_file(&file).unwrap();
    reload(&server, &manager, "1 process, generation 1");
    server.signal(libc::SIGTERM);
    assert_eq!(manager.next(), ["STOPPING=1", "STATUS=shutting down"]);
    server.finish(&["configuration refused"]);
    manager.is_silent(INTERVAL);
}

/// A process of `user` that takes the room of another one, until it is stopped.
struct Occupant(Child);

impl Occupant {
    fn new(user: u32) -> Self {
        let mut command = Command::new("cat");

        Self(command.stdin(Stdio::piped()).uid(user).spawn().unwrap())
    }

    fn stop(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }
}

/// The program is ready when the first worker has been started, and not before. A reload
/// is done when the first new worker has been started.
#[test]
fn ready_when_the_first_worker_runs() {
    if !sys::is_root() {
        eprintln!("skipped: only root can be another user");
        return;
    }

    let mut server = Server::echo("notify_ready");
    let manager = Manager::of(&mut server);
    let notify = server.directory.join("notify");

    fs::set_permissions(&notify, fs::Permissions::from_mode(0o666)).unwrap();

    let user = sys::new_user();
    let [one, two] = [(); 2].map(|()| Occupant::new(user));
    // There is no room for a worker.
    let master = server.spawn_limited(user, 3, &["-w", "1"]);

    server.wait_for_line("fork() failed while spawning \"worker process\" (11: ");
    manager.is_silent(INTERVAL);
    one.stop();
    assert_eq!(manager.next(), ready(master, "1 worker, generation 1"));
    server.wait_for_workers(1);

    begin_reload(&server, &manager);
    server.wait_for_line("no new process could be started");
    manager.is_silent(INTERVAL);
    two.stop();
    assert_eq!(manager.next(), ready(master, "1 worker, generation 2"));
    server.signal(libc::SIGQUIT);
    assert_eq!(manager.next()[0], "STOPPING=1");
    server.finish(&["fork() failed", "no new process could be started"]);
}

/// The command with the variables of the watchdog, and with the pid of the program or
/// another one.
fn watched(server: &Server, pid: &str, options: &[&str]) -> Command {
    let program = server.command(options);
    let mut command = Command::new("sh");

    command
        .arg("-c")
        .arg(format!("WATCHDOG_PID={pid} exec \"$0\" \"$@\""))
        .arg(program.get_program())
        .args(program.get_args())
        .envs(server.environment.iter().cloned())
        .env("WATCHDOG_USEC", WATCHDOG_USEC)
        .stderr(fs::File::create(server.directory.join("stderr")).unwrap());
    command
}

/// Messages for the watchdog come at half of its time, and only while the event loop
/// turns.
#[test]
fn the_watchdog_sees_the_event_loop_turn() {
    for mode in ["-t0", "-1"] {
        let mut server = Server::configurable("notify_watchdog");
        let manager = Manager::of(&mut server);
        let master = server.spawn_command(watched(&server, "$$", &["-w1", mode]), &[]);

        assert_eq!(manager.next()[0], "READY=1");
        assert!(manager.watchdogs(3) >= 2 * INTERVAL);
        hides_variables(&server);

        sys::kill(master, libc::SIGSTOP);
        wait_until("the stop", || proc::state(master) == Some('T'));
        manager.drain();
        manager.is_silent(3 * INTERVAL);
        sys::kill(master, libc::SIGCONT);
        manager.watchdogs(2);
        begin_reload(&server, &manager);
        assert_eq!(manager.next_event()[0], "READY=1");
        assert!(manager.watchdogs(3) >= 2 * INTERVAL);
        server.signal(libc::SIGQUIT);
        assert_eq!(manager.next_event()[0], "STOPPING=1");
        server.finish(&[]);
    }
}

/// The variables of the watchdog can be for another process.
#[test]
fn the_watchdog_of_another_process() {
    let mut server = Server::configurable("notify_other");
    let manager = Manager::of(&mut server);

    server.spawn_command(watched(&server, "1", &["-w1"]), &[]);
    assert_eq!(manager.next()[0], "READY=1");
    manager.is_silent(3 * INTERVAL);
    hides_variables(&server);
    server.signal(libc::SIGTERM);
    assert_eq!(manager.next()[0], "STOPPING=1");
    server.finish(&[]);
}

/// After SIGUSR2 the old master is the main process until it exits, and then the new one
/// is. The new master has the variables of the manager.
#[test]
fn a_new_binary_becomes_the_main_process() {
    for signo in [libc::SIGQUIT, libc::SIGTERM, libc::SIGKILL] {
        let mut server = Server::configurable("notify_upgrade");
        let manager = Manager::of(&mut server);

        server
            .environment
            .push(("WATCHDOG_USEC", WATCHDOG_USEC.into()));
        server.start(1, &["-d"]);
        assert_eq!(manager.next()[0], "READY=1");

        let (old, new) = change_binary(&server, 1);
        let status = format!("STATUS=new binary {new} runs too");

        assert_eq!(manager.next_event(), [status]);

        if signo == libc::SIGKILL {
            manager.expect_main(new);
            sys::kill(old, signo);
        } else {
            sys::kill(old, signo);
            assert_eq!(manager.next_event(), [format!("MAINPID={new}")]);
        }

        assert_eq!(manager.next_event(), ready(new, "1 worker, generation 1"));
        manager.watchdogs(2);
        hides_variables(&server);
        reload(&server, &manager, "1 worker, generation 2");
        server.signal(libc::SIGQUIT);
        assert_eq!(manager.next_event()[0], "STOPPING=1");
        let _ = fs::remove_file(server.old_pidfile());
        server.finish(&[]);
    }
}

/// The new binary exits, and the old master goes on as the main process.
#[test]
fn a_new_binary_that_exits() {
    let mut server = Server::configurable("notify_taken_back");
    let manager = Manager::of(&mut server);

    server.start(1, &["-d"]);
    assert_eq!(manager.next()[0], "READY=1");

    let (old, new) = change_binary(&server, 1);

    assert!(manager.next()[0].ends_with("runs too"));

    // While both run, SIGHUP does not reload the old binary.
    sys::kill(old, libc::SIGHUP);
    assert_eq!(manager.next()[0], "RELOADING=1");
    assert_eq!(manager.next(), ready(old, "1 worker, generation 1"));

    sys::kill(new, libc::SIGQUIT);
    assert_eq!(manager.next(), ready(old, "new binary has exited"));
    wait_for_old(&server, old, new);
    reload(&server, &manager, "1 worker, generation 2");
    server.signal(libc::SIGQUIT);
    assert_eq!(manager.next()[0], "STOPPING=1");
    server.finish(&[]);
}

/// The program runs without a manager if the variable names none, or one that does not
/// receive.
#[test]
fn a_manager_that_is_not_there() {
    for (name, says) in [
        (
            "relative",
            "invalid name \"relative\" in NOTIFY_SOCKET, ignored",
        ),
        (
            "/nonexistent/notify",
            "sendto() to service manager \"/nonexistent/notify\" failed",
        ),
    ] {
        let mut server = Server::configurable("notify_nobody");

        server.environment.push(("NOTIFY_SOCKET", name.into()));
        server.start(1, &[]);
        server.wait_for_line(says);
        hides_variables(&server);
        server.quit(&[]);
    }
}

/// Only the master of a new binary waits for the exit of its parent. The parent of this
/// master is a shell, which exits when the file is gone.
#[test]
fn the_parent_of_a_first_binary() {
    let mut server = Server::configurable("notify_parent");
    let manager = Manager::of(&mut server);
    let file = server.directory.join("conf");
    let program = server.command(&["-w1"]);
    let mut shell = Command::new("sh");

    fs::write(&file, "").unwrap();
    shell
        .arg("-c")
        .arg("\"$@\" & while [ -e \"$0\" ]; do sleep 0.01; done")
        .arg(&file)
        .arg(program.get_program())
        .args(program.get_args())
        .envs(server.environment.iter().cloned());

    let master = server.spawn_command(shell, &[]);
    let parent = proc::parent(master);

    assert_eq!(manager.next(), ready(master, "1 worker, generation 1"));
    fs::remove_file(&file).unwrap();
    wait_until("another parent", || proc::parent(master) != parent);
    reload(&server, &manager, "1 worker, generation 2");
    assert_eq!(server.lines("signal 14"), [""; 0]);
    server.signal(libc::SIGTERM);
    assert_eq!(manager.next()[0], "STOPPING=1");
    server.finish(&[]);
}
