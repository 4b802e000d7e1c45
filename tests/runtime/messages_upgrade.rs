//! Tests of messages while SIGUSR2 replaces the binary: both binaries use the same
//! memory.

use std::collections::BTreeSet;
use std::fs::{self, File};

use crate::messages_upgrade_ledger::Ledger;
use crate::support::server::Server;
use crate::support::upgrade::{change_binary, restart_workers, retire, wait_for_old};
use crate::support::{build, proc, sys, wait_until};

const WORKERS: usize = 2;
/// The processes of a region that is just large enough for an upgrade: the workers of
/// both binaries. The configuration counts neither the masters nor the two slots at
/// which masters can look.
const PROCESSES: &str = "4";

const SHARED: &str = "using the messages of the old binary";
const NOT_SHARED: &str = "the messages of the old binary are not used: ";

fn program(test: &str) -> Server {
    let mut server = Server::new(test, "server", &build::program("runtime_messages_upgrade"));

    server.place = server.directory.join("ledger").display().to_string();
    server
}

fn start(test: &str) -> Server {
    let server = program(test);

    server.start(WORKERS, &["-d", "-n", PROCESSES]);
    server
}

/// Waits until each of the two binaries has received numbers from the other one, and
/// each new worker the message that is kept.
fn wait_for_crossing(server: &Server, old: i32, new: i32) {
    let (old, new) = (server.workers_of(old), server.workers_of(new));

    assert!(old.len() == WORKERS && new.len() == WORKERS);
    wait_until("numbers from both binaries", || {
        let ledger = Ledger::read(server);
        let kept: BTreeSet<i32> = ledger.kept.iter().map(|(receiver, _)| *receiver).collect();

        ledger.has_crossed(&old, &new) && ledger.has_crossed(&new, &old) && new.is_subset(&kept)
    });
}

/// Replaces the binary, and waits until the workers of both have talked.
fn upgrade(server: &Server) -> (i32, i32) {
    let (old, new) = change_binary(server, WORKERS);

    wait_for_crossing(server, old, new);
    (old, new)
}

/// The numbers of mappings of memory files, and of descriptors of the kinds that
/// messages have, of a process.
fn memory_of(pid: i32) -> (usize, usize, usize) {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let kinds = proc::kinds_of_descriptors(pid);
    let count = |text: &str| {
        let all = kinds.iter().filter(|(kind, _)| kind.contains(text));

        all.map(|(_, count)| count).sum()
    };

    (
        maps.lines().filter(|line| line.contains("memfd:")).count(),
        count("memfd:"),
        count("anon_inode"),
    )
}

/// Makes all processes stop sending, and checks that each number that was sent was
/// received by as many workers as the sender was told, or is in a gap. `unknown`
/// numbers can be in a gap although they were received.
fn check_numbers(server: &Server, unknown: i64) {
    File::create(format!("{}.stop", server.place)).unwrap();
    wait_until("the end of sending", || {
        !server.processes().is_empty() && is_quiet(server)
    });

    wait_until("all numbers", || {
        let ledger = Ledger::read(server);

        ledger.missing() <= ledger.gaps
    });

    let ledger = Ledger::read(server);

    println!("{} copies, {} in gaps", ledger.received.len(), ledger.gaps);
    assert!(
        ledger.gaps <= ledger.missing() + unknown,
        "{} missing",
        ledger.missing()
    );
}

/// Whether no process has written a line for some time.
fn is_quiet(server: &Server) -> bool {
    let age = fs::metadata(&server.place)
        .unwrap()
        .modified()
        .unwrap()
        .elapsed();

    age.is_ok_and(|age| age.as_millis() > 50)
}

/// Each number that a worker of either binary broadcasts arrives once at each worker
/// of both. The new workers get the message that the old binary has kept. The new
/// binary has registered its types in another order.
#[test]
fn numbers_arrive_over_an_upgrade() {
    let server = start("messages_upgrade");
    let (old, new) = upgrade(&server);

    server.wait_for_line(SHARED);
    retire(&server, old);
    assert_eq!(server.master(), new);
    server.wait_for_workers(WORKERS);
    check_numbers(&server, 0);
    server.quit(&[]);
}

/// A message that is kept reaches workers of both binaries before they register its
/// type. Each of them gets it once, and its sender does not.
#[test]
fn a_type_is_registered_after_its_message() {
    let server = start("messages_late");
    let (old, new) = upgrade(&server);
    let mut workers = server.workers_of(old);

    workers.append(&mut server.workers_of(new));
    wait_until("the message of the late type", || {
        Ledger::read(&server).late.len() == workers.len() - 1
    });

    let found = Ledger::read(&server).late;
    let senders: BTreeSet<i32> = found.iter().map(|(_, sender)| *sender).collect();
    let receivers: BTreeSet<i32> = found.iter().map(|(receiver, _)| *receiver).collect();

    assert_eq!(senders.len(), 1);
    assert_eq!(&receivers | &senders, workers);
    retire(&server, old);
    server.wait_for_workers(WORKERS);
    check_numbers(&server, 0);
    assert_eq!(Ledger::read(&server).late, found);
    server.quit(&[]);
}

/// Descriptors reach the processes of the other binary, and none is left open.
#[test]
fn descriptors_arrive_in_the_other_binary() {
    let server = program("messages_descriptors");

    server.start(WORKERS, &["-f", "-d", "-n", PROCESSES]);

    let before = server.settled_descriptors();
    let (old, new) = upgrade(&server);
    let (olds, news) = (server.workers_of(old), server.workers_of(new));

    // The old workers have sent the number 10 before there were new ones.
    wait_until("descriptors of old workers", || {
        let found = Ledger::read(&server).descriptors;

        (news.iter()).all(|&new| olds.iter().all(|&old| found.contains(&(new, old))))
    });
    retire(&server, old);
    server.wait_for_descriptors(&before);
    check_numbers(&server, 0);
    server.quit(&[]);
}

/// The new binary is stopped, and the old one goes on. The new binary leaves no slot,
/// no descriptor and no memory.
#[test]
fn messages_go_on_when_a_new_binary_is_taken_back() {
    let server = start("messages_taken_back");
    let before = memory_of(server.master());

    for _ in 0..3 {
        let (old, new) = upgrade(&server);

        sys::kill(new, libc::SIGQUIT);
        wait_for_old(&server, old, new);
    }

    assert_eq!(memory_of(server.master()), before);
    assert_eq!(server.lines(SHARED).len(), 3);
    check_numbers(&server, 0);
    server.quit(&[]);
}

/// Ten upgrades follow each other. The last master has as many slots, descriptors and
/// mappings as the first.
#[test]
fn many_upgrades_leave_nothing() {
    let server = start("messages_many_upgrades");
    let mut usual = None;

    for _ in 0..10 {
        let (old, new) = upgrade(&server);

        retire(&server, old);

        let worker = *server.wait_for_workers(WORKERS).first().unwrap();
        let memory = [new, worker].map(memory_of);

        assert_eq!(usual.get_or_insert(memory), &memory);
    }

    check_numbers(&server, 0);
    assert_eq!(server.lines(SHARED).len(), 10);
    server.quit(&[]);
}

/// The old master is killed. Its workers exit, and the new master gives back their
/// slots: the next upgrade needs all of them.
#[test]
fn a_killed_old_master_leaves_nothing() {
    let server = start("messages_old_killed");

    for _ in 0..3 {
        let (old, new) = upgrade(&server);
        let orphans = server.workers_of(old);

        sys::kill(old, libc::SIGKILL);
        server.wait_for_end_of(&orphans);
        wait_until("the end of the old master", || !proc::alive(old));
        fs::remove_file(server.old_pidfile()).unwrap();
        assert_eq!(server.master(), new);
    }

    check_numbers(&server, 0);
    server.quit(&[]);
}

/// The new master is killed. Its workers exit, and the old master gives back their
/// slots.
#[test]
fn a_killed_new_master_leaves_nothing() {
    let server = start("messages_new_killed");
    let before = memory_of(server.master());

    for _ in 0..3 {
        let (old, new) = upgrade(&server);
        let orphans = server.workers_of(new);

        sys::kill(new, libc::SIGKILL);
        server.wait_for_end_of(&orphans);
        wait_for_old(&server, old, new);
    }

    assert_eq!(memory_of(server.master()), before);
    check_numbers(&server, 6);
    server.quit(&["exited on signal 9"]);
}

/// The workers of the old binary are stopped with SIGWINCH and started again while
/// the new binary runs.
#[test]
fn old_workers_are_started_again() {
    let server = start("messages_winch");
    let (old, new) = upgrade(&server);

    sys::kill(old, libc::SIGWINCH);
    wait_until("the end of the old workers", || {
        server.workers_of(old).is_empty() && server.shutting_down().is_empty()
    });
    restart_workers(&server, old, WORKERS);
    wait_for_crossing(&server, old, new);
    retire(&server, old);
    server.wait_for_workers(WORKERS);
    check_numbers(&server, 0);
    server.quit(&[]);
}

/// A new configuration has more memory for messages: the new binary makes memory of
/// its own, and closes what it has inherited.
#[test]
fn a_larger_configuration_has_memory_of_its_own() {
    let server = start("messages_larger");
    let (_, files, others) = memory_of(server.master());

    File::create(format!("{}.large", server.place)).unwrap();

    let (old, new) = change_binary(&server, WORKERS);
    let workers = server.workers_of(new);

    server.wait_for_line(&format!(
        "{NOT_SHARED}the memory is smaller than this configuration says"
    ));
    wait_until("numbers of the new workers", || {
        Ledger::read(&server).has_crossed(&workers, &workers)
    });
    assert!(!Ledger::read(&server).has_crossed(&workers, &server.workers_of(old)));
    retire(&server, old);
    server.wait_for_workers(WORKERS);

    let (_, new_files, new_others) = memory_of(new);

    assert_eq!((new_files, new_others), (files, others));
    server.quit(&[]);
}

/// Whatever the environment variable says, the program starts, and makes memory of
/// its own.
#[test]
fn garbage_in_the_variable_is_refused() {
    let reasons = [
        ("", "the environment variable is not valid"),
        ("garbage", "the environment variable is not valid"),
        (
            "1:5-9:0:1:8:1024:16:512",
            "the descriptors are not those of messages",
        ),
        (
            "1::0:1",
            "the old binary has version 1 of them, this binary has version",
        ),
        (
            "4::0:1:8:1024:16:512",
            "the descriptors are not those of messages",
        ),
        (
            "4:0-2147483647:0:1:8:1024:16:512",
            "the descriptors are not those of messages",
        ),
        ("4::0:1:0:0:0:0", "the environment variable is not valid"),
        (
            "4::4294967295:4294967295:1024:65536:16:65536",
            "the descriptors are not those of messages",
        ),
    ];
    let mut usual = None;

    for (n, (value, reason)) in reasons.into_iter().enumerate() {
        let mut server = program(&format!("messages_garbage_{n}"));

        server.environment = vec![("NGX_IPC_MESSAGES", value.into())];
        server.start(WORKERS, &["-n", PROCESSES]);
        server.wait_for_line(&format!("{NOT_SHARED}{reason}"));
        wait_until("numbers", || Ledger::read(&server).received.len() > 10);

        let memory = memory_of(server.master());

        assert_eq!(usual.get_or_insert(memory), &memory, "{value}");
        server.quit(&[]);
    }
}
