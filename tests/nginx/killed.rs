//! Tests of processes that are killed with SIGKILL: another process replaces
//! the killed one, and all other processes know the new one.

use std::collections::BTreeSet;

use crate::held::{Held, PROXY, Upstream};
use crate::lines::Lines;
use crate::nginx::{Nginx, body, code, header, same};
use crate::support::{find, proc, sys, wait_until};

/// A configuration with a cache, because a worker that replaces another one
/// must find the cache's shared memory.
const HTTP: &str = "
    proxy_cache_path cache keys_zone=c:1m;
    server {
        listen 127.0.0.1:PORT;
        location / {
            proxy_pass http://127.0.0.1:PORT/origin/;
            proxy_cache c;
            proxy_cache_valid 1h;
            add_header X-Cache $upstream_cache_status;
        }
        location /origin/ { return 200 hello; }
    }";

const MANAGER: &str = "cache manager process";
const LOADER: &str = "cache loader process";

/// The slot in which the master has spawned a process. The master logs it when
/// it announces the process: "pass channel s:SLOT pid:PID fd:FD to s:SLOT
/// pid:PID fd:FD".
fn slot(nginx: &Nginx, pid: i32) -> usize {
    let pid = format!("pid:{pid}");
    let lines = nginx.lines("pass channel ").join(" ");
    let words: Vec<_> = lines.split(' ').collect();
    let at = words.iter().rposition(|&word| word == pid).expect("a slot");

    words[at - 1]
        .strip_prefix("s:")
        .and_then(|slot| slot.parse().ok())
        .expect("a slot")
}

/// Kills a process; returns the process that replaces it.
fn kill(nginx: &Nginx, victim: i32) -> i32 {
    let title = proc::title(victim);
    let title = title.strip_prefix("nginx: ").expect("a title");
    let mut others = nginx.titled(title);
    let as_many = others.len();

    others.remove(&victim);
    sys::kill(victim, libc::SIGKILL);

    find("another one", || {
        let now = nginx.titled(title);

        (now.len() == as_many && !now.contains(&victim))
            .then(|| now.difference(&others).next().copied())
            .flatten()
    })
}

/// Checks that each worker answers from the cache.
fn answers(nginx: &Nginx) {
    for worker in nginx.workers() {
        let answer = nginx.get_from(worker, "/");

        assert_eq!((code(&answer), body(&answer)), ("200", "hello"));
        assert_eq!(header(&answer, "X-Cache"), "HIT");
    }
}

#[test]
fn each_in_turn() {
    const WORKERS: usize = 3;

    let (slots, severe) = same(|which| {
        let main = format!("worker_processes {WORKERS};");
        let nginx = Nginx::new("killed", which, &main, HTTP);

        nginx.spawn(&[]);

        let workers = nginx.wait_for_workers(WORKERS);
        let helpers = find("a cache manager and loader", || {
            let helpers = [MANAGER, LOADER].map(|title| nginx.titled(title));

            helpers
                .iter()
                .all(|pids| pids.len() == 1)
                .then_some(helpers)
        });

        assert_eq!(header(&nginx.get("/"), "X-Cache"), "MISS");
        wait_until("it in the cache", || {
            header(&nginx.get("/"), "X-Cache") == "HIT"
        });

        let before = nginx.settled_descriptors();
        let mut slots = Vec::new();

        for victim in workers.into_iter().chain(helpers[0].iter().copied()) {
            let next = kill(&nginx, victim);

            // When the descriptors are those of the beginning, all processes
            // know the new one.
            nginx.wait_for_descriptors(&before);
            slots.push([victim, next].map(|pid| slot(&nginx, pid)));
            answers(&nginx);
        }

        // The new processes reload and quit as the killed ones would have done.
        nginx.reload();
        nginx.quit(&["exited on signal 9"]);

        (slots, Lines::read(&nginx).severe())
    });

    assert_eq!(slots, [[0, 0], [1, 1], [2, 2], [3, 3]]);
    assert_eq!(
        severe,
        BTreeSet::from([
            "[alert] worker process N exited on signal N".to_string(),
            format!("[alert] {MANAGER} N exited on signal N"),
        ])
    );
}

/// The killed worker's requests are lost, and no other requests.
#[test]
fn others_go_on() {
    same(|which| {
        let upstream = Upstream::new();
        let http = upstream.in_place(PROXY);
        let nginx = Nginx::new("killed_open", which, "worker_processes 3;", &http);

        nginx.spawn(&[]);

        let workers = nginx.wait_for_workers(3);
        let before = nginx.settled_descriptors();
        let mut others = upstream.hold_each(&nginx);

        // The requests are in the order of the workers' pids, so the first one
        // belongs to the worker with the lowest pid.
        let victim = *workers.first().expect("a worker");
        let victims = others.remove(0);
        let next = kill(&nginx, victim);

        victims.was_cut_off();
        assert_eq!(body(&nginx.get_from(next, "/")), next.to_string());

        others.into_iter().for_each(Held::end);
        nginx.wait_for_descriptors(&before);
        nginx.quit(&["exited on signal 9"]);
    });
}
