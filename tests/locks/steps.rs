//! Kills a process after each instruction of an operation of a lock.

#![allow(unsafe_code)]

use std::env;
use std::ptr;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use ngx_ipc::zone::owner;

use super::tracee::Tracee;

/// How long a process may take that must get the lock.
const LIMIT: Duration = Duration::from_secs(10);

/// The largest number of instructions of an operation that waits for a running process.
pub const STEPS: usize = 20_000;

/// Shared memory with the words of a lock, and what the processes tell each other.
#[repr(C)]
pub struct Shared {
    /// The words of the lock.
    pub words: [AtomicU64; 2],
    /// 1 when the process is ready that is killed.
    ready: AtomicU64,
    /// The number of processes that have had the lock at the same time, at most.
    inside: AtomicU64,
}

impl Shared {
    /// Memory that all children of this process share.
    pub fn map() -> &'static Self {
        // SAFETY: without MAP_FIXED the kernel chooses a free address. The memory is never
        // unmapped; zeros are valid for atomics.
        unsafe {
            let memory = libc::mmap(
                ptr::null_mut(),
                size_of::<Self>(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANON,
                -1,
                0,
            );

            assert_ne!(memory, libc::MAP_FAILED);
            &*memory.cast::<Self>()
        }
    }

    fn reset(&self) {
        for word in self.words.iter().chain([&self.ready, &self.inside]) {
            word.store(0, SeqCst);
        }
    }

    /// Sets the words of the lock.
    pub fn set(&self, words: [u64; 2]) {
        for (word, value) in self.words.iter().zip(words) {
            word.store(value, SeqCst);
        }
    }

    /// Called by a process that has the lock alone. Ends it with an error if another one
    /// has the lock too.
    pub fn is_alone(&self) {
        let before = self.inside.fetch_add(1, SeqCst);

        assert_eq!(before, 0, "two processes have the lock");
        self.inside.fetch_sub(1, SeqCst);
    }
}

/// What happens around an operation. The parameter of the functions is the number of the
/// process.
pub struct Scene<'a> {
    pub shared: &'static Shared,
    /// What this process does at first.
    pub prepare: &'a dyn Fn(),
    /// What the process does before the operation.
    pub before: &'a dyn Fn(u64),
    /// The operation after whose instructions the process is killed.
    pub operation: &'a dyn Fn(u64),
    /// What processes do that wait meanwhile: each takes the lock and releases it.
    pub waiting: &'a [&'a dyn Fn(u64)],
    /// What processes do that come later.
    pub later: &'a [&'a dyn Fn(u64)],
    /// Whether the processes that wait do this yet.
    pub is_waiting: &'a dyn Fn() -> bool,
    /// What this process does when `Scene::after` instructions are over, or the other
    /// process is dead.
    pub finally: &'a dyn Fn(),
    pub after: usize,
    /// The process is killed after each `every`-th instruction. With `T_LONG` it is killed
    /// after each instruction.
    pub every: usize,
}

impl Scene<'_> {
    /// Kills the process after 0 instructions, after 1, and so on. Returns the number of
    /// instructions of the operation.
    pub fn check(&self, name: &str) -> usize {
        let mut steps = 0;

        while self.kill_after(name, steps) {
            steps += if env::var_os("T_LONG").is_some() {
                1
            } else {
                self.every
            };
        }

        eprintln!("{name}: {steps} instructions");
        assert!(
            steps > 10,
            "{name}: the operation has only {steps} instructions"
        );
        steps
    }

    /// Returns whether the process was alive after so many instructions.
    fn kill_after(&self, name: &str, steps: usize) -> bool {
        self.shared.reset();
        (self.prepare)();

        let mut tracee = Tracee::start(|| {
            let own = number();

            (self.before)(own);
            self.shared.ready.store(1, SeqCst);
            (self.operation)(own);
        });

        while self.shared.ready.load(SeqCst) == 0 {
            assert!(tracee.step(), "{name}: the process has exited too early");
        }

        let waiting: Vec<_> = self.waiting.iter().map(|&work| start(work)).collect();
        let begin = Instant::now();

        while !(self.is_waiting)() {
            assert!(begin.elapsed() < LIMIT, "{name}: no process waits");
            std::thread::yield_now();
        }

        let mut is_final = false;
        let is_alive = (0..steps).all(|step| {
            if step == self.after {
                (self.finally)();
                is_final = true;
            }

            tracee.step()
        });

        tracee.kill();

        if !is_final {
            (self.finally)();
        }

        for pid in waiting {
            ends(pid, name, steps);
        }

        for &work in self.later {
            ends(start(work), name, steps);
        }

        is_alive
    }
}

/// The number of this process, without an incarnation.
pub fn number() -> u64 {
    owner::number(std::process::id().cast_signed(), 0)
}

/// Starts a child that calls `work`.
pub fn start(work: &dyn Fn(u64)) -> i32 {
    // SAFETY: the child uses only memory that it shares.
    let pid = unsafe { libc::fork() };

    assert!(pid >= 0, "fork");

    if pid == 0 {
        work(number());
        // SAFETY: the child has nothing to clean up.
        unsafe { libc::_exit(0) }
    }

    pid
}

/// Waits until a child has exited with code 0.
fn ends(pid: i32, name: &str, steps: usize) {
    let begin = Instant::now();
    let mut status = 0;

    // SAFETY: the kernel writes `status`, which is local.
    while unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) } == 0 {
        assert!(
            begin.elapsed() < LIMIT,
            "{name}: killed after {steps} instructions, another process hangs"
        );
        std::thread::sleep(Duration::from_micros(100));
    }

    assert_eq!(status, 0, "{name}: killed after {steps} instructions");
}

/// A process that has died.
pub fn dead() -> u64 {
    let pid = start(&|_| ());

    ends(pid, "a process", 0);
    owner::number(pid, 0)
}
