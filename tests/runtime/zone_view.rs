//! A look at the zones of a program without nginx with `ngx-ipc-zone`.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use crate::support::build::{directory, example};
use crate::support::server::free_port;
use crate::support::zones::{PROGRAM, Word, address, chunks, dump, look, run, value};
use crate::support::{Killed, find, proc, sys, wait_until};

/// Starts `examples/count.c`; returns it when it has four workers.
fn start(name: &str) -> Killed {
    start_example("count", name)
}

/// Starts an example; returns it when it has four workers.
fn start_example(program: &str, name: &str) -> Killed {
    let mut command = Command::new(example(program));
    let log = File::create(directory().join(name)).unwrap();

    command
        .arg(format!("127.0.0.1:{}", free_port()))
        .stdin(Stdio::null())
        .stderr(log);

    let child = Killed(command.spawn().unwrap());

    wait_until("four workers", || workers_of(program, &child).len() == 4);
    child
}

fn pid(program: &Killed) -> i32 {
    program.0.id().cast_signed()
}

fn workers(count: &Killed) -> Vec<i32> {
    workers_of("count", count)
}

fn workers_of(program: &str, master: &Killed) -> Vec<i32> {
    let mut all = proc::running(&example(program));

    all.retain(|&worker| proc::parent(worker) == Some(pid(master)));
    all.into_iter().collect()
}

fn quit(mut program: Killed) {
    assert!(sys::kill(pid(&program), libc::SIGQUIT));
    assert!(program.0.wait().unwrap().success());
}

/// What the program writes to stderr, and its exit code, which must be 2.
fn complaint(arguments: &[&str]) -> String {
    let out = run(arguments);

    assert_eq!(out.status.code(), Some(2), "{out:?}");
    assert!(out.stdout.is_empty(), "{out:?}");
    String::from_utf8(out.stderr).unwrap()
}

/// A zone that survives upgrades has its name in the list of mappings. The numbers are those of
/// the one piece that the program has allocated.
#[test]
fn a_zone_is_shown() {
    let program = start("zone_view.log");
    let master = pid(&program);

    for pid in [master, workers(&program)[0]] {
        let (code, text) = look(&[], pid, Some("clients"));

        assert_eq!(code, 0);
        assert_eq!(value(&text, "size"), "65536 bytes");
        assert_eq!(value(&text, "lock"), "free");
        assert_eq!(value(&text, "pages"), "15, 14 free");
        assert_eq!(value(&text, "free runs"), "1, the longest has 14 pages");
        assert_eq!(value(&text, "fragmentation"), "0%");
        assert_eq!(chunks(&text, 8), [504, 1, 1, 0]);
        assert_eq!(chunks(&text, 16), [0, 0, 0, 0]);
    }

    let bytes = dump(master, "clients");

    assert_eq!(
        look(&["-v"], master, None),
        (0, "clients: right\n".to_string())
    );
    assert!(
        dump(master, "clients") == bytes,
        "a look has changed the zone"
    );
    quit(program);
}

/// The number of entries in the record of an operation is not 0 while the operation is in
/// progress.
#[test]
fn an_interrupted_operation_is_shown() {
    const RECORD: u64 = 448;

    let program = start("zone_view_record.log");
    let master = pid(&program);
    let at = address(master, "clients");
    let start = Word::new(master, at + 88).get();
    let record = Word::new(master, start - RECORD);

    assert_eq!(record.get(), 0);
    record.set(1);

    let (code, text) = look(&[], master, Some("clients"));

    assert_eq!(code, 0);
    assert_eq!(
        value(&text, "operation"),
        "a process has died in it, the next operation undoes it"
    );
    assert_eq!(
        look(&["-v"], master, Some("clients")),
        (
            1,
            "clients: a process has died in an operation\n".to_string()
        )
    );
    record.set(0);
    quit(program);
}

/// The type of a zone is shown, and the transaction in which a process has died.
#[test]
fn a_typed_zone_is_shown() {
    const DATA: u64 = 184;
    const OWNER: u64 = 40;
    const DEAD: u64 = 48;
    const STATE: u64 = 64;

    let program = start_example("visits", "zone_view_typed.log");
    let master = pid(&program);
    let header = Word::new(master, address(master, "visits") + DATA).get();
    let word = |at| Word::new(master, header + at);
    let shown = |name| {
        let (code, text) = look(&[], master, Some("visits"));

        assert_eq!(code, 0);
        value(&text, name).to_string()
    };

    assert_eq!(shown("type"), "visits, version 1");
    assert_eq!(shown("root"), "16 bytes");
    assert!(shown("undo log").ends_with(" bytes, 0 in use"));
    assert_eq!(shown("transaction"), "none");

    word(OWNER).set(4711);
    word(STATE).set(32);
    assert!(shown("undo log").ends_with(" bytes, 32 in use"));
    assert_eq!(
        shown("transaction"),
        "process 4711 has died in it, the next process undoes it"
    );
    word(STATE).set(33);
    assert!(shown("undo log").ends_with(" bytes, 32 in use"));
    assert_eq!(
        shown("transaction"),
        "process 4711 has died in it, the next process completes it"
    );
    word(OWNER).set(0);
    word(STATE).set(0);
    word(DEAD).set(815);
    assert_eq!(
        shown("death"),
        "process 815 had the lock, the module does not know it yet"
    );
    word(DEAD).set(0);
    quit(program);

    let program = start("zone_view_no_type.log");
    let (_, text) = look(&[], pid(&program), Some("clients"));

    assert!(!text.contains("type:"), "{text}");
    quit(program);
}

/// A zone whose header is damaged is still a zone.
#[test]
fn a_damaged_header_is_shown() {
    let program = start("zone_view_header.log");
    let master = pid(&program);
    let at = address(master, "clients");
    let last = Word::new(master, at + 40);
    let right = last.get();
    let title = format!("{at:#x}");

    for value in [0, 8, u64::MAX, right + 1, right + (1 << 40), at] {
        last.set(value);
        assert_eq!(
            look(&["-v"], master, Some(&title)),
            (
                1,
                "clients: the header of the pool is damaged\n".to_string()
            ),
            "{value:#x}"
        );

        let (_, list) = look(&[], master, None);

        assert!(list.contains("clients"), "{list}");
    }

    last.set(right);
    quit(program);
}

/// Without an answer the exit code is 2, and stderr says why.
#[test]
fn no_answer() {
    let program = start("zone_view_errors.log");
    let master = pid(&program).to_string();
    let own = std::process::id().to_string();
    let mut child = Command::new("true").spawn().unwrap();
    let dead = child.id().to_string();

    child.wait().unwrap();

    assert_eq!(
        complaint(&[&dead]),
        format!("ngx-ipc-zone: there is no process {dead}, or it has exited\n")
    );
    assert_eq!(
        complaint(&[&own]),
        format!("ngx-ipc-zone: process {own} has no zones\n")
    );
    assert_eq!(
        complaint(&["-v", &master, "x\u{1b}"]),
        format!("ngx-ipc-zone: process {master} has no zone \"x\\u{{1b}}\"\n")
    );
    assert_eq!(
        complaint(&["-d", &master, "0x1000"]),
        format!("ngx-ipc-zone: process {master} has no zone \"0x1000\"\n")
    );
    assert!(complaint(&[]).starts_with("ngx-ipc-zone: the pid of a process is missing\nusage:"));
    assert!(complaint(&["-x", &master]).contains("usage: "));

    let out = Command::new(PROGRAM)
        .args(["-d", &master, "clients"])
        .stdout(File::options().write(true).open("/dev/full").unwrap())
        .output()
        .unwrap();

    assert_eq!(out.status.code(), Some(2));
    assert_eq!(
        String::from_utf8(out.stderr).unwrap(),
        "ngx-ipc-zone: the output cannot be written (28: No space left on device)\n"
    );
    quit(program);
}

/// A user who may not debug the process gets no answer.
#[test]
fn another_user() {
    if !sys::is_root() {
        eprintln!("skipped: only root can run a program as another user");
        return;
    }

    let program = start("zone_view_user.log");
    let master = pid(&program).to_string();
    // Another user may not be able to reach the program of the tests.
    let copy = std::env::temp_dir().join(format!("ngx-ipc-zone-{}", std::process::id()));

    fs::copy(PROGRAM, &copy).unwrap();

    let out = find("a copy that nobody writes any more", || {
        Command::new(&copy)
            .arg(&master)
            .uid(sys::new_user())
            .output()
            .ok()
    });

    fs::remove_file(&copy).unwrap();
    assert_eq!(out.status.code(), Some(2), "{out:?}");
    assert_eq!(
        String::from_utf8(out.stderr).unwrap(),
        format!("ngx-ipc-zone: no permission to read the memory of process {master}\n")
    );
    quit(program);
}

/// Options that need no process.
#[test]
fn help_and_version() {
    let help = run(&["--help"]);
    let version = run(&["-V"]);

    assert_eq!(help.status.code(), Some(0));
    assert!(
        help.stdout
            .starts_with(b"usage: ngx-ipc-zone [-v] PID [ZONE]\n")
    );
    assert_eq!(version.status.code(), Some(0));
    assert_eq!(
        version.stdout,
        format!("ngx-ipc-zone {}\n", env!("CARGO_PKG_VERSION")).into_bytes()
    );
}
