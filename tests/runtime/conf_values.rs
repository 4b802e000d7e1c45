//! Values of fields of the configuration that are impossible, and paths that keep their
//! meaning.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::support::server::Server;
use crate::support::{build, proc, sys, wait_until};

/// The server `c-tests/fixtures/runtime_conf.c` with one worker and these fields.
pub fn with_fields(test: &str, fields: &[&str]) -> Server {
    let mut server = Server::new(test, "server", &build::program("runtime_conf"));

    server.instead = vec![
        format!("address={}", server.place).into(),
        format!("pid={}", server.pidfile().display()).into(),
        format!("error_log={}", server.logfile().display()).into(),
        "worker_processes=1".into(),
        "status_signal=21".into(),
    ];
    server.instead.extend(fields.iter().map(Into::into));

    server
}

/// What a program that does not start has written to stderr.
fn refusal(server: &Server) -> String {
    let status = server.command(&[]).status().unwrap();
    let text = fs::read_to_string(server.directory.join("stderr")).unwrap();

    assert_eq!(status.code(), Some(1), "{text}");
    assert!(server.processes().is_empty());
    assert!(!server.pidfile().exists());

    text
}

/// A log that cannot be opened stops the start, as in nginx. The file of a Unix socket
/// is not made.
#[test]
fn a_log_that_cannot_be_opened_stops_the_start() {
    let path = "error_log=/nonexistent/log";

    for fields in [&[path][..], &[path, "daemon=1"], &[path, "master=0"]] {
        let mut server = with_fields("log_not_opened", fields);
        let socket = server.directory.join("socket");

        server
            .instead
            .push(format!("address=unix:{}", socket.display()).into());

        let text = refusal(&server);
        let expected = "open() \"/nonexistent/log\" failed (2: No such file or directory)";

        assert!(
            text.contains("[emerg]") && text.contains(expected),
            "{text}"
        );
        assert!(!socket.exists());
    }
}

/// Each impossible value is refused with a line that names the field and the value.
#[test]
fn impossible_values_are_refused() {
    for (fields, expected) in [
        (&["daemon=7"][..], "invalid value 7 of daemon, it is 0 to 1"),
        (&["master=-1"], "invalid value -1 of master, it is 0 to 1"),
        (
            &["worker_processes=-5"],
            "invalid value -5 of worker_processes, it is 0 to 1024",
        ),
        (
            &["worker_processes=2000"],
            "invalid value 2000 of worker_processes, it is 0 to 1024",
        ),
        (
            &["worker_processes=1024", "helpers_n=1"],
            "1024 workers and 1 helpers are more than 1024 processes",
        ),
        (
            &["shutdown_timeout=-5"],
            "invalid value -5 of shutdown_timeout, it is 0 or more",
        ),
        (
            &["debug_points=9"],
            "invalid value 9 of debug_points, it is 0 to 2",
        ),
        (
            &["rlimit_nofile=-2"],
            "invalid value -2 of rlimit_nofile, it is -1 or more",
        ),
        (
            &["rlimit_nofile=0"],
            "invalid value 0 of rlimit_nofile, workers need",
        ),
        (
            &["rlimit_core=-7"],
            "invalid value -7 of rlimit_core, it is -1 or more",
        ),
        (
            &["priority=99"],
            "invalid value 99 of priority, it is -20 to 20",
        ),
        (
            &["cpu_affinity_auto=5"],
            "invalid value 5 of cpu_affinity_auto, it is 0 to 1",
        ),
        (
            &["working_directory=/nonexistent"],
            "working_directory \"/nonexistent\" cannot be used (2: No such",
        ),
        (
            &["working_directory=/dev/null"],
            "working_directory \"/dev/null\" cannot be used (20: Not a directory)",
        ),
        (
            &["username=no-such-user"],
            "user \"no-such-user\" or its group not",
        ),
        (&["groupname=root"], "a group needs a user to go with"),
        (&["log_level=12"], "invalid value 0xc of log_level"),
        (
            &["log_level=-1"],
            "invalid value 0xffffffffffffffff of log_level",
        ),
        (&["listening_n=-1"], "invalid value -1 of listening_n"),
        (&["listening=NULL"], "listening is NULL, listening_n is 1"),
        (&["helpers_n=-1"], "invalid value -1 of helpers_n"),
        (
            &["helpers=NULL", "helpers_n=2"],
            "helpers is NULL, helpers_n is 2",
        ),
        (&["handler=NULL", "helpers_n=1"], "helper 0 has no handler"),
        (
            &["status_signal=1"],
            "invalid value 1 of status_signal, the library uses it",
        ),
        (
            &["status_signal=99"],
            "sigaction(99) failed (22: Invalid argument)",
        ),
        (
            &["huge_pages=-1"],
            "invalid value -1 of huge_pages, it is 0 to 1",
        ),
        (
            &["orphans_stay=9"],
            "invalid value 9 of orphans_stay, it is 0 to 1",
        ),
        (&["messages=4"], "invalid value 4 of messages, it is 0 to 1"),
        (&["backlog=-4"], "invalid backlog -4 of 127.0.0.1"),
        (&["ipv6only=9"], "invalid ipv6only 9 of 127.0.0.1"),
        (&["reuseport=-1"], "invalid reuseport -1 of 127.0.0.1"),
        (&["type=9"], "invalid type 9 of 127.0.0.1"),
        (&["mode=0100666"], "invalid mode 0100666 of 127.0.0.1"),
        (&["mode=01000"], ", it is 0 to 0777"),
        (&["owner=no-such-user"], "user \"no-such-user\" not found"),
    ] {
        let text = refusal(&with_fields("impossible", fields));

        assert!(text.contains(expected), "{fields:?}: {text}");
    }
}

/// A reload that makes a value impossible is refused. The workers, their descriptors and
/// the log stay.
#[test]
fn a_reload_refuses_impossible_values() {
    let mut server = with_fields("impossible_reload", &[]);
    let file = server.directory.join("conf");

    server
        .instead
        .push(format!("reload={}", file.display()).into());
    server.spawn(&[]);

    let workers = server.wait_for_workers(1);
    let before = server.settled_descriptors();

    for (n, field) in [
        "worker_processes=-5",
        "priority=-99",
        "helpers_n=-1",
        "listening=NULL",
        "error_log=/nonexistent/log",
        "working_directory=/nonexistent",
        "mode=-1",
        "owner=no-such-user",
    ]
    .into_iter()
    .enumerate()
    {
        fs::write(&file, field).unwrap();
        server.signal(libc::SIGHUP);
        server.wait_for_lines(n + 1, "[emerg]");
        assert_eq!(server.workers(), workers, "{field}");
    }

    server.wait_for_descriptors(&before);
    fs::remove_file(&file).unwrap();
    server.reload();
    server.quit(&["[emerg]"]);
}

/// The files of relative paths are in the directory where the program was started. A
/// worker with another working directory opens the same log again.
#[test]
fn relative_paths_keep_their_meaning() {
    for fields in [&[][..], &["daemon=1"]] {
        let mut server = with_fields("relative", fields);
        let work = server.directory.join("work");
        let field = server.directory.join("conf");
        let directory = server.directory.clone();

        fs::create_dir_all(work.join("deep")).unwrap();
        server
            .instead
            .extend(["pid=pid", "error_log=log", "working_directory=work"].map(Into::into));
        server
            .instead
            .push(format!("reload={}", field.display()).into());

        let mut command = server.command(&[]);

        command.current_dir(&directory);
        server.spawn_command(command, if fields.is_empty() { &[] } else { &["-d"] });

        let worker = *server.wait_for_workers(1).first().unwrap();
        let at = |pid| fs::read_link(format!("/proc/{pid}/cwd")).unwrap();

        wait_until("the working directory", || at(worker) == work);
        fs::rename(server.logfile(), directory.join("log.1")).unwrap();
        server.signal(libc::SIGUSR1);
        server.wait_for_new_log();
        assert!(!work.join("log").exists());

        // A relative path of a reload means a file in the same directory.
        fs::write(&field, "error_log=work/deep/log").unwrap();
        server.reload();
        assert!(work.join("deep/log").exists());
        fs::write(&field, "error_log=log").unwrap();
        server.reload();
        assert_eq!(at(*server.workers().first().unwrap()), work);
        server.quit(&[]);
        assert_eq!(fs::read_dir(&work).unwrap().count(), 1);
    }
}

/// A user has no effect if the master is not root. The program says so, and runs.
#[test]
fn a_user_needs_root() {
    const TEXT: &str = "the field \"username\" has an effect only if the master process runs \
                        as root, ignored";

    for fields in [&["username=root"] as &[&str], &[]] {
        let server = with_fields("user_without_root", fields);
        let mut command = server.command(&[]);

        if sys::is_root() {
            fs::set_permissions(
                &server.directory,
                std::os::unix::fs::PermissionsExt::from_mode(0o777),
            )
            .unwrap();
            command.uid(sys::new_user());
        }

        server.spawn_command(command, &[]);
        server.wait_for_workers(1);

        let text = fs::read_to_string(server.directory.join("stderr")).unwrap();
        let warns = text.contains("[warn]") && text.contains(TEXT);

        assert_eq!(warns, !fields.is_empty(), "{text}");
        server.quit(&[]);
    }
}

/// The command `taskset CPU PROGRAM...`, for the last processor that this process may use.
fn on_the_last_processor(server: &Server) -> (Command, String) {
    let allowed = proc::status(std::process::id() as i32, "Cpus_allowed_list").unwrap();
    let last = allowed.rsplit([',', '-']).next().unwrap().to_string();
    let plain = server.command(&[]);
    let mut command = Command::new("taskset");

    command
        .args(["-c", &last])
        .arg(plain.get_program())
        .args(plain.get_args())
        .stdin(std::process::Stdio::null())
        .stderr(fs::File::create(server.directory.join("stderr")).unwrap());

    (command, last)
}

/// The number of workers, and the processors that they run on, are those that the master
/// is allowed to use (D37).
#[test]
fn workers_use_the_allowed_processors() {
    for fields in [
        ["worker_processes=0", "cpu_affinity_auto=1"],
        ["worker_processes=3", "cpu_affinity_auto=1"],
    ] {
        let server = with_fields("allowed_processors", &fields);
        let (command, last) = on_the_last_processor(&server);
        let n = if fields[0].ends_with('0') { 1 } else { 3 };

        server.spawn_command(command, &[]);

        let bound = |workers: BTreeSet<i32>| {
            wait_until("the processor", || {
                workers
                    .iter()
                    .all(|&pid| proc::status(pid, "Cpus_allowed_list").as_ref() == Some(&last))
            });
        };

        bound(server.wait_for_workers(n));
        bound(server.reload());
        server.quit(&[]);
    }
}

/// The line about the status signal has the name of the signal, and a helper without a
/// name has one.
#[test]
fn signals_and_helpers_have_names() {
    for (signo, name) in [(21, "SIGTTIN"), (12 + 24, "SIGRTMIN+2")] {
        let fields = [
            format!("status_signal={signo}"),
            "helpers_n=1".into(),
            "helper=-".into(),
        ];
        let server = with_fields("signal_name", &fields.each_ref().map(String::as_str));

        server.spawn(&[]);
        wait_until("the helper", || server.titled("helper process").len() == 1);
        server.signal(signo);
        server.wait_for_line(&format!("signal {signo} ({name}) received from "));
        server.wait_for_line("start helper process ");
        assert_eq!(server.lines("(null)"), [""; 0]);
        server.quit(&[]);
    }
}
