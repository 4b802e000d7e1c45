//! Tests of typed zones in nginx: the example `ngx_http_visits_module.c`, and the module
//! `tests/nginx/ngx_http_typed_module.c`.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::thread;

use crate::defects::{compiled, compiled_example};
use crate::nginx::{Nginx, Which, body, code, get_at, times};
use crate::support::zones::look;
use crate::support::{proc, sys, wait_until};

/// What a killed worker causes in the log.
const KILLED: [&str; 3] = [
    "exited on signal 9",
    "was locked by",
    "has exited and held the lock",
];

/// An nginx on the library that has loaded `module`, and is not started yet.
fn nginx(test: &str, module: PathBuf, workers: usize, http: &str) -> (Nginx, String) {
    let main = format!(
        "load_module {};\nuser root;\nworker_processes {workers};\nerror_log log info;",
        module.display()
    );

    (Nginx::new(test, Which::Ipc, &main, http), main)
}

/// An nginx with the module for tests.
fn typed(test: &str, workers: usize, zone: &str) -> (Nginx, String) {
    let module = compiled("ngx_http_typed_module", Which::Ipc);

    nginx(test, module, workers, &http(zone, ""))
}

fn http(zone: &str, more: &str) -> String {
    format!(
        "typed_zone {zone};
         server {{ listen 127.0.0.1:PORT; location / {{ typed; }} }}
         {more}"
    )
}

/// Lets the master read a configuration that it refuses with a line that contains `why`.
fn refused(nginx: &Nginx, main: &str, http: &str, why: &str) {
    let workers = nginx.workers();
    let lines = nginx.lines(why).len();

    nginx.configure(main, http);
    nginx.signal(libc::SIGHUP);
    nginx.wait_for_lines(lines + 1, why);
    assert_eq!(nginx.workers(), workers);
}

fn answer(nginx: &Nginx, arguments: &str) -> String {
    let answer = nginx.get(&format!("/?{arguments}"));

    assert_eq!(code(&answer), "200", "{arguments}: {answer}");
    body(&answer).to_string()
}

fn count(nginx: &Nginx) -> String {
    answer(nginx, "do=count&key=1")
}

/// The number after `name` in `text`.
fn number(text: &str, name: &str) -> usize {
    let (_, rest) = text.split_once(name).expect(name);

    rest.split(' ').next().unwrap().parse().expect(name)
}

/// The bytes of the zone, as a worker has them.
fn bytes(nginx: &Nginx) -> Vec<u8> {
    let place = answer(nginx, "do=where");
    let (address, size) = place.split_once(' ').expect("an address and a size");
    let worker = *nginx.workers().first().expect("a worker");
    let mut bytes = vec![0; size.parse().expect("a size")];

    File::open(format!("/proc/{worker}/mem"))
        .and_then(|memory| memory.read_exact_at(&mut bytes, address.parse().expect("an address")))
        .expect("the memory of a worker");
    bytes
}

/// The workers of the example count together, also over a reload.
#[test]
fn visits_are_counted() {
    const HTTP: &str = "
        visits_zone v 256k;
        server { listen 127.0.0.1:PORT; location / { visits; } }";

    let module = compiled_example("ngx_http_visits_module", Which::Ipc);
    let (nginx, _) = nginx("visits", module, 2, HTTP);
    let mut counted = Vec::new();

    nginx.spawn(&[]);

    for _ in 0..2 {
        for worker in nginx.wait_for_workers(2) {
            counted.push(body(&nginx.get_from(worker, "/")).trim().to_string());
        }

        nginx.reload();
    }

    assert_eq!(counted, ["1", "2", "3", "4"]);
    nginx.quit(&[]);
}

/// `noreuse` in one configuration gives the zone new memory once. The memory before is freed,
/// and the new memory is not.
#[test]
fn noreuse_in_one_configuration() {
    let (nginx, main) = typed("typed_noreuse", 1, "t 64k 1");

    nginx.spawn(&[]);
    nginx.wait_for_workers(1);
    assert_eq!(count(&nginx), "1");

    for (zone, counted) in [("t 64k 1 noreuse", "1"), ("t 64k 1", "2"), ("t 64k 1", "3")] {
        nginx.configure(&main, &http(zone, ""));
        nginx.reload();
        assert_eq!(count(&nginx), counted, "{zone}");

        let (code, listed) = look(&[], nginx.master(), None);

        assert_eq!(code, 0, "{listed}");
        assert_eq!(listed.lines().count(), 2, "a title and one zone: {listed}");
    }

    nginx.quit(&[]);
}

/// A zone is kept if its size and type stay the same. A zone of another size is migrated, or
/// else new. Another version is migrated, or else the reload is refused.
#[test]
fn a_reload_keeps_or_migrates() {
    const VERSION: &str = "cannot use the memory of the zone before: its type has another version";

    let (nginx, main) = typed("typed_reload", 1, "t 64k 1");
    let reload = |zone: &str| {
        nginx.configure(&main, &http(zone, ""));
        nginx.reload();
    };

    nginx.spawn(&[]);
    nginx.wait_for_workers(1);
    assert_eq!(count(&nginx), "1");

    reload("t 64k 1");
    assert_eq!(count(&nginx), "2");
    assert_eq!(answer(&nginx, "do=sums"), "sum:2 total:2 deaths:0 ");

    reload("t 128k 1 migrate");
    assert_eq!(count(&nginx), "3");
    assert_eq!(answer(&nginx, "do=sums"), "sum:3 total:3 deaths:0 ");

    refused(&nginx, &main, &http("t 128k 2", ""), VERSION);
    assert_eq!(count(&nginx), "4");

    reload("t 128k 2 migrate");
    assert_eq!(count(&nginx), "5");

    reload("t 64k 2");
    assert_eq!(count(&nginx), "1");

    nginx.quit(&[VERSION]);
}

/// A reload that fails after the zone was kept or migrated changes no byte of it.
#[test]
fn a_failed_reload_changes_nothing() {
    const BIND: &str = "bind() to 192.0.2.1:1 failed";
    const LATE: &str = "server { listen 192.0.2.1:1; }";

    let (nginx, main) = typed("typed_failed", 1, "t 64k 1");

    nginx.spawn(&[]);
    nginx.wait_for_workers(1);
    count(&nginx);

    let before = bytes(&nginx);

    for zone in ["t 64k 1", "t 128k 1 migrate", "t 64k 2 migrate"] {
        refused(&nginx, &main, &http(zone, LATE), BIND);
        assert!(bytes(&nginx) == before, "{zone}");
    }

    assert_eq!(count(&nginx), "2");

    // The master has kept nothing of the zones that it has made.
    nginx.configure(&main, &http("t 64k 1", ""));
    nginx.reload();
    assert_eq!(count(&nginx), "3");
    nginx.quit(&[BIND]);
}

/// A zone has one type, and one size.
#[test]
fn a_second_declaration() {
    const CONFLICT: &str = "conflicts with already declared size 65536";

    let (nginx, main) = typed("typed_twice", 1, "t 64k 1");

    nginx.spawn(&[]);
    nginx.wait_for_workers(1);

    for more in [
        "typed_zone t 64k 2;",
        "limit_req_zone all zone=t:64k rate=1r/s;",
    ] {
        refused(
            &nginx,
            &main,
            &http("t 64k 1", more),
            "is already declared for a different use",
        );
    }

    refused(
        &nginx,
        &main,
        &http("t 64k 1", "typed_zone t 128k 1;"),
        CONFLICT,
    );

    nginx.configure(&main, &http("t 64k 1", "typed_zone t 64k 1;"));
    nginx.reload();
    assert_eq!(count(&nginx), "1");
    nginx.quit(&["already declared", CONFLICT]);
}

/// A worker is killed in the middle of a transaction. The next one undoes it, and
/// `on_owner_died` is called once.
#[test]
fn a_worker_dies_in_a_transaction() {
    let (nginx, _) = typed("typed_dies", 2, "t 64k 1");

    nginx.spawn(&[]);
    nginx.wait_for_workers(2);
    count(&nginx);

    for deaths in 1..=2 {
        let dead = nginx.workers();

        // The answer is missing.
        let _ = nginx.try_get("/?do=die&key=2");

        nginx.wait_for_lines(deaths, "exited on signal 9");
        wait_until("another worker", || {
            nginx.workers().len() == 2 && nginx.workers() != dead
        });
        assert_eq!(
            answer(&nginx, "do=sums"),
            format!("sum:1 total:1 deaths:{deaths} ")
        );
    }

    assert_eq!(answer(&nginx, "do=verify"), "right");
    assert_eq!(
        nginx.lines("undid the transaction in which process").len(),
        2
    );
    nginx.quit(&KILLED);
}

/// Workers are killed in their transactions and at random moments. The sums agree, and the pool
/// is right.
#[test]
fn workers_are_killed_under_load() {
    const WORKERS: usize = 3;

    let (nginx, _) = typed("typed_load", WORKERS, "t 128k 1");
    let (ends, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let address = nginx.address();

    nginx.spawn(&[]);
    nginx.wait_for_workers(WORKERS);

    thread::scope(|scope| {
        for client in 0..4 {
            let (ends, answered) = (&ends, &answered);

            scope.spawn(move || {
                let mut n = client;

                while !ends.load(Relaxed) {
                    n = (n * 31 + 17) % 1009;

                    // A request fails if its worker is killed.
                    if get_at(address, &format!("/?do=count&key={}", n % 10))
                        .is_ok_and(|answer| code(&answer) == "200")
                    {
                        answered.fetch_add(1, Relaxed);
                    }
                }
            });
        }

        for n in 1..=times(20, 6) {
            let before = nginx.lines("exited on signal 9").len();

            match nginx.workers().first() {
                Some(&worker) if n % 2 == 0 => drop(sys::kill(worker, libc::SIGKILL)),
                _ => drop(nginx.try_get(&format!("/?do=die&key={}", n % 10))),
            }

            nginx.wait_for_lines(before + 1, "exited on signal 9");
        }

        ends.store(true, Relaxed);
    });

    nginx.wait_for_workers(WORKERS);

    let sums = answer(&nginx, "do=sums");
    let sum = number(&sums, "sum:");

    eprintln!("{} answers, {sums}", answered.load(Relaxed));
    assert_eq!(number(&sums, "total:"), sum);
    assert!(sum >= answered.load(Relaxed));
    assert!(number(&sums, "deaths:") >= times(20, 6) / 2);
    assert_eq!(answer(&nginx, "do=verify"), "right");
    assert!(nginx.workers().iter().all(|&worker| proc::alive(worker)));
    nginx.quit(&KILLED);
}
