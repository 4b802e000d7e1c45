//! Tests of `-s reload` under load.

use std::collections::BTreeSet;

use crate::held::{Held, PROXY, Upstream};
use crate::lines::Lines;
use crate::load::{Clients, Wrk};
use crate::nginx::{BOTH, Nginx, Which, body, same, times};
use crate::support::wait_until;

const WORKERS: usize = 4;

/// The log has no debug lines, because the many requests would write millions
/// of them.
const MAIN: &str = "
    worker_processes 4;
    error_log log info;
    events { worker_connections 1024; }";

/// The cache has a manager and a loader, which a reload replaces too.
const HTTP: &str = "
    proxy_cache_path cache keys_zone=c:1m;
    server { listen 127.0.0.1:PORT backlog=4096; location / { return 200 $pid; } }";

/// The number of all processes: the master, the workers, the cache manager and
/// the cache loader.
const EVERYBODY: usize = 1 + WORKERS + 2;

/// The number of connections that wrk keeps open.
const CONNECTIONS: usize = 300;

/// Reloads `n` times. The old generation answers while the next one is started,
/// and no request is lost.
fn reloads(which: Which, n: usize) {
    let nginx = Nginx::new("reload", which, MAIN, HTTP);

    nginx.spawn(&[]);
    nginx.wait_for_workers(WORKERS);

    // A new process has the title of the master until it has set its own.
    for helper in ["cache manager process", "cache loader process"] {
        wait_until(helper, || nginx.titled(helper).len() == 1);
    }

    let before = nginx.settled_descriptors();
    let wrk = Wrk::start(&nginx, CONNECTIONS);
    let clients = Clients::start(&nginx, 4);
    let mut all = BTreeSet::new();

    for _ in 0..n {
        let old = nginx.workers();

        clients.wait_for_next();
        nginx.command_signal("reload");

        let new = nginx.wait_for_others(WORKERS, &old);

        clients.wait_for_answers_of(&new);
        assert!(all.is_disjoint(&new), "{new:?} are new");
        all.extend(new);
    }

    clients.end();
    wrk.end().check(CONNECTIONS, n);

    wait_until("the end of the old", || {
        nginx.processes().len() == EVERYBODY
    });
    nginx.wait_for_descriptors(&before);
    nginx.quit(&[]);
    assert_eq!(Lines::read(&nginx).severe(), BTreeSet::new());
}

#[test]
fn under_load() {
    for which in BOTH {
        reloads(which, times(50, 5));
    }
}

/// Workers of several generations have requests, and finish them, the youngest
/// generation first. At the end only the last generation is left.
#[test]
fn with_open_requests() {
    let severe = same(|which| {
        let upstream = Upstream::new();
        let http = upstream.in_place(PROXY);
        let nginx = Nginx::new("reload_open", which, "worker_processes 2;", &http);
        let mut open = Vec::new();

        nginx.spawn(&[]);
        nginx.wait_for_workers(2);

        let before = nginx.settled_descriptors();

        for generation in 1..=3 {
            open.push((nginx.workers(), upstream.hold_each(&nginx)));

            let new = nginx.reload();

            for &worker in &new {
                assert_eq!(body(&nginx.get_from(worker, "/")), worker.to_string());
            }

            wait_until("old workers", || {
                nginx.shutting_down().len() == 2 * generation
            });
        }

        for (workers, held) in open.into_iter().rev() {
            held.into_iter().for_each(Held::end);
            nginx.wait_for_end_of(&workers);
        }

        nginx.wait_for_descriptors(&before);
        nginx.quit(&[]);
        Lines::read(&nginx).severe()
    });

    assert_eq!(severe, BTreeSet::new());
}
