//! Tests of workers that die while they use a zone. The tests load a module,
//! `tests/nginx/ngx_http_zones_module.c`.

use std::cmp::Ordering;
use std::io::{ErrorKind, Read};
use std::time::Duration;

use crate::defects::compiled;
use crate::held::Upstream;
use crate::nginx::{BOTH, Nginx, Which, ask, body, both, code, times};
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
            Which::Stock | Which::Loaded => {
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
