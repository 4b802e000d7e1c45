//! The lines of a log: a function of the program gets them, they are JSON, and none is
//! lost when the file is renamed.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::net::{TcpStream, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::conf_values::with_fields;
use super::logs::{SOON, is_like, message, visit};
use crate::support::build::{directory, example};
use crate::support::server::free_port;
use crate::support::{Killed, find, sys, wait_until};

/// file.
#[test]
fn a_function_of_the_program_gets_the_lines() {
    for log in ["NULL", "file"] {
        let mut server = with_fields("log_writer", &["text=a line"]);
        let lines = server.directory.join("own");

        server
            .instead
            .push(format!("writer={}", lines.display()).into());

        if log == "NULL" {
            server.instead.push("error_log=NULL".into());
        }

        let master = server.spawn(&[]);

        server.wait_for_workers(1);
        wait_until("the worker's line", || {
            fs::read_to_string(&lines)
                .unwrap()
                .contains("#0: a line (11: ")
        });

        let before = server.settled_descriptors();

        server.signal(libc::SIGUSR1);
        server.reload();
        server.wait_for_descriptors(&before);
        server.quit(&[]);

        let text = fs::read_to_string(&lines).unwrap();

        // "6" is NGX_LOG_NOTICE, "4" NGX_LOG_ERR.
        assert!(
            text.lines().all(|line| "12345678".contains(&line[..1])),
            "{text}"
        );
        assert!(text.contains(&format!("[notice] {master}#0: start worker processes")));
        assert_eq!(text.lines().filter(|line| line.starts_with('4')).count(), 2);
        assert_eq!(server.logfile().exists(), log == "file");

        if log == "file" {
            let logged = server.log();
            let mut in_log: Vec<_> = logged.lines().collect();
            let mut in_own: Vec<_> = text.lines().map(|line| &line[1..]).collect();

            // Two processes that log at the same time can write to the two files in
            // different orders.
            in_log.sort_unstable();
            in_own.sort_unstable();
            assert_eq!(in_log, in_own);
        }
    }
}

/// and numbers only.
fn object(line: &str) -> BTreeMap<String, String> {
    let mut rest = line.strip_prefix('{').expect("an object");
    let mut fields = BTreeMap::new();

    loop {
        let (name, after) = string(rest);
        let after = after.strip_prefix(':').expect("a value");
        let (value, after) = if after.starts_with('"') {
            string(after)
        } else {
            let end = after.find([',', '}']).expect("an end");

            after[..end].parse::<i64>().expect("a number");
            (after[..end].to_string(), &after[end..])
        };

        assert!(fields.insert(name, value).is_none(), "{line}");

        if after == "}" {
            return fields;
        }

        rest = after.strip_prefix(',').expect("a comma");
    }
}

/// Parses a string of JSON; returns it and the rest of the line.
fn string(text: &str) -> (String, &str) {
    let mut letters = text.strip_prefix('"').expect("a string").chars();
    let mut value = String::new();

    loop {
        match letters.next().expect("a quote") {
            '"' => return (value, letters.as_str()),
            '\\' => value.push(match letters.next().expect("a letter") {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => {
                    let digits: String = letters.by_ref().take(4).collect();

                    char::from_u32(u32::from_str_radix(&digits, 16).unwrap()).unwrap()
                }
                letter @ ('"' | '\\') => letter,
                letter => panic!("\\{letter}"),
            }),
            letter => {
                assert!(!letter.is_control(), "{letter:?}");
                value.push(letter);
            }
        }
    }
}

/// function of the program.
#[test]
fn lines_can_be_json() {
    const TEXT: &str = r#"text=a "b" \ é\x01\x09\xff\xc3 end"#;
    const EXPECTED: &str = "a \"b\" \\ é\u{1}\t\u{fffd}\u{fffd} end (11: Resource temporarily \
                            unavailable)";

    let syslog = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = syslog.local_addr().unwrap().port();

    syslog.set_read_timeout(Some(SOON)).unwrap();

    let mut server = with_fields("log_json", &["log_json=1", TEXT]);
    let own = server.directory.join("own");

    server
        .instead
        .push(format!("writer={}", own.display()).into());
    // West of Greenwich, tzset(3).
    server.environment.push(("TZ", "WEST3:30".into()));

    let master = server.spawn(&[]);
    let worker = *server.wait_for_workers(1).first().unwrap();

    visit(&server);
    server.wait_for_line("accepted");
    server.quit(&[]);

    let log = server.log();
    let objects: Vec<_> = log.lines().map(object).collect();
    let find = |text: &str| {
        objects
            .iter()
            .find(|object| object["text"] == text)
            .unwrap()
    };

    for object in &objects {
        let (time, zone) = object["time"].split_at("2026-11-27T03:06:33.123".len());

        assert!(is_like(time, "9999-99-99T99:99:99.999"), "{time}");
        assert_eq!(zone, "-03:30");
        assert_eq!(object["pid"], object["tid"]);
    }

    let line = find(EXPECTED);

    assert_eq!(line["level"], "error");
    assert_eq!(line["errno"], "11");
    assert_eq!(line["pid"], worker.to_string());
    assert!(!line.contains_key("connection"));
    assert_eq!(find("start worker processes")["pid"], master.to_string());
    assert!(!find("start worker processes").contains_key("errno"));
    assert_eq!(find("accepted")["connection"], "7");

    let lines = fs::read_to_string(&own).unwrap();
    let lines: Vec<&str> = lines.lines().map(|line| &line[1..]).collect();

    assert_eq!(lines, log.lines().collect::<Vec<_>>());

    let log = format!("error_log=syslog:server=127.0.0.1:{port}");
    let server = with_fields("log_json_syslog", &["log_json=1", &log]);

    server.spawn(&[]);
    server.wait_for_workers(1);

    let text = message("start worker processes", |buffer| syslog.recv(buffer));
    let (_, json) = text.split_once(" server: ").unwrap();

    assert_eq!(object(json)["text"], "start worker processes");
    server.quit(&[]);
}

/// lines. Each line is in one of the files, once.
#[test]
fn a_rotation_loses_no_line() {
    const LINES: usize = 50_000;

    for json in ["log_json=0", "log_json=1"] {
        let server = with_fields(
            "log_rotation",
            &[json, "worker_processes=2", &format!("lines={LINES}")],
        );
        let directory = server.directory.join("logs");
        let mut rotations = 0;
        let mut all = String::new();

        fs::create_dir(&directory).unwrap();
        server.spawn(&[]);
        server.wait_for_workers(2);

        let before = server.settled_descriptors();
        let finished = |all: &str| all.matches("has logged all").count() == 2;

        while !finished(&all) || rotations < 5 {
            let moved = directory.join(rotations.to_string());

            fs::rename(server.logfile(), &moved).unwrap();
            server.signal(libc::SIGUSR1);
            server.wait_for_new_log();
            all.push_str(&fs::read_to_string(&moved).unwrap());
            rotations += 1;
        }

        server.wait_for_descriptors(&before);
        server.quit(&[]);
        all.push_str(&server.log());

        let mut count = BTreeMap::new();

        for line in all.lines().filter(|line| line.contains(" line ")) {
            let text = line.split("worker ").nth(1).unwrap();

            *count.entry(text.split('.').next().unwrap()).or_insert(0) += 1;
        }

        assert_eq!(count.len(), 2 * LINES, "after {rotations} rotations");
        assert!(count.values().all(|&n| n == 1));
    }
}

/// get all lines.
#[test]
fn a_full_disk_is_tried_once_a_second() {
    const LINES: usize = 5000;

    for json in ["log_json=0", "log_json=1"] {
        let mut server = with_fields(
            "log_full",
            &["error_log=/dev/full", json, &format!("lines={LINES}")],
        );
        let own = server.directory.join("own");
        let trace = server.directory.join("strace");

        server
            .instead
            .push(format!("writer={}", own.display()).into());

        let plain = server.command(&[]);
        let mut command = Command::new("strace");
        let begin = Instant::now();

        command
            .args(["-D", "-f", "-e", "trace=write", "-e", "signal=none", "-o"])
            .arg(&trace)
            .arg(plain.get_program())
            .args(plain.get_args())
            .stdin(Stdio::null());
        server.spawn_command(command, &[]);
        wait_until("all lines", || {
            fs::read_to_string(&own)
                .unwrap_or_default()
                .contains("has logged all")
        });
        server.quit(&[]);

        let seconds = begin.elapsed().as_secs() as usize;
        let text = fs::read_to_string(&own).unwrap();
        let trace = fs::read_to_string(&trace).unwrap();
        let failed = trace.lines().filter(|line| line.contains("ENOSPC")).count();

        assert_eq!(text.matches("worker 0 line ").count(), LINES);
        assert!(failed >= 1, "{trace}");
        assert!(failed <= 2 * (seconds + 2), "{failed} in {seconds} s");
    }
}

/// The example of the documents, with a syslog server and with JSON on stderr.
#[test]
fn the_example_of_logs() {
    let work = directory().join("example_of_logs");
    let _ = fs::remove_dir_all(&work);

    fs::create_dir(&work).unwrap();

    let path = work.join("syslog");
    let syslog = UnixDatagram::bind(&path).unwrap();
    let log = format!("syslog:server=unix:{},tag=logs", path.display());

    syslog.set_read_timeout(Some(SOON)).unwrap();

    for (n, arguments) in [&[log.as_str()][..], &["stderr", "json"]]
        .into_iter()
        .enumerate()
    {
        let address = format!("127.0.0.1:{}", free_port());
        let stderr = work.join("stderr");
        let mut server = Killed(
            Command::new(example("logs"))
                .arg(&address)
                .args(arguments)
                .current_dir(&work)
                .stderr(fs::File::create(&stderr).unwrap())
                .spawn()
                .unwrap(),
        );
        let mut stream = find(&address, || TcpStream::connect(&address).ok());

        stream.read_to_end(&mut Vec::new()).unwrap();

        if n == 0 {
            let text = message("has connected", |buffer| syslog.recv(buffer));

            assert!(text.contains(" logs: 20"), "{text}");
            assert!(text.ends_with("#0: a \"client\" has connected"), "{text}");
        } else {
            let text = find("the line", || {
                let text = fs::read_to_string(&stderr).unwrap();

                text.lines()
                    .find(|line| line.contains("client"))
                    .map(object)
            });

            assert_eq!(text["text"], "a \"client\" has connected");
        }

        assert!(sys::kill(server.0.id() as i32, libc::SIGQUIT));
        assert!(server.0.wait().unwrap().success());

        let severe = fs::read_to_string(work.join("severe.log")).unwrap();

        assert_eq!(severe.lines().count(), n + 1, "{severe}");
    }
}
