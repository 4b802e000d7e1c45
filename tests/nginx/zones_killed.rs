//! Tests of workers that die while they use a zone. The tests load a module,
//! `tests/nginx/ngx_http_zones_module.c`.

use std::cmp::Ordering;
use std::io::{ErrorKind, Read};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::thread;
use std::time::{Duration, Instant};

use crate::defects::compiled;
use crate::held::Upstream;
use crate::nginx::{BOTH, Nginx, Which, ask, body, both, code, get_at, times};
use crate::support::{find, proc, sys, wait_until};

/// The number after `name` in `text`.
fn number(text: &str, name: &str) -> usize {
    let (_, rest) = text.split_once(name).expect(name);

    rest.split(' ').next().unwrap().parse().expect(name)
}

/// An nginx that has loaded the module, and is not started yet. The log has no debug lines.
fn nginx(test: &str, which: Which, workers: usize, http: &str) -> Nginx {
    let nginx = Nginx::new(test, which, "", "");

    configure(&nginx, workers, http);
    nginx
}

fn configure(nginx: &Nginx, workers: usize, http: &str) {
    let main = format!(
        "load_module {};\nuser root;\nworker_processes {workers};\nerror_log log info;",
        compiled("ngx_http_zones_module", nginx.which).display()
    );

    nginx.configure(&main, http);
}

const ZONE: &str = "
    limit_req_zone $binary_remote_addr zone=r:SIZE rate=1000r/s;
    server {
        listen 127.0.0.1:PORT;
        location / { return 200 $pid; }
        location /held { proxy_pass http://127.0.0.1:UPSTREAM; }
        location /zones { zones; }
    }";

/// A process is killed after each instruction of an operation on a zone of nginx (D22), or
/// after each seventh one in the short form. The
/// next process finds a pool that is right. A stock nginx leaves it wrong at many
/// instructions.
#[test]
fn d22_after_each_instruction() {
    let [stock, ipc] = both(|which| {
        let http = ZONE.replace("SIZE", "128k").replace("UPSTREAM", "1");
        let nginx = nginx("zones_steps", which, 1, &http);
        let mut wrong = 0;

        nginx.spawn(&[]);
        nginx.wait_for_workers(1);

        for op in 0..3 {
            let by = times(1, 7);
            let answer = nginx.get(&format!("/zones?do=steps&op={op}&by={by}"));
            let answer = body(&answer);

            if answer == "no steps on this processor" {
                eprintln!("skipped: the module steps through instructions of x86-64 only");
                return None;
            }

            eprintln!("{which:?}, operation {op}: {answer}");
            assert!(number(answer, "instructions:") > 30, "{answer}");
            wrong += number(answer, "wrong:");
        }

        if which == Which::Ipc {
            nginx.quit(&[]);
        }

        Some(wrong)
    });

    if let (Some(stock), Some(ipc)) = (stock, ipc) {
        assert_eq!(ipc, 0);
        assert!(stock >= times(50, 7), "{stock}");
    }
}

/// A reload has replaced a zone by one of another size. Two old workers still run. One
/// of them is killed while it has the lock of the old zone. The master does not know
/// this zone any more (D23). On the library, the other old worker gets the lock.
#[test]
fn d23_a_zone_of_an_old_cycle() {
    for which in BOTH {
        let upstream = Upstream::new();
        let http = upstream.in_place(ZONE);
        let nginx = nginx("zones_old", which, 2, &http.replace("SIZE", "64k"));

        nginx.spawn(&[]);

        let old = Vec::from_iter(nginx.wait_for_workers(2));
        let held = [0, 1].map(|n| upstream.hold(&nginx, old[n]));

        configure(&nginx, 2, &http.replace("SIZE", "128k"));
        nginx.reload();
        wait_until("old workers", || nginx.shutting_down().len() == 2);

        let [first, second] = held;
        let _connection = first.redirect("/zones?do=lock");

        wait_until("a worker that has the lock", || {
            proc::state(old[0]) == Some('T')
        });

        let mut client = second.redirect("/zones?do=use");
        let mut answer = String::new();

        sys::kill(old[0], libc::SIGKILL);
        nginx.wait_for_line(&format!(" {} exited on signal 9", old[0]));

        match which {
            Which::Stock => {
                client
                    .set_read_timeout(Some(Duration::from_secs(1)))
                    .unwrap();

                let hangs = client.read_to_string(&mut answer).unwrap_err();

                assert_eq!(hangs.kind(), ErrorKind::WouldBlock);
                sys::kill(old[1], libc::SIGKILL);
            }
            Which::Ipc => {
                client.read_to_string(&mut answer).unwrap();
                assert_eq!(body(&answer), "used");
                nginx.wait_for_line(&format!("process {} has exited and held the lock", old[0]));
                nginx.quit(&["exited on signal 9", "has exited and held the lock"]);
            }
        }
    }
}

/// The number of descriptors that the event loop of a worker watches.
fn watched(worker: i32) -> usize {
    let descriptors = proc::descriptors(worker);
    let is_epoll = |what: &String| what.contains("eventpoll");
    let (epoll, _) = descriptors
        .iter()
        .find(|(_, what)| is_epoll(what))
        .expect("an event loop");

    std::fs::read_to_string(format!("/proc/{worker}/fdinfo/{epoll}"))
        .expect("an event loop")
        .lines()
        .filter(|line| line.starts_with("tfd:"))
        .count()
}

/// The worker that has the accept mutex is killed while the master is stopped, so that the
/// master does not release the mutex. On the library, another worker takes it over, and
/// accepts. In a stock nginx no worker accepts until the master continues.
#[test]
fn the_accept_mutex_of_a_dead_worker() {
    const EVENTS: &str = "worker_processes 2;
        events { worker_connections 64; accept_mutex on; accept_mutex_delay 20ms; }";
    const HTTP: &str = "server { listen 127.0.0.1:PORT; location / { return 200 $pid; } }";

    for which in BOTH {
        let nginx = Nginx::new("accept_mutex", which, EVENTS, HTTP);

        nginx.spawn(&[]);

        let workers = Vec::from_iter(nginx.wait_for_workers(2));

        nginx.settled_descriptors();

        // Only the worker that has the mutex watches the listening socket.
        let (owner, other) = find("a worker with the mutex", || {
            let [first, second] = [watched(workers[0]), watched(workers[1])];

            match first.cmp(&second) {
                Ordering::Equal => None,
                Ordering::Less => Some((workers[1], workers[0])),
                Ordering::Greater => Some((workers[0], workers[1])),
            }
        });

        sys::kill(nginx.master(), libc::SIGSTOP);
        sys::kill(owner, libc::SIGKILL);
        wait_until("a zombie", || proc::state(owner) == Some('Z'));

        let mut client = nginx.connect();
        let mut answer = String::new();

        ask(&mut client, "/").unwrap();

        if which == Which::Stock {
            client
                .set_read_timeout(Some(Duration::from_secs(1)))
                .unwrap();

            let hangs = client.read_to_string(&mut answer).unwrap_err();

            assert_eq!(hangs.kind(), ErrorKind::WouldBlock);
        } else {
            client.read_to_string(&mut answer).unwrap();
            assert_eq!(body(&answer), other.to_string());
        }

        sys::kill(nginx.master(), libc::SIGCONT);
        nginx.wait_for_line(&format!(" {owner} exited on signal 9"));
        nginx.wait_for_workers(2);
        assert_eq!(code(&nginx.get("/")), "200");
        nginx.quit(&["exited on signal 9", "has exited and held the lock"]);
    }
}

/// A server with each of nginx's own users of zones.
const USERS: &str = "
    limit_req_zone $arg_n zone=r:64k rate=10000r/s;
    limit_conn_zone $arg_n zone=n:1m;
    proxy_cache_path DIRECTORY/cache keys_zone=c:1m max_size=100k;
    upstream u { zone u 64k; server 127.0.0.1:PORT max_fails=0; }
    server {
        listen 127.0.0.1:PORT backlog=4096;
        location / {
            limit_req zone=r burst=10000 nodelay;
            limit_conn n 1000;
            proxy_cache c;
            proxy_cache_valid 200 1s;
            proxy_pass http://u/origin/;
        }
        location /origin/ { return 200 $pid; }
        location /status { stub_status; }
        location /zones { zones; }
    }";

/// The seconds for which workers are killed.
fn seconds() -> u64 {
    std::env::var("T_KILLS").map_or(5, |text| text.parse().expect("T_KILLS"))
}

/// Workers are killed at random moments under load. The zones stay right, no process
/// hangs, and all requests are answered afterwards.
#[test]
fn killed_under_load() {
    const WORKERS: usize = 4;
    const CLIENTS: usize = 8;
    /// A worker that lives shorter than a second is respawned after a delay.
    const BETWEEN: Duration = Duration::from_millis(300);
    /// The lines that a killed worker causes. nginx writes the last one if a worker was
    /// killed that used an entry of the cache.
    const ALLOWED: [&str; 5] = [
        "exited on signal 9",
        "was locked by",
        "has exited and held the lock",
        "prematurely closed connection",
        "ignore long locked inactive cache entry",
    ];

    let nginx = nginx("zones_load", Which::Ipc, WORKERS, USERS);
    let (ends, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let address = nginx.address();
    let mut kills = 0;

    nginx.spawn(&[]);
    nginx.wait_for_workers(WORKERS);

    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (ends, answered) = (&ends, &answered);

            scope.spawn(move || {
                let mut n = client;

                while !ends.load(Relaxed) {
                    n = (n * 31 + 17) % 1009;

                    // A request fails if its worker is killed.
                    if get_at(address, &format!("/?n={n}"))
                        .is_ok_and(|answer| code(&answer) == "200")
                    {
                        answered.fetch_add(1, Relaxed);
                    }
                }
            });
        }

        let until = Instant::now() + Duration::from_secs(seconds());

        while Instant::now() < until {
            thread::sleep(BETWEEN);

            let workers = Vec::from_iter(nginx.workers());

            // No worker runs while all of them wait for their respawn.
            if !workers.is_empty() {
                sys::kill(workers[kills % workers.len()], libc::SIGKILL);
                kills += 1;
            }
        }

        ends.store(true, Relaxed);
    });

    let workers = nginx.wait_for_workers(WORKERS);

    eprintln!("{kills} kills, {} answers", answered.into_inner());
    assert!(kills > 3);

    for worker in workers {
        assert_eq!(code(&nginx.get_from(worker, "/?n=new")), "200");
        assert_eq!(code(&nginx.get_from(worker, "/status")), "200");
        assert_eq!(body(&nginx.get_from(worker, "/zones?do=check")), "right");
    }

    nginx.quit(&ALLOWED);
}
