//! Zones with files in `zones_directory`: their content survives the end of the server, processes
//! that are killed, and upgrades.

use std::fs::{self, File};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use crate::events_examples::{children_of, count, lines, visit, visit_over};
use crate::support::build::{directory, example};
use crate::support::server::free_port;
use crate::support::{Killed, find, proc, sys, wait_until};

/// The number of workers of the examples.
const WORKERS: usize = 4;

/// A server that runs an example, with files in a directory.
struct Server {
    name: &'static str,
    address: String,
    program: Killed,
    log: PathBuf,
}

impl Server {
    /// Starts an example. `number` tells the servers of a test apart.
    fn start(name: &'static str, zones: &Path, number: usize) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let log = zones.with_extension(format!("log{number}"));
        let mut command = Command::new(example(name));

        command
            .arg(&address)
            .arg(zones.file_name().unwrap())
            .current_dir(zones.parent().unwrap())
            .stdin(Stdio::null())
            .stderr(File::create(&log).unwrap());

        let server = Self {
            name,
            address,
            program: Killed(command.spawn().unwrap()),
            log,
        };

        server.workers();
        server
    }

    fn master(&self) -> i32 {
        self.program.0.id().cast_signed()
    }

    /// The workers, when all run.
    fn workers(&self) -> Vec<i32> {
        workers_of(self.name, self.master())
    }

    fn quit(mut self) {
        sys::kill(self.master(), libc::SIGQUIT);
        assert!(self.program.0.wait().unwrap().success());
    }

    /// Kills the master, and then its workers.
    fn kill_all(mut self) {
        let workers = self.workers();

        self.program.0.kill().unwrap();

        for &worker in &workers {
            sys::kill(worker, libc::SIGKILL);
        }

        self.program.0.wait().unwrap();
        ended(&workers);
    }

    fn warnings(&self) -> Vec<String> {
        lines(&self.log, "[warn]")
    }
}

fn workers_of(name: &'static str, master: i32) -> Vec<i32> {
    find("all workers", || {
        let workers = children_of(name, master);

        (workers.len() == WORKERS).then(|| workers.into_iter().collect())
    })
}

fn ended(pids: &[i32]) {
    wait_until("the end of the processes", || {
        pids.iter().all(|&pid| !proc::alive(pid))
    });
}

/// The directory of a test for files of zones, which does not exist yet.
fn zones(test: &str) -> PathBuf {
    let path = directory().join(test);
    let _ = fs::remove_dir_all(&path);

    path
}

/// The inodes of the files in a directory.
fn inodes(zones: &Path) -> Vec<u64> {
    fs::read_dir(zones)
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().ino())
        .collect()
}

fn some_clients(address: &str, counted: &mut usize) {
    for _ in 0..10 {
        *counted += 1;
        assert_eq!(count(address), *counted);
    }
}

#[test]
fn a_count_survives_servers() {
    sys::adopt_orphans();

    let zones = zones("zone_files");
    let mut counted = 0;
    let mut files = None;

    for number in 0..4 {
        let server = Server::start("count", &zones, number);

        some_clients(&server.address, &mut counted);
        sys::kill(server.master(), libc::SIGHUP);
        wait_until("a reload", || {
            !lines(&server.log, "reconfiguring").is_empty()
        });
        some_clients(&server.address, &mut counted);
        assert_eq!(server.warnings(), [""; 0]);
        assert_eq!(*files.get_or_insert_with(|| inodes(&zones)), inodes(&zones));

        // After a reload, old workers can run as well.
        if number % 2 == 0 {
            server.quit();
        } else {
            wait_until("the end of the old workers", || {
                children_of("count", server.master()).len() == WORKERS
            });
            server.kill_all();
        }
    }

    assert_eq!(inodes(&zones).len(), 1);
}

/// The old and the new binary use one file. A server that is started later gets it.
#[test]
fn a_count_survives_upgrades() {
    sys::adopt_orphans();

    let zones = zones("zone_files_upgrade");
    let server = Server::start("count", &zones, 0);
    let (address, log) = (server.address.clone(), server.log.clone());
    let old = server.master();
    let old_workers = server.workers();
    let mut counted = 0;

    some_clients(&address, &mut counted);

    let files = inodes(&zones);

    sys::kill(old, libc::SIGUSR2);

    let new = find("a new master", || {
        children_of("count", old)
            .into_iter()
            .find(|pid| !old_workers.contains(pid))
    });
    let workers = workers_of("count", new);

    some_clients(&address, &mut counted);
    server.quit();
    some_clients(&address, &mut counted);
    assert_eq!(inodes(&zones), files);
    assert_eq!(lines(&log, "[warn]"), [""; 0]);

    // The new binary is killed in turn.
    for &pid in [new].iter().chain(&workers) {
        sys::kill(pid, libc::SIGKILL);
    }

    ended(&workers);
    ended(&[new]);

    let server = Server::start("count", &zones, 1);

    some_clients(&server.address, &mut counted);
    assert_eq!(server.warnings(), [""; 0]);
    server.quit();
}

const FOREIGN: &str = "the zone \"clients\" is not kept: another server uses its file";

/// A second server in the same directory has memory of its own, also after its upgrade.
#[test]
fn a_second_server() {
    sys::adopt_orphans();

    let zones = zones("zone_files_second");
    let first = Server::start("count", &zones, 0);
    let mut counted = 0;

    some_clients(&first.address, &mut counted);

    let files = inodes(&zones);
    let second = Server::start("count", &zones, 1);
    let mut counted_by_second = 0;

    assert_eq!(second.warnings().len(), 1);
    assert_eq!(lines(&second.log, FOREIGN).len(), 1);
    some_clients(&second.address, &mut counted_by_second);
    some_clients(&first.address, &mut counted);

    // The zone of the second one is a file in memory, because of `keep_zones`.
    let (old, old_workers) = (second.master(), second.workers());
    let address = second.address.clone();

    sys::kill(old, libc::SIGUSR2);

    let new = find("a new master", || {
        children_of("count", old)
            .into_iter()
            .find(|pid| !old_workers.contains(pid))
    });

    workers_of("count", new);
    some_clients(&address, &mut counted_by_second);
    second.quit();
    some_clients(&address, &mut counted_by_second);
    some_clients(&first.address, &mut counted);
    assert_eq!(inodes(&zones), files);
    sys::kill(new, libc::SIGQUIT);
    ended(&[new]);
    assert_eq!(inodes(&zones), files);
    first.quit();

    let third = Server::start("count", &zones, 2);

    some_clients(&third.address, &mut counted);
    third.quit();
}

/// A worker that has survived its master uses the file. When it has ended, the next server gets
/// the file with its content.
#[test]
fn a_worker_that_lives() {
    sys::adopt_orphans();

    let zones = zones("zone_files_worker");
    let mut first = Server::start("count", &zones, 0);
    let workers = first.workers();
    let (lives, others) = workers.split_first().unwrap();
    let mut counted = 0;

    some_clients(&first.address, &mut counted);
    sys::kill(*lives, libc::SIGSTOP);
    wait_until("a stopped worker", || proc::state(*lives) == Some('T'));
    first.program.0.kill().unwrap();
    first.program.0.wait().unwrap();

    for &worker in others {
        sys::kill(worker, libc::SIGKILL);
    }

    ended(others);

    let second = Server::start("count", &zones, 1);

    assert_eq!(lines(&second.log, FOREIGN).len(), 1);
    assert_eq!(count(&second.address), 1);
    sys::kill(*lives, libc::SIGKILL);
    ended(&[*lives]);
    second.quit();

    let third = Server::start("count", &zones, 2);

    some_clients(&third.address, &mut counted);
    assert_eq!(third.warnings(), [""; 0]);
    third.quit();
}

/// All processes are killed while clients change the list in the zone. The list and its counter
/// always agree.
#[test]
fn visits_survive_killed_servers() {
    sys::adopt_orphans();

    let zones = zones("zone_files_visits");
    let mut last = 0;

    for number in 0..5 {
        let server = Server::start("visits", &zones, number);
        let address = server.address.clone();
        let clients = thread::spawn(move || {
            let mut last = last;

            // The killed server answers no more.
            while let Some(numbers) = TcpStream::connect(&address).ok().and_then(visit_over) {
                check(&numbers, last);
                last = numbers[0];
            }

            last
        });
        let numbers = find("a visit", || visit(&server.address));

        check(&numbers, last);
        server.kill_all();
        last = clients.join().unwrap().max(numbers[0]);
    }

    let server = Server::start("visits", &zones, 5);

    check(&visit(&server.address).unwrap(), last);
    assert_eq!(server.warnings(), [""; 0]);
    server.quit();
}

fn check(numbers: &[usize], last: usize) {
    let expected: Vec<_> = (1..=numbers[0]).rev().take(3).collect();

    assert!(numbers[0] > last, "{numbers:?} after {last}");
    assert_eq!(numbers, expected);
}
