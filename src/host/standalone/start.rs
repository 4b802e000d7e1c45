//! Starts the workers and helpers that a configuration asks for. A process that
//! could not be started is retried until it runs, since nginx would run without
//! it (`D2`).

use std::ffi::c_void;
use std::ptr;

use super::cycle::Cycle;
use super::helper::helper_process_cycle;
use super::worker::ngx_worker_process_cycle;
use crate::host::call::call;
use crate::host::globals::GLOBALS;
use crate::log::{Level, Log};
use crate::process::mode::Mode;
use crate::process::wanted::{self, Wanted};
use crate::process_cycle::start_workers::{Batch, spawn_processes};
use crate::sys::text::Text;
use crate::table::role::{Role, WorkerNumber};
use crate::table::slots::{Flag, Work};

/// Starts the processes of a master's configuration.
///
/// A process that could not be started waits in the list of `process::wanted`.
/// When a process of the list is due, a round of the event loop ends, and the
/// master calls `start_missing`.
pub struct Starter {
    cycle: Cycle,
    log: Log,
    /// Whether the old processes still run because the last reload has not
    /// started any new process yet. The master sends them the signal to shut
    /// down after the first new process has been started.
    retiring: bool,
    /// Whether a process of the configuration has been started.
    is_running: bool,
}

impl Starter {
    /// Makes a starter that has not started any process.
    pub fn new(cycle: Cycle, log: Log) -> Self {
        Self {
            cycle,
            log,
            retiring: false,
            is_running: false,
        }
    }

    /// Whether a process of the configuration has been started.
    pub fn is_running(&self) -> bool {
        self.is_running
    }

    /// Starts all processes of the configuration, at the start of the program
    /// or after the master has stopped the processes.
    pub fn start(&mut self) {
        self.retiring = false;
        self.is_running = self.start_all(Mode::Respawn);
    }

    /// Starts the processes of a new configuration. Returns whether at least
    /// one new process runs, so that the master must shut down the old
    /// processes now.
    pub fn reload(&mut self, cycle: Cycle, log: Log) -> bool {
        self.cycle = cycle;
        self.log = log;

        for (_, entry) in GLOBALS.table.iter() {
            // A process that the last reload has started is an old process from
            // now on.
            entry.set(Flag::JustSpawn, false);
        }

        self.is_running = self.start_all(Mode::JustRespawn);
        self.retiring = !self.is_running;

        if self.retiring {
            log.error(
                Level::Alert,
                None,
                format_args!("no new process could be started, the old ones go on"),
            );
        }

        !self.retiring
    }

    /// Drops the list of processes that could not be started, because the
    /// master shuts all processes down.
    pub fn give_up(&mut self) {
        wanted::clear();
        self.retiring = false;
    }

    /// Retries to start the processes that could not be started, if they are
    /// due. Returns whether the master must shut down the old processes now,
    /// because the first new process runs.
    pub fn start_missing(&mut self) -> bool {
        if wanted::due_in(&GLOBALS) != Some(0) {
            return false;
        }

        let mode = if self.retiring {
            // In this mode the signal to the old processes is not sent to the
            // new ones.
            Mode::JustRespawn
        } else {
            Mode::Respawn
        };
        let missing = wanted::count();
        let mut failed = 0;

        // Processes that could not be started move to the front of the list.
        self.start_each(missing, &wanted::get, mode, &mut |index| {
            wanted::move_to(index, failed);
            failed += 1;
        });
        wanted::keep_first(failed);

        self.is_running |= failed < missing;

        failed < missing && std::mem::replace(&mut self.retiring, false)
    }

    /// Starts all processes that the configuration asks for. Returns whether at
    /// least one process was started.
    fn start_all(&self, mode: Mode) -> bool {
        self.log
            .error(Level::Notice, None, format_args!("start worker processes"));

        wanted::clear();

        let conf = self.cycle.conf();
        let workers = conf.worker_processes();
        let all = workers.saturating_add(conf.count_helpers());
        let get = |index: usize| {
            Some(match index.checked_sub(workers) {
                None => worker(index),
                Some(number) => self.helper(number),
            })
        };
        let mut failed = 0;

        self.start_each(all, &get, mode, &mut |index| {
            get(index).iter().for_each(wanted::add);
            failed += 1;
        });

        failed < all
    }

    /// Starts `n` processes, which `get` describes. Calls `failed` with the index
    /// of each process that could not be started, in the order of the indices.
    fn start_each(
        &self,
        n: usize,
        get: &dyn Fn(usize) -> Option<Wanted>,
        mode: Mode,
        failed: &mut dyn FnMut(usize),
    ) {
        // SAFETY: `work` has the function of a worker or of a helper, with the
        // data that this file has made for the function, and the cycle is the
        // cycle whose configuration has that data.
        let start = |work| unsafe { call(self.cycle.as_ptr(), work) };
        let batch = Batch { n, get, failed };

        spawn_processes(&GLOBALS, self.log, batch, mode, &start);
    }

    fn helper(&self, number: usize) -> Wanted {
        let context = self.cycle.conf().helper(number);

        Wanted {
            work: Work {
                proc: helper_process_cycle as *mut c_void,
                data: context.map_or(ptr::null_mut(), |context| context.as_ptr().cast()),
                name: context.map_or(Text::new(c""), |context| context.name()),
            },
            role: Role::Helper,
            worker: None,
        }
    }
}

fn worker(number: usize) -> Wanted {
    Wanted {
        work: Work {
            proc: ngx_worker_process_cycle as *mut c_void,
            data: ptr::without_provenance_mut(number),
            name: Text::new(c"worker process"),
        },
        role: Role::Worker,
        worker: Some(WorkerNumber::new(number)),
    }
}
