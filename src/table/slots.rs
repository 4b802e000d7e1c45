//! The process table, `ngx_processes[]`: slots, their channels and flags.

#![allow(non_camel_case_types)]

use std::ffi::c_void;
use std::os::fd::RawFd;
use std::ptr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicI32, AtomicIsize, AtomicPtr, AtomicU32};

use super::slot::{NGX_MAX_PROCESSES, Slot};
use crate::config::numbers::ngx_process_t as bit;
use crate::config::{NGX_INVALID_PID, ngx_pid_t};
use crate::sys::text::{AtomicText, Text};

/// The number in place of a descriptor of a channel that is closed or missing.
pub const CLOSED: RawFd = -1;

/// One slot of the process table, with the layout of nginx's `ngx_process_t`.
///
/// Only this file changes the fields. The fields are atomics, because a signal
/// handler can change them between any two instructions. The flags are bits of
/// one word, so a flag is set with one atomic operation that leaves the other
/// flags as they are.
#[repr(C)]
pub struct ngx_process_t {
    pid: AtomicI32,
    status: AtomicI32,
    channel: [AtomicI32; 2],
    proc: AtomicPtr<c_void>,
    data: AtomicPtr<c_void>,
    name: AtomicText,
    flags: AtomicU32,
}

const _: () = assert!(size_of::<ngx_process_t>() == 48 || !cfg!(target_pointer_width = "64"));

/// A 1-bit field of `ngx_process_t`; the value is its bit in the word `flags`.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum Flag {
    /// The master starts the process again when the process exits.
    Respawn = bit::RESPAWN,
    /// The process has just been started. The master does not send the process
    /// the next signal to all workers, and clears the flag then.
    JustSpawn = bit::JUST_SPAWN,
    /// The process has no channel and gets no signals.
    Detached = bit::DETACHED,
    /// The process has been told to exit.
    Exiting = bit::EXITING,
    /// The process has exited, and its parent has reaped it.
    Exited = bit::EXITED,
}

/// The pid in the slot of a process that is started later, see `later`.
pub(super) const LATER: ngx_pid_t = ngx_pid_t::MAX;

/// The function that a process runs, the argument of the function, and the name
/// of the process: arguments of `ngx_spawn_process`.
#[derive(Clone, Copy)]
pub struct Work {
    /// The function, a `ngx_spawn_proc_pt`.
    pub proc: *mut c_void,
    /// The second argument of `proc`.
    pub data: *mut c_void,
    /// The name of the process in log lines.
    pub name: Text,
}

impl ngx_process_t {
    /// A slot that was never used: all zero, as C initialises the table.
    pub const fn zeroed() -> Self {
        Self {
            pid: AtomicI32::new(0),
            status: AtomicI32::new(0),
            channel: [AtomicI32::new(0), AtomicI32::new(0)],
            proc: AtomicPtr::new(ptr::null_mut()),
            data: AtomicPtr::new(ptr::null_mut()),
            name: AtomicText::null(),
            flags: AtomicU32::new(0),
        }
    }

    /// The process id; -1 if the slot is empty, 0 if the slot was never used.
    pub fn pid(&self) -> ngx_pid_t {
        self.pid.load(Relaxed)
    }

    /// Sets the process id.
    pub fn set_pid(&self, pid: ngx_pid_t) {
        self.pid.store(pid, Relaxed);
    }

    /// Whether the slot has a process. The pid is -1 in an empty slot, 0 in a
    /// slot that was never used, and `LATER` if the process is started later.
    pub fn occupied(&self) -> bool {
        self.pid() > 0 && self.pid() != LATER
    }

    /// The descriptor `channel[end]`. The other processes write to end 0, and
    /// the process of the slot itself reads from end 1.
    pub fn channel(&self, end: usize) -> RawFd {
        self.channel.get(end).map_or(CLOSED, |fd| fd.load(Relaxed))
    }

    /// The descriptor `channel[0]`, through which other processes write to the
    /// process. `None` if the channel is closed, or if the descriptor is 0
    /// because the slot never had a channel (`D11`).
    pub fn writable(&self) -> Option<RawFd> {
        Some(self.channel(0)).filter(|&fd| fd > 0)
    }

    /// Sets both descriptors of the channel.
    pub fn set_channel(&self, ends: [RawFd; 2]) {
        for (end, fd) in self.channel.iter().zip(ends) {
            end.store(fd, Relaxed);
        }
    }

    /// Sets `channel[end]` to -1 and returns the old descriptor, which belongs
    /// to the caller then. `None` if the descriptor was -1 already, or 0
    /// because the slot never had a channel.
    pub fn take_channel(&self, end: usize) -> Option<RawFd> {
        let fd = self.channel.get(end)?.swap(CLOSED, Relaxed);

        (fd > 0).then_some(fd)
    }

    /// Sets `channel[0]`, whose old descriptor `take_channel` has returned.
    pub fn set_writable(&self, fd: RawFd) {
        let [end, _] = &self.channel;

        end.store(fd, Relaxed);
    }

    /// Whether `flag` is set.
    pub fn is(&self, flag: Flag) -> bool {
        self.flags.load(Relaxed) & flag as u32 != 0
    }

    /// Sets `flag` if `on` is true, else clears it. Other flags do not change.
    pub fn set(&self, flag: Flag, on: bool) {
        if on {
            self.flags.fetch_or(flag as u32, Relaxed);
        } else {
            self.flags.fetch_and(!(flag as u32), Relaxed);
        }
    }

    /// The flag as 0 or 1, for a log line.
    pub fn bit(&self, flag: Flag) -> u8 {
        self.is(flag).into()
    }

    /// All flags of the slot as one word, for `set_flags`.
    pub fn flags(&self) -> u32 {
        self.flags.load(Relaxed)
    }

    /// Sets all flags of the slot at once.
    pub fn set_flags(&self, flags: u32) {
        self.flags.store(flags, Relaxed);
    }

    /// Clears all flags. A child calls this function for the processes that its
    /// parent has started, because only the parent signals these processes and
    /// starts them again.
    pub fn clear_flags(&self) {
        self.set_flags(0);
    }

    /// The function, argument and name of the slot's process, or of the process
    /// that the slot had last.
    pub fn work(&self) -> Work {
        Work {
            proc: self.proc.load(Relaxed),
            data: self.data.load(Relaxed),
            name: self.name.load(),
        }
    }

    /// Sets the function, argument and name of the slot's process.
    pub fn set_work(&self, work: Work) {
        self.proc.store(work.proc, Relaxed);
        self.data.store(work.data, Relaxed);
        self.name.store(work.name);
    }

    /// The `status` that `set_exited` has set last.
    pub fn status(&self) -> i32 {
        self.status.load(Relaxed)
    }

    /// Records that the process has exited, with `status` as of `wait(2)`.
    pub fn set_exited(&self, status: i32) {
        self.status.store(status, Relaxed);
        self.set(Flag::Exited, true);
    }

    /// Empties the slot: the pid and the descriptors, which the caller has
    /// closed, become -1 (`D1`). The function, argument and name of the process
    /// stay in the slot, so that the process can be started again.
    pub fn vacate(&self) {
        self.set_pid(NGX_INVALID_PID);
        self.set_channel([CLOSED, CLOSED]);
        self.set(Flag::Exited, false);
    }
}

/// The process table.
///
/// Behind the last slot lies one more entry, the sentinel, which never has a
/// process. When the table is full, `ngx_process_slot` is `NGX_MAX_PROCESSES`,
/// and C code that uses this number as an index reads the sentinel (`D3`).
pub struct Table {
    /// `ngx_processes`, with the sentinel.
    pub slots: &'static [ngx_process_t; NGX_MAX_PROCESSES + 1],
    /// `ngx_last_process`: one more than the last slot in use.
    pub last: &'static AtomicIsize,
}

impl Table {
    /// The entry of `slot` in the table; the sentinel for `Slot::NONE`.
    pub fn get(&self, slot: Slot) -> &'static ngx_process_t {
        let [slots @ .., _] = self.slots;

        slots
            .get(slot.index())
            .unwrap_or_else(|| self.empty_sentinel())
    }

    /// Empties the sentinel, and returns it.
    ///
    /// The sentinel is all zero when the program starts, as the other slots are: a
    /// table that is not zero would need 48 KB in the program's file.
    #[cold]
    pub fn empty_sentinel(&self) -> &'static ngx_process_t {
        let [.., sentinel] = self.slots;

        sentinel.vacate();
        sentinel
    }

    /// The number of slots to search: `ngx_last_process`, but at most the size
    /// of the table, because C code can set `ngx_last_process` to any number.
    pub fn used(&self) -> usize {
        let last = self.last.load(Relaxed);

        usize::try_from(last).map_or(0, |last| last.min(NGX_MAX_PROCESSES))
    }

    /// Whether a slot lies below `ngx_last_process`.
    pub fn is_used(&self, slot: Slot) -> bool {
        slot.index() < self.used()
    }

    /// The slots below `ngx_last_process`, with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (Slot, &'static ngx_process_t)> + use<> {
        self.slots
            .iter()
            .take(self.used())
            .enumerate()
            .map(|(i, entry)| (Slot::new(i), entry))
    }

    /// The slot of the process `pid`; `None` if the process is not in the table
    /// or has been reaped.
    pub fn find(&self, pid: ngx_pid_t) -> Option<(Slot, &'static ngx_process_t)> {
        self.iter()
            .find(|(_, entry)| entry.pid() == pid && !entry.is(Flag::Exited))
    }

    /// The empty slots, in nginx's order: first the empty slots below
    /// `ngx_last_process`, then all others. A reserved slot is not empty.
    pub fn free(&self) -> impl Iterator<Item = Slot> + use<> {
        self.iter()
            .filter(|(_, entry)| entry.pid() == NGX_INVALID_PID)
            .map(|(slot, _)| slot)
            .chain(Slot::new(self.used()).and_later())
    }

    /// The first empty slot; `Slot::NONE` if the table is full.
    pub fn first_free(&self) -> Slot {
        self.free().next().unwrap_or(Slot::NONE)
    }

    /// Raises `ngx_last_process` above `slot`, if it is not above `slot` yet,
    /// so that searches of the table find the slot.
    pub fn cover(&self, slot: Slot) {
        if !self.is_used(slot) && slot != Slot::NONE {
            self.last.store(slot.to_c() + 1, Relaxed);
        }
    }

    /// Frees a slot. If the slot is the last one below `ngx_last_process`,
    /// lowers `ngx_last_process` by one, as nginx does.
    pub fn release(&self, slot: Slot) {
        if slot.index() + 1 == self.used() {
            self.last.store(slot.to_c(), Relaxed);
        } else {
            self.get(slot).set_pid(NGX_INVALID_PID);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table for one test, initialised as C initialises `ngx_processes[]`.
    fn table() -> Table {
        Table {
            slots: Box::leak(Box::new(
                [const { ngx_process_t::zeroed() }; NGX_MAX_PROCESSES + 1],
            )),
            last: Box::leak(Box::new(AtomicIsize::new(0))),
        }
    }

    fn fill(table: &Table, n: usize) {
        for i in 0..n {
            table.get(Slot::new(i)).set_pid(1000 + i as ngx_pid_t);
            table.cover(Slot::new(i));
        }
    }

    #[test]
    fn slots_are_taken_in_nginx_order() {
        let table = table();

        assert_eq!(table.first_free(), Slot::new(0));
        fill(&table, 4);
        assert_eq!(table.first_free(), Slot::new(4));

        table.release(Slot::new(2));
        table.release(Slot::new(1));
        assert_eq!(table.first_free(), Slot::new(1));
        assert_eq!(table.used(), 4);

        table.release(Slot::new(3));
        assert_eq!(table.used(), 3, "only the last slot shrinks the table");
    }

    #[test]
    fn a_full_table_has_only_the_sentinel() {
        let table = table();

        fill(&table, NGX_MAX_PROCESSES);
        assert_eq!(table.first_free(), Slot::NONE);

        let sentinel = table.get(Slot::NONE);

        assert_eq!(sentinel.pid(), NGX_INVALID_PID);
        assert_eq!(sentinel.channel(0), CLOSED);
        assert!(ptr::eq(sentinel, table.get(Slot::new(usize::MAX))));
    }

    #[test]
    fn a_count_that_c_has_set_stays_in_bounds() {
        let table = table();

        table.last.store(-7, Relaxed);
        assert_eq!(table.used(), 0);
        table.last.store(isize::MAX, Relaxed);
        assert_eq!(table.iter().count(), NGX_MAX_PROCESSES);
        assert_eq!(Slot::from_c(-1), None);
        assert_eq!(Slot::from_c(Slot::NONE.to_c()), None);
    }

    #[test]
    fn the_slot_behind_the_last_one_is_not_used() {
        let table = table();

        assert!(!table.is_used(Slot::new(0)));
        fill(&table, 2);
        assert!(table.is_used(Slot::new(1)));
        assert!(!table.is_used(Slot::new(2)));
    }

    #[test]
    fn zero_is_no_channel() {
        let slot = ngx_process_t::zeroed();

        assert_eq!(slot.writable(), None);
        assert_eq!(slot.take_channel(0), None);
        assert_eq!(slot.channel(0), CLOSED);
    }

    #[test]
    fn a_flag_leaves_the_others_as_they_are() {
        let slot = ngx_process_t::zeroed();

        slot.set(Flag::Respawn, true);
        slot.set(Flag::Exiting, true);
        slot.set(Flag::Respawn, false);

        assert!(slot.is(Flag::Exiting));
        assert_eq!(slot.flags.load(Relaxed), 8);
    }
}
