//! The process table, `ngx_processes[]`: slots, their channels and flags.

#![allow(non_camel_case_types)]

use std::ffi::c_void;
use std::os::fd::RawFd;
use std::ptr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicI32, AtomicIsize, AtomicPtr, AtomicU32};

use crate::config::numbers::ngx_process_t as bit;
use crate::config::{NGX_INVALID_PID, ngx_int_t, ngx_pid_t};
use crate::sys::text::{AtomicText, Text};

/// The size of the table, `NGX_MAX_PROCESSES`.
pub const MAX_PROCESSES: usize = 1024;

/// A channel's descriptor where there is none, or none any more.
pub const CLOSED: RawFd = -1;

/// One slot of the table, laid out as nginx's `ngx_process_t`.
///
/// Only this file changes the fields. They are atomics because a signal
/// handler may come between any two instructions; flags of one word that two
/// sides change must not lose each other's change.
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

/// A 1-bit field of `ngx_process_t`; the value is its bit.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum Flag {
    /// Started again when it exits.
    Respawn = bit::RESPAWN,
    /// Just spawned: left out by the next signal to all workers.
    JustSpawn = bit::JUST_SPAWN,
    /// Not a worker: no channel, no signals.
    Detached = bit::DETACHED,
    /// Has been told to exit.
    Exiting = bit::EXITING,
    /// Has exited and been reaped.
    Exited = bit::EXITED,
    /// Could not be respawned: the slot is empty but reserved for it. C does
    /// not know this bit, the one above C's highest.
    Lost = bit::EXITED << 1,
}

/// What a slot runs: the arguments of `ngx_spawn_process`, opaque here.
#[derive(Clone, Copy)]
pub struct Work {
    /// `ngx_spawn_proc_pt`.
    pub proc: *mut c_void,
    /// The second argument of `proc`.
    pub data: *mut c_void,
    /// How log lines call the process.
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

    /// A slot without a process and without descriptors.
    pub const fn vacant() -> Self {
        Self {
            pid: AtomicI32::new(NGX_INVALID_PID),
            channel: [AtomicI32::new(CLOSED), AtomicI32::new(CLOSED)],
            ..Self::zeroed()
        }
    }

    /// The process id, or -1 in an empty slot.
    pub fn pid(&self) -> ngx_pid_t {
        self.pid.load(Relaxed)
    }

    /// Names another process.
    pub fn set_pid(&self, pid: ngx_pid_t) {
        self.pid.store(pid, Relaxed);
    }

    /// Whether there is a process here: neither empty nor never used.
    pub fn occupied(&self) -> bool {
        self.pid() > 0
    }

    /// `channel[end]`: 0 is the caller's, 1 the process's own.
    pub fn channel(&self, end: usize) -> RawFd {
        self.channel.get(end).map_or(CLOSED, |fd| fd.load(Relaxed))
    }

    /// The descriptor to write to the process, if there is one: neither
    /// closed nor the 0 of a slot that never had a channel (`D11`).
    pub fn writable(&self) -> Option<RawFd> {
        Some(self.channel(0)).filter(|&fd| fd > 0)
    }

    /// Sets both descriptors.
    pub fn set_channel(&self, ends: [RawFd; 2]) {
        for (end, fd) in self.channel.iter().zip(ends) {
            end.store(fd, Relaxed);
        }
    }

    /// Takes `channel[end]` out to be closed; `None` if it was closed, or
    /// the 0 of a slot that never had a channel.
    pub fn take_channel(&self, end: usize) -> Option<RawFd> {
        let fd = self.channel.get(end)?.swap(CLOSED, Relaxed);

        (fd > 0).then_some(fd)
    }

    /// Replaces `channel[0]` and returns what was there to be closed.
    pub fn replace_channel(&self, fd: RawFd) -> Option<RawFd> {
        let old = self.take_channel(0);

        let [end, _] = &self.channel;
        end.store(fd, Relaxed);

        old
    }

    /// Whether `flag` is set.
    pub fn is(&self, flag: Flag) -> bool {
        self.flags.load(Relaxed) & flag as u32 != 0
    }

    /// Sets or clears `flag`, and no other.
    pub fn set(&self, flag: Flag, on: bool) {
        if on {
            self.flags.fetch_or(flag as u32, Relaxed);
        } else {
            self.flags.fetch_and(!(flag as u32), Relaxed);
        }
    }

    /// A flag as the 0 or 1 of a log line.
    pub fn bit(&self, flag: Flag) -> u8 {
        self.is(flag).into()
    }

    /// All flags, for `set_flags`.
    pub fn flags(&self) -> u32 {
        self.flags.load(Relaxed)
    }

    /// Sets all flags.
    pub fn set_flags(&self, flags: u32) {
        self.flags.store(flags, Relaxed);
    }

    /// In a child: how another process is to be treated is its parent's
    /// business, not this one's.
    pub fn forget_parents_flags(&self) {
        self.set_flags(0);
    }

    /// What the slot runs.
    pub fn work(&self) -> Work {
        Work {
            proc: self.proc.load(Relaxed),
            data: self.data.load(Relaxed),
            name: self.name.load(),
        }
    }

    /// Sets what the slot runs.
    pub fn set_work(&self, work: Work) {
        self.proc.store(work.proc, Relaxed);
        self.data.store(work.data, Relaxed);
        self.name.store(work.name);
    }

    /// Records how the process ended: `status` as of `wait(2)`.
    pub fn set_exited(&self, status: i32) {
        self.status.store(status, Relaxed);
        self.set(Flag::Exited, true);
    }

    /// Empties the slot (`D1`); its descriptors have been closed.
    ///
    /// What it ran stays known.
    pub fn vacate(&self) {
        self.set_pid(NGX_INVALID_PID);
        self.set_channel([CLOSED, CLOSED]);
        self.set(Flag::Exited, false);
    }
}

/// The whole table.
///
/// Behind the last slot lies one more that is always empty: what names it
/// names nothing, so `ngx_process_slot` may when the table is full (`D3`).
pub struct Table {
    /// `ngx_processes`.
    pub slots: &'static [ngx_process_t; MAX_PROCESSES + 1],
    /// `ngx_last_process`: one more than the last slot in use.
    pub last: &'static AtomicIsize,
}

impl Table {
    /// The slot `i`; the sentinel if there is no such slot.
    pub fn get(&self, i: usize) -> &'static ngx_process_t {
        let [.., sentinel] = self.slots;

        self.slots.get(i).unwrap_or(sentinel)
    }

    /// The index of a slot that C or another process names.
    pub fn index(&self, slot: ngx_int_t) -> Option<usize> {
        usize::try_from(slot).ok().filter(|&i| i < MAX_PROCESSES)
    }

    /// The same, with the sentinel's index for a slot that does not exist.
    pub fn clamp(&self, slot: ngx_int_t) -> usize {
        self.index(slot).unwrap_or(MAX_PROCESSES)
    }

    /// `ngx_last_process`, within the table whatever C has made of it.
    pub fn used(&self) -> usize {
        let last = self.last.load(Relaxed);

        usize::try_from(last).map_or(0, |last| last.min(MAX_PROCESSES))
    }

    /// The slots in use, with their indices.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &'static ngx_process_t)> + use<> {
        self.slots.iter().take(self.used()).enumerate()
    }

    /// The slot of the process `pid`, unless it is known to have exited.
    pub fn find(&self, pid: ngx_pid_t) -> Option<(usize, &'static ngx_process_t)> {
        self.iter()
            .find(|(_, slot)| slot.pid() == pid && !slot.is(Flag::Exited))
    }

    /// The empty slots in the order in which they are taken: those that were
    /// freed, then those behind the last.
    pub fn free(&self) -> impl Iterator<Item = usize> + use<> {
        self.iter()
            .filter(|(_, slot)| slot.pid() == NGX_INVALID_PID && !slot.is(Flag::Lost))
            .map(|(i, _)| i)
            .chain(self.used()..MAX_PROCESSES)
    }

    /// The first empty slot; `MAX_PROCESSES` if the table is full.
    pub fn first_free(&self) -> usize {
        self.free().next().unwrap_or(MAX_PROCESSES)
    }

    /// Has the table reach over slot `i`.
    pub fn cover(&self, i: usize) {
        if i >= self.used() && i < MAX_PROCESSES {
            self.last.store(i as ngx_int_t + 1, Relaxed);
        }
    }

    /// Gives slot `i` up: at the end the table shrinks, else the slot waits
    /// to be taken again.
    pub fn release(&self, i: usize) {
        if i + 1 == self.used() {
            self.last.store(i as ngx_int_t, Relaxed);
        } else {
            self.get(i).set_pid(NGX_INVALID_PID);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table of its own, as C would have initialised it.
    fn table() -> Table {
        let mut slots = Box::new([const { ngx_process_t::zeroed() }; MAX_PROCESSES + 1]);

        slots[MAX_PROCESSES] = ngx_process_t::vacant();

        Table {
            slots: Box::leak(slots),
            last: Box::leak(Box::new(AtomicIsize::new(0))),
        }
    }

    fn fill(table: &Table, n: usize) {
        for i in 0..n {
            table.get(i).set_pid(1000 + i as ngx_pid_t);
            table.cover(i);
        }
    }

    #[test]
    fn slots_are_taken_in_nginx_order() {
        let table = table();

        assert_eq!(table.first_free(), 0);
        fill(&table, 4);
        assert_eq!(table.first_free(), 4);

        table.release(2);
        table.release(1);
        assert_eq!(table.first_free(), 1);
        assert_eq!(table.used(), 4);

        table.release(3);
        assert_eq!(table.used(), 3, "only the last slot shrinks the table");
    }

    #[test]
    fn a_full_table_names_the_sentinel() {
        let table = table();

        fill(&table, MAX_PROCESSES);
        assert_eq!(table.first_free(), MAX_PROCESSES);

        let sentinel = table.get(MAX_PROCESSES);

        assert_eq!(sentinel.pid(), NGX_INVALID_PID);
        assert_eq!(sentinel.channel(0), CLOSED);
        assert!(ptr::eq(sentinel, table.get(usize::MAX)));
    }

    #[test]
    fn what_c_does_to_the_count_stays_in_bounds() {
        let table = table();

        table.last.store(-7, Relaxed);
        assert_eq!(table.used(), 0);
        table.last.store(isize::MAX, Relaxed);
        assert_eq!(table.iter().count(), MAX_PROCESSES);
        assert_eq!(table.index(-1), None);
        assert_eq!(table.index(MAX_PROCESSES as ngx_int_t), None);
    }

    #[test]
    fn a_slot_reserved_for_a_respawn_is_not_taken() {
        let table = table();

        fill(&table, 3);
        table.get(1).vacate();
        table.get(1).set(Flag::Lost, true);
        assert_eq!(table.first_free(), 3);
        table.get(1).set(Flag::Lost, false);
        assert_eq!(table.first_free(), 1);
    }

    #[test]
    fn zero_is_no_channel() {
        let slot = ngx_process_t::zeroed();

        assert_eq!(slot.writable(), None);
        assert_eq!(slot.take_channel(0), None);
        assert_eq!(slot.channel(0), CLOSED);
    }

    #[test]
    fn a_flag_leaves_the_others_alone() {
        let slot = ngx_process_t::zeroed();

        slot.set(Flag::Respawn, true);
        slot.set(Flag::Exiting, true);
        slot.set(Flag::Respawn, false);

        assert!(slot.is(Flag::Exiting));
        assert_eq!(slot.flags.load(Relaxed), 8);
    }
}
