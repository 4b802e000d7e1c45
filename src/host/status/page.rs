//! What the page shows, read at one time.

use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::listed;
use super::own::OwnNumbers;
use super::zones::{self, Zone};
use crate::config::ngx_int_t;
use crate::host::introspect::{is_reaped, measure, ngx_ipc_process_t};
use crate::host::messages::statistics::{Room, room};
use crate::host::program::{ngx_ipc_program_t, program};
use crate::sys::usage::Cpu;
use crate::sys::{heap, time};
use crate::table::places::{Counter, Place};
use crate::table::slot::Slot;
use crate::table::stats;

/// A process, and its place in [`stats::places`].
pub struct Process {
    /// What the list of processes says.
    pub data: ngx_ipc_process_t,
    /// The index of its place.
    pub place: usize,
    /// What the kernel does with it, field 3 of `/proc/PID/stat`; `None` if it is unknown.
    pub proc_state: Option<char>,
    /// The memory for its messages; `None` if it has none.
    pub room: Option<Room>,
}

/// The places that a process has had, with their indices.
pub fn places() -> impl Iterator<Item = (usize, &'static Place)> {
    stats::places()
        .iter()
        .enumerate()
        .filter(|(_, place)| place.is_used())
}

/// What the page shows.
pub struct Page<'a> {
    /// The program.
    pub program: ngx_ipc_program_t,
    /// The processes but the master.
    pub processes: Vec<Process>,
    /// The processor time of the processes that have had a place.
    pub cpu: Vec<(&'static Place, Cpu)>,
    /// The numbers of the program.
    pub own: OwnNumbers<'a>,
    /// The zones of the program.
    pub zones: Vec<Zone>,
}

/// How often the page is read again because a process is being reaped meanwhile. Its
/// processor time would be missing, or be in the page twice.
const ATTEMPTS: usize = 100;
/// The time before the page is read again, in milliseconds. The master needs less,
/// unless it waits for a processor.
const PAUSE: usize = 1;

impl<'a> Page<'a> {
    /// Reads the program, its zones and its processes. Returns ENOMEM if there is no memory.
    pub fn read(own: OwnNumbers<'a>) -> Result<Self, Errno> {
        let mut page = Self {
            program: program(),
            processes: Vec::new(),
            cpu: Vec::new(),
            own,
            zones: zones::read()?,
        };

        for _ in 0..ATTEMPTS {
            let reaped = stats::program().reaped();

            page.processes.clear();
            page.cpu.clear();
            page.read_processes()?;
            page.read_cpu()?;

            if reaped == stats::program().reaped() && !page.misses_a_process() {
                break;
            }

            time::pause(PAUSE);
        }

        Ok(page)
    }

    fn read_processes(&mut self) -> Result<(), Errno> {
        let mut result = Ok(());

        listed::each(&mut |data| {
            if result.is_ok() {
                result = self.add(data);
            }
        });

        result
    }

    fn add(&mut self, mut data: ngx_ipc_process_t) -> Result<(), Errno> {
        let slot = Slot::from_c(data.slot).unwrap_or(Slot::NONE);
        let place = stats::of(slot).place.load(Relaxed);
        let proc_state = measure(&mut data).map(|used| used.state);
        let process = Process {
            data,
            place,
            proc_state,
            room: room(slot),
        };

        heap::push(&mut self.processes, process)
    }

    fn read_cpu(&mut self) -> Result<(), Errno> {
        let known = |number: ngx_int_t| number.max(0).unsigned_abs();

        for (index, place) in places() {
            let user = self.at(index).map(|process| known(process.cpu_user));
            let user = user.sum::<usize>() + place.get(Counter::CpuUser);
            let system = self.at(index).map(|process| known(process.cpu_system));
            let system = system.sum::<usize>() + place.get(Counter::CpuSystem);

            heap::push(&mut self.cpu, (place, Cpu { user, system }))?;
        }

        Ok(())
    }

    /// Whether the master has reaped a process, so that `/proc` has its processor time no
    /// longer, and has not counted this time yet.
    fn misses_a_process(&self) -> bool {
        self.processes
            .iter()
            .any(|process| is_reaped(&process.data))
    }

    /// The processes that have a place now.
    pub fn at(&self, place: usize) -> impl Iterator<Item = &ngx_ipc_process_t> {
        self.processes
            .iter()
            .filter(move |process| process.place == place)
            .map(|process| &process.data)
    }
}
