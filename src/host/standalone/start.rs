//! Starting the workers and helpers that a configuration asks for, until each
//! of them runs (`D2`).

use crate::table::role;
use std::ffi::c_void;
use std::ptr;

use super::cycle::Cycle;
use super::event::Event;
use super::helper::helper_process_cycle;
use super::times;
use super::worker::worker_process_cycle;
use crate::config::{ngx_int_t, ngx_msec_t, ngx_uint_t};
use crate::host::call::call;
use crate::host::generation;
use crate::host::globals::GLOBALS;
use crate::log::{Level, Log};
use crate::process::mode::Respawn;
use crate::process_cycle::start_workers::spawn_processes;
use crate::sys::text::Text;
use crate::table::info;
use crate::table::restart::{self, Restart};
use crate::table::slots::{Flag, Work};

/// A process that the configuration asks for.
#[derive(Clone, Copy)]
enum Wanted {
    Worker(usize),
    Helper(usize),
}

impl Wanted {
    /// Its role, and its number among the workers.
    fn role(self) -> (ngx_uint_t, ngx_int_t) {
        match self {
            Self::Worker(n) => (role::NGX_PROCESS_WORKER, n.cast_signed()),
            Self::Helper(_) => (role::NGX_PROCESS_HELPER, -1),
        }
    }
}

/// What is to be started, and in which way.
pub struct Starter {
    cycle: Cycle,
    log: Log,
    /// Those that could not be started, and when to try again.
    missing: Vec<Wanted>,
    retry: Restart,
    timer: Event,
    /// No process of the new generation has been started yet, so the old one
    /// has not been told to go.
    retiring: bool,
}

impl Starter {
    /// Nothing is missing. `timer` has the master wake up, and lives as long.
    pub fn new(cycle: Cycle, log: Log, timer: Event) -> Self {
        Self {
            cycle,
            log,
            missing: Vec::new(),
            retry: Restart::unused(),
            timer,
            retiring: false,
        }
    }

    /// Starts all processes for the first time, or anew after they were told
    /// to go.
    pub fn start(&mut self) {
        self.retiring = false;
        self.start_all(Respawn::Always);
    }

    /// Starts the processes of another configuration. Returns whether the old
    /// ones are to be told to go: not before there is a new one.
    pub fn reload(&mut self, cycle: Cycle, log: Log) -> bool {
        self.cycle = cycle;
        self.log = log;

        for (_, slot) in GLOBALS.table.iter() {
            // Whoever is there now is an old one.
            slot.set(Flag::JustSpawn, false);
        }

        self.retiring = !self.start_all(Respawn::JustRespawn);

        if self.retiring {
            log.error(
                Level::Alert,
                None,
                format_args!("no new process could be started, the old ones go on"),
            );
        }

        !self.retiring
    }

    /// Nothing is wanted any more.
    pub fn give_up(&mut self) {
        self.missing.clear();
        self.retiring = false;
    }

    /// Starts what is missing, if it is time. Returns whether the old
    /// processes are to be told to go now.
    pub fn start_missing(&mut self) -> bool {
        if self.missing.is_empty() {
            return false;
        }

        let due_in = self.retry.due_in(restart::now());

        if due_in != 0 {
            self.wake_up_in(due_in);
            return false;
        }

        let mode = if self.retiring {
            // The signal to the old processes leaves the new ones out.
            Respawn::JustRespawn
        } else {
            Respawn::Always
        };
        let wanted = std::mem::take(&mut self.missing);
        let started = self.start_each(wanted, mode);

        started && std::mem::replace(&mut self.retiring, false)
    }

    fn start_all(&mut self, mode: Respawn) -> bool {
        self.log
            .error(Level::Notice, None, format_args!("start worker processes"));

        self.missing.clear();
        self.retry = Restart::unused();

        let conf = self.cycle.conf();
        let wanted = (0..conf.worker_processes())
            .map(Wanted::Worker)
            .chain((0..conf.helpers()).map(Wanted::Helper))
            .collect();

        self.start_each(wanted, mode)
    }

    /// Returns whether any was started; the others are missing.
    fn start_each(&mut self, wanted: Vec<Wanted>, mode: Respawn) -> bool {
        let works: Vec<Work> = wanted.iter().map(|&wanted| self.work(wanted)).collect();

        // SAFETY: `work` has one of the two functions below with its data, and
        // the cycle is the one that it is made for.
        let start = |work| unsafe { call(self.cycle.as_ptr(), work) };
        let mut prepare = |number: usize, slot: usize| {
            if let Some(wanted) = wanted.get(number) {
                let (role, number) = wanted.role();

                info::of_child(&GLOBALS, slot).reset(role, number, generation::current());
            }
        };

        let failed = spawn_processes(&GLOBALS, self.log, &works, mode, &start, &mut prepare);

        self.missing = failed
            .iter()
            .filter_map(|&number| wanted.get(number).copied())
            .collect();

        if !self.missing.is_empty() {
            let delay = self.retry.after_failure(restart::now());

            self.wake_up_in(delay);
        }

        self.missing.len() < wanted.len()
    }

    fn work(&self, wanted: Wanted) -> Work {
        match wanted {
            Wanted::Worker(n) => Work {
                proc: worker_process_cycle as *mut c_void,
                data: ptr::without_provenance_mut(n),
                name: Text::new(c"worker process"),
            },
            Wanted::Helper(n) => {
                let context = self.cycle.conf().helper(n);

                Work {
                    proc: helper_process_cycle as *mut c_void,
                    data: context.map_or(ptr::null_mut(), |context| context.as_ptr().cast()),
                    name: context.map_or(Text::new(c""), |context| context.name()),
                }
            }
        }
    }

    fn wake_up_in(&self, delay: ngx_msec_t) {
        // A timer counts from the last update.
        times::update();

        self.timer.delete_timer();
        self.timer.add_timer(delay);
    }
}
