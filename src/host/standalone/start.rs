//! Starting the workers and helpers that a configuration asks for, until each
//! of them runs (`D2`).

use crate::table::role;
use std::ffi::c_void;
use std::ptr;

use super::conf::conf_of;
use super::cycle::ngx_cycle_t;
use super::event::ngx_event_s;
use super::event_timer::{ngx_event_add_timer, ngx_event_del_timer};
use super::times::ngx_time_update;
use super::worker::{helper_process_cycle, ngx_worker_process_cycle};
use crate::config::{ngx_int_t, ngx_msec_t, ngx_uint_t};
use crate::host::call::call;
use crate::host::globals::GLOBALS;
use crate::log::{Level, Log};
use crate::process::mode::Respawn;
use crate::process_cycle::start_workers::spawn_processes;
use crate::sys::text::Text;
use crate::sys::user;
use crate::table::info;
use crate::table::restart::{self, Restart};
use crate::table::slots::{Flag, MAX_PROCESSES, Work};

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
    cycle: *mut ngx_cycle_t,
    log: Log,
    generation: ngx_uint_t,
    /// Those that could not be started, and when to try again.
    missing: Vec<Wanted>,
    retry: Restart,
    timer: *mut ngx_event_s,
    /// No process of the new generation has been started yet, so the old one
    /// has not been told to go.
    retiring: bool,
}

impl Starter {
    /// Nothing is missing. `timer` has the master wake up, and lives as long.
    pub fn new(cycle: *mut ngx_cycle_t, log: Log, timer: *mut ngx_event_s) -> Self {
        Self {
            cycle,
            log,
            generation: 0,
            missing: Vec::new(),
            retry: Restart::unused(),
            timer,
            retiring: false,
        }
    }

    /// Starts all processes for the first time, or anew after they were told
    /// to go.
    ///
    /// # Safety
    ///
    /// The cycle is valid.
    pub unsafe fn start(&mut self) {
        self.retiring = false;
        // SAFETY: promised by the caller.
        unsafe { self.start_all(Respawn::Always) };
    }

    /// Starts the processes of another configuration. Returns whether the old
    /// ones are to be told to go: not before there is a new one.
    ///
    /// # Safety
    ///
    /// `cycle` is valid.
    pub unsafe fn reload(
        &mut self,
        cycle: *mut ngx_cycle_t,
        log: Log,
        generation: ngx_uint_t,
    ) -> bool {
        self.cycle = cycle;
        self.log = log;
        self.generation = generation;

        for (_, slot) in GLOBALS.table.iter() {
            // Whoever is there now is an old one.
            slot.set(Flag::JustSpawn, false);
        }

        // SAFETY: promised by the caller.
        self.retiring = !unsafe { self.start_all(Respawn::JustRespawn) };

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
    ///
    /// # Safety
    ///
    /// The cycle is valid.
    pub unsafe fn start_missing(&mut self) -> bool {
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
        // SAFETY: promised by the caller.
        let started = unsafe { self.start_each(wanted, mode) };

        started && std::mem::replace(&mut self.retiring, false)
    }

    /// # Safety
    ///
    /// The cycle is valid.
    unsafe fn start_all(&mut self, mode: Respawn) -> bool {
        self.log
            .error(Level::Notice, None, format_args!("start worker processes"));

        self.missing.clear();
        self.retry = Restart::unused();

        // SAFETY: promised by the caller.
        unsafe {
            let conf = conf_of(self.cycle);
            let workers = match usize::try_from(conf.worker_processes) {
                // More than that cannot run: the last one has the log say so.
                Ok(n) if n != 0 => n.min(MAX_PROCESSES + 1),
                _ => user::processors(),
            };
            let wanted = (0..workers)
                .map(Wanted::Worker)
                .chain((0..conf.helpers_n).map(Wanted::Helper))
                .collect();

            self.start_each(wanted, mode)
        }
    }

    /// Returns whether any was started; the others are missing.
    ///
    /// # Safety
    ///
    /// The cycle is valid.
    unsafe fn start_each(&mut self, wanted: Vec<Wanted>, mode: Respawn) -> bool {
        // SAFETY: promised by the caller.
        let work_of = |&wanted: &Wanted| unsafe { self.work(wanted) };
        let works: Vec<Work> = wanted.iter().map(work_of).collect();

        // SAFETY: the same.
        let start = |work| unsafe { call(self.cycle, work) };
        let mut prepare = |number: usize, slot: usize| {
            if let Some(wanted) = wanted.get(number) {
                let (role, number) = wanted.role();

                info::of_child(&GLOBALS, slot).reset(role, number, self.generation);
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

    /// # Safety
    ///
    /// The cycle is valid.
    unsafe fn work(&self, wanted: Wanted) -> Work {
        match wanted {
            Wanted::Worker(n) => Work {
                proc: ngx_worker_process_cycle as *mut c_void,
                data: ptr::without_provenance_mut(n),
                name: Text::new(c"worker process"),
            },
            // SAFETY: promised by the caller.
            Wanted::Helper(n) => unsafe {
                let ctx = conf_of(self.cycle).helpers.add(n);

                Work {
                    proc: helper_process_cycle as *mut c_void,
                    data: ctx.cast(),
                    name: Text::from_ptr((*ctx).name),
                }
            },
        }
    }

    fn wake_up_in(&self, delay: ngx_msec_t) {
        // A timer counts from the last update.
        ngx_time_update();

        // SAFETY: the event lives as long as the process.
        unsafe {
            ngx_event_del_timer(self.timer);
            ngx_event_add_timer(self.timer, delay);
        }
    }
}
