//! Tests of SIGUSR2: another binary replaces the old one, or is stopped again.
//! No request is lost.

use std::collections::BTreeSet;

use crate::held::{Held, PROXY, Upstream};
use crate::lines::Lines;
use crate::load::Clients;
use crate::nginx::{Nginx, Which, same, times};
use crate::support::state::Descriptors;
use crate::support::upgrade::{change_binary, restart_workers, retire, wait_for_old};
use crate::support::{find, sys, wait_until};

const WORKERS: usize = 2;

/// Only the master of a daemon handles SIGWINCH. The log has no debug lines,
/// because the many requests would write too many of them.
const MAIN: &str = "daemon on; worker_processes 2; error_log log info;";

/// An nginx with long requests, which the test answers itself, and with clients
/// that send short requests all the time.
struct Busy {
    nginx: Nginx,
    upstream: Upstream,
    clients: Clients,
    before: Vec<Descriptors>,
}

impl Busy {
    fn start(test: &str, which: Which) -> Self {
        let upstream = Upstream::new();
        let nginx = Nginx::new(test, which, MAIN, &upstream.in_place(PROXY));

        nginx.spawn(&["-d"]);
        nginx.wait_for_workers(WORKERS);

        Self {
            before: nginx.settled_descriptors(),
            clients: Clients::start(&nginx, 2),
            nginx,
            upstream,
        }
    }

    /// Starts another binary, after which the workers of both accept
    /// connections. Returns the old master, the new master, and a half-answered
    /// request of each worker.
    fn change(&self) -> (i32, i32, Vec<Held>) {
        let (old, new) = change_binary(&self.nginx, WORKERS);

        self.clients.wait_for_answers_of(&self.nginx.workers());
        (old, new, self.upstream.hold_each(&self.nginx))
    }

    /// Sends SIGWINCH to the old master, and waits until its workers shut down.
    fn close(&self, old: i32) {
        sys::kill(old, libc::SIGWINCH);
        wait_until("the old workers shut down", || {
            self.nginx.workers_of(old).is_empty() && self.nginx.shutting_down().len() == WORKERS
        });
        self.clients.wait_for_next();
    }

    /// Checks that the remaining master reloads as the first one did, and
    /// quits.
    fn end(self) -> BTreeSet<String> {
        let nginx = &self.nginx;
        let master = nginx.master();

        nginx.wait_for_workers(WORKERS);
        self.clients.wait_for_answers_of(&nginx.workers());
        self.clients.wait_for_answers_of(&nginx.reload());
        self.clients.end();

        wait_until("the end of old workers", || {
            nginx.shutting_down().is_empty()
        });
        nginx.wait_for_descriptors(&self.before);
        nginx.quit(&[]);
        // A process that exits has no program any more a moment before it can be
        // reaped.
        assert_eq!(find("the master's exit code", || sys::reap(master)), 0);

        Lines::read(nginx).severe()
    }
}

#[test]
fn takes_over() {
    let severe = same(|which| {
        let busy = Busy::start("upgrade", which);

        for _ in 0..times(5, 1) {
            let (old, _, held) = busy.change();

            busy.close(old);
            held.into_iter().for_each(Held::end);
            retire(&busy.nginx, old);
            assert_eq!(sys::reap(old), Some(0));
        }

        busy.end()
    });

    assert_eq!(severe, BTreeSet::new());
}

#[test]
fn taken_back() {
    let severe = same(|which| {
        let busy = Busy::start("taken_back", which);

        for _ in 0..times(5, 2) {
            let (old, new, held) = busy.change();

            busy.close(old);
            restart_workers(&busy.nginx, old, WORKERS);
            busy.clients
                .wait_for_answers_of(&busy.nginx.workers_of(old));
            sys::kill(new, libc::SIGQUIT);
            wait_until("workers of both that shut down", || {
                busy.nginx.shutting_down().len() == 2 * WORKERS
            });
            held.into_iter().for_each(Held::end);
            wait_for_old(&busy.nginx, old, new);
            busy.clients.wait_for_next();
        }

        busy.end()
    });

    assert_eq!(severe, BTreeSet::new());
}
