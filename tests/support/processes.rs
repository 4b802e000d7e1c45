//! The processes of a server, found by the path of the program and by their titles.

use std::collections::BTreeSet;

use super::server::Server;
use super::state::title_of;
use super::{find, proc, wait_until};

impl Server {
    /// The pids of all processes that run the program.
    pub fn processes(&self) -> BTreeSet<i32> {
        let pids = proc::running(&self.exe);

        self.seen.borrow_mut().extend(&pids);

        pids
    }

    /// The pids of all processes with this title, whichever master has started
    /// them.
    pub fn titled(&self, title: &str) -> BTreeSet<i32> {
        let title = format!("{}: {title}", self.name);
        let mut pids = self.processes();

        pids.retain(|&pid| proc::title(pid) == title);

        pids
    }

    /// The workers that accept connections: their title does not say that they
    /// shut down.
    pub fn workers(&self) -> BTreeSet<i32> {
        self.titled("worker process")
    }

    /// The helpers of the server `c-tests/fixtures/runtime_server.c`.
    pub fn helpers(&self) -> BTreeSet<i32> {
        let mut pids = self.processes();

        pids.retain(|&pid| title_of(pid).starts_with(&format!("{}: helper ", self.name)));

        pids
    }

    /// The workers that this master has started.
    pub fn workers_of(&self, master: i32) -> BTreeSet<i32> {
        let mut workers = self.workers();

        workers.retain(|&pid| proc::parent(pid) == Some(master));

        workers
    }

    /// The workers that are shutting down.
    pub fn shutting_down(&self) -> BTreeSet<i32> {
        self.titled("worker process is shutting down")
    }

    /// Waits until there are exactly `n` workers, and returns them.
    pub fn wait_for_workers(&self, n: usize) -> BTreeSet<i32> {
        find(&format!("{n} workers"), || {
            let workers = self.workers();

            (workers.len() == n).then_some(workers)
        })
    }

    /// Waits until there are `n` workers, none of which is in `old`.
    pub fn wait_for_others(&self, n: usize, old: &BTreeSet<i32>) -> BTreeSet<i32> {
        find(&format!("{n} new workers"), || {
            let workers = self.workers();

            (workers.len() == n && workers.is_disjoint(old)).then_some(workers)
        })
    }

    /// Waits until all processes `pids` have exited.
    pub fn wait_for_end_of(&self, pids: &BTreeSet<i32>) {
        wait_until(&format!("the end of {pids:?}"), || {
            !pids.iter().any(|&pid| proc::alive(pid))
        });
    }

    /// Reloads, and waits until all workers are new; returns them.
    pub fn reload(&self) -> BTreeSet<i32> {
        let old = self.workers();

        self.signal(libc::SIGHUP);
        self.wait_for_others(old.len(), &old)
    }
}
