//! Processes of an nginx that run one instruction at a time, `ptrace(2)`. One thread does
//! all of it, because the kernel lets no other thread of a tracer trace the process.

#![allow(unsafe_code)]

use std::fs::File;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;
use std::ptr;
use std::time::{Duration, Instant};

use crate::support::SOON;
use crate::tracee::Tracee;

/// A request of `ptrace(2)` whose last argument is a number.
fn trace(request: libc::c_uint, pid: i32, address: usize, data: usize) -> i64 {
    // SAFETY: the requests of this file access no memory of this process, except those for
    // which `registers` and `next_event` pass a pointer to a local value.
    unsafe { libc::ptrace(request, pid, address, data) }
}

fn must_trace(request: libc::c_uint, pid: i32, address: usize, data: usize) {
    let result = trace(request, pid, address, data);

    assert_eq!(result, 0, "ptrace({request}) of the process {pid}");
}

/// Waits until a process that this thread traces has stopped. Returns its status.
fn wait_for_stop(pid: i32) -> i32 {
    let deadline = Instant::now() + SOON;

    loop {
        if let Some(status) = has_stopped(pid) {
            return status;
        }

        assert!(Instant::now() < deadline, "the process {pid} does not stop");
        std::thread::sleep(Duration::from_micros(100));
    }
}

/// The status of a process that this thread traces, if it has stopped.
fn has_stopped(pid: i32) -> Option<i32> {
    let mut status = 0;
    // SAFETY: the kernel writes `status`, which is local.
    let found = unsafe { libc::waitpid(pid, &raw mut status, libc::__WALL | libc::WNOHANG) };

    assert!(found >= 0, "no process {pid}");

    if found == 0 {
        return None;
    }

    assert!(libc::WIFSTOPPED(status), "{pid} has ended: {status:#x}");
    Some(status)
}

/// The signal with which a stopped process must continue; 0 if no signal has stopped it.
fn signal_of(status: i32) -> usize {
    if status >> 16 == 0 {
        libc::WSTOPSIG(status) as usize
    } else {
        0
    }
}

/// A process that runs, stopped by the tracer.
pub fn stop(pid: i32) -> Tracee {
    must_trace(libc::PTRACE_SEIZE, pid, 0, 0);
    must_trace(libc::PTRACE_INTERRUPT, pid, 0, 0);

    loop {
        let status = wait_for_stop(pid);

        if status >> 16 != 0 {
            return Tracee::stopped(pid);
        }

        must_trace(libc::PTRACE_CONT, pid, 0, signal_of(status));
    }
}

/// A master whose children are stopped before their first instruction. It stops at each
/// signal, until [`Forks::next`] or [`Forks::go_on`] is called.
pub struct Forks(i32);

impl Forks {
    pub fn of(master: i32) -> Self {
        let options = libc::PTRACE_O_TRACEFORK as usize;

        must_trace(libc::PTRACE_SEIZE, master, 0, options);
        Self(master)
    }

    /// Waits until the master forks. Returns the child.
    pub fn next(&self) -> Tracee {
        loop {
            let status = wait_for_stop(self.0);

            if let Some(child) = self.next_event(status) {
                return child;
            }
        }
    }

    /// Lets the master handle the signals that have stopped it. Its children run.
    pub fn go_on(&self) {
        while let Some(status) = has_stopped(self.0) {
            if let Some(child) = self.next_event(status) {
                child.release(0);
            }
        }
    }

    /// The master, which has this status, continues. Returns the child if it has forked.
    fn next_event(&self, status: i32) -> Option<Tracee> {
        let has_forked = status >> 16 == libc::PTRACE_EVENT_FORK;
        let mut child: libc::c_ulong = 0;

        if has_forked {
            must_trace(
                libc::PTRACE_GETEVENTMSG,
                self.0,
                0,
                (&raw mut child).expose_provenance(),
            );
        }

        must_trace(libc::PTRACE_CONT, self.0, 0, signal_of(status));

        has_forked.then(|| {
            wait_for_stop(child as i32);
            Tracee::stopped(child as i32)
        })
    }
}

impl Drop for Forks {
    fn drop(&mut self) {
        if trace(libc::PTRACE_INTERRUPT, self.0, 0, 0) != 0 || std::thread::panicking() {
            // The kernel detaches from a process when its tracer ends.
            return;
        }

        loop {
            let status = wait_for_stop(self.0);

            if status >> 16 == libc::PTRACE_EVENT_STOP {
                break;
            }

            if let Some(child) = self.next_event(status) {
                child.release(0);
            }
        }

        must_trace(libc::PTRACE_DETACH, self.0, 0, 0);
    }
}

/// Where the functions and variables of a file are in the memory of the processes that have
/// loaded it.
pub struct Symbols {
    base: usize,
    names: String,
}

impl Symbols {
    /// Those of the file `module`, in a process that has loaded it and in its children.
    pub fn of(pid: i32, module: &Path) -> Self {
        let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).expect("the mappings");
        let base = maps
            .lines()
            .find(|line| line.ends_with(&module.display().to_string()))
            .and_then(|line| usize::from_str_radix(line.split('-').next()?, 16).ok());
        let out = Command::new("nm").arg(module).output().expect("nm");

        Self {
            base: base.expect("a process that has loaded the module"),
            names: String::from_utf8_lossy(&out.stdout).into_owned(),
        }
    }

    /// The address of the only symbol whose name contains `text`.
    pub fn address(&self, text: &str) -> usize {
        let found: Vec<&str> = self
            .names
            .lines()
            .filter(|line| line.contains(text))
            .collect();

        assert_eq!(found.len(), 1, "{text}: {found:?}");

        let offset = found[0].split(' ').next().expect("an address");

        self.base + usize::from_str_radix(offset, 16).expect("an address")
    }
}

/// A word of the memory of another process.
pub fn word(pid: i32, address: usize) -> u64 {
    let mut bytes = [0; 8];

    File::open(format!("/proc/{pid}/mem"))
        .and_then(|memory| memory.read_exact_at(&mut bytes, address as u64))
        .expect("a word");
    u64::from_ne_bytes(bytes)
}

fn registers(pid: i32) -> libc::user_regs_struct {
    let mut registers = MaybeUninit::<libc::user_regs_struct>::zeroed();

    must_trace(
        libc::PTRACE_GETREGS,
        pid,
        0,
        registers.as_mut_ptr().expose_provenance(),
    );
    // SAFETY: it consists of numbers, and the kernel has written it.
    unsafe { registers.assume_init() }
}

/// A function in which a process stops when it calls it.
pub struct Breakpoint {
    pid: i32,
    address: usize,
    /// What is there in truth.
    code: usize,
}

impl Breakpoint {
    /// The instruction `int3`.
    const TRAP: usize = 0xcc;

    /// Makes the process stop there, and lets it continue.
    pub fn set(tracee: &Tracee, address: usize) -> Self {
        let pid = tracee.pid();
        let code = word(pid, address) as usize;

        must_trace(
            libc::PTRACE_POKETEXT,
            pid,
            address,
            code & !0xff | Self::TRAP,
        );
        must_trace(libc::PTRACE_CONT, pid, 0, 0);

        Self { pid, address, code }
    }

    /// Waits until the process has called the function. Its first instruction is next.
    pub fn wait(self) -> Call {
        loop {
            let status = wait_for_stop(self.pid);
            let mut now = registers(self.pid);

            if status >> 8 == libc::SIGTRAP && now.rip as usize == self.address + 1 {
                now.rip -= 1;
                must_trace(libc::PTRACE_POKETEXT, self.pid, self.address, self.code);
                must_trace(
                    libc::PTRACE_SETREGS,
                    self.pid,
                    0,
                    ptr::from_ref(&now).expose_provenance(),
                );

                return Call {
                    pid: self.pid,
                    to: word(self.pid, now.rsp as usize),
                    stack: now.rsp + 8,
                };
            }

            must_trace(libc::PTRACE_CONT, self.pid, 0, signal_of(status));
        }
    }
}

/// A call of a function, which runs.
pub struct Call {
    pid: i32,
    /// Where it returns to, and the stack pointer afterwards.
    to: u64,
    stack: u64,
}

impl Call {
    pub fn has_returned(&self) -> bool {
        let next = std::mem::offset_of!(libc::user_regs_struct, rip);

        trace(libc::PTRACE_PEEKUSER, self.pid, next, 0) as u64 == self.to
            && registers(self.pid).rsp == self.stack
    }
}

/// The beginning of a file in memory that other processes change.
pub struct Watched {
    memory: *const u8,
    before: Vec<u8>,
    now: Vec<u8>,
}

impl Watched {
    /// At most `size` bytes of the file.
    pub fn of(file: &File, size: usize) -> Self {
        let size = size.min(file.metadata().expect("a size").len() as usize);
        // SAFETY: without MAP_FIXED the kernel chooses a free address.
        let memory = unsafe {
            libc::mmap(
                ptr::null_mut(),
                size,
                libc::PROT_READ,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                0,
            )
        };

        assert_ne!(memory, libc::MAP_FAILED);

        Self {
            memory: memory.cast(),
            before: vec![0; size],
            now: vec![0; size],
        }
    }

    /// Whether it has changed since the last call.
    pub fn has_changed(&mut self) -> bool {
        // SAFETY: both have `now.len()` bytes, and the mapping is never unmapped. The process
        // that changes it is stopped.
        unsafe { ptr::copy_nonoverlapping(self.memory, self.now.as_mut_ptr(), self.now.len()) };
        std::mem::swap(&mut self.now, &mut self.before);

        self.now != self.before
    }
}
