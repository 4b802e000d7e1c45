//! A process that runs one instruction at a time, `ptrace(2)`.

// Each program of tests uses some of these functions.
#![allow(dead_code, unsafe_code)]

use std::ptr;

/// A stopped process. It is killed when this value is dropped.
pub struct Tracee {
    pid: i32,
    is_alive: bool,
}

impl Tracee {
    /// Starts a child that does `work` and exits. It is stopped before `work`.
    pub fn start(work: impl FnOnce()) -> Self {
        // SAFETY: the child uses only memory of its own and memory that it
        // shares, and allocates; glibc makes malloc() work in the child of a
        // program with threads.
        let pid = unsafe { libc::fork() };

        assert!(pid >= 0, "fork");

        if pid == 0 {
            // SAFETY: these calls access no memory.
            unsafe {
                libc::ptrace(libc::PTRACE_TRACEME, 0, ptr::null_mut::<u8>(), 0);
                libc::raise(libc::SIGSTOP);
            }

            work();
            // SAFETY: the child has nothing to clean up.
            unsafe { libc::_exit(0) }
        }

        let mut this = Self {
            pid,
            is_alive: true,
        };

        assert!(this.wait(), "the child has exited");
        this
    }

    /// A process that this thread traces already, and that is stopped. It need not be a
    /// child.
    pub fn stopped(pid: i32) -> Self {
        Self {
            pid,
            is_alive: true,
        }
    }

    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Ends the tracing. The process continues with the signal `signo`; 0: with none.
    pub fn release(mut self, signo: i32) {
        self.is_alive = false;

        // SAFETY: the process is stopped; PTRACE_DETACH accesses no memory.
        let result = unsafe {
            libc::ptrace(
                libc::PTRACE_DETACH,
                self.pid,
                ptr::null_mut::<u8>(),
                signo as usize,
            )
        };

        assert_eq!(result, 0, "PTRACE_DETACH");
    }

    /// Runs one instruction. Returns false if the child has exited.
    pub fn step(&mut self) -> bool {
        // SAFETY: the child is stopped; PTRACE_SINGLESTEP accesses no memory.
        let result = unsafe {
            libc::ptrace(
                libc::PTRACE_SINGLESTEP,
                self.pid,
                ptr::null_mut::<u8>(),
                ptr::null_mut::<u8>(),
            )
        };

        assert_eq!(result, 0, "PTRACE_SINGLESTEP");
        self.wait()
    }

    fn wait(&mut self) -> bool {
        let mut status = 0;

        // SAFETY: the kernel writes `status`, which is local.
        let pid = unsafe { libc::waitpid(self.pid, &raw mut status, libc::__WALL) };

        assert_eq!(pid, self.pid);

        if libc::WIFSTOPPED(status) {
            return true;
        }

        assert!(
            libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0,
            "the child has died: {status:#x}"
        );
        self.is_alive = false;
        false
    }

    /// Sends SIGKILL, and waits until the child is dead.
    pub fn kill(&mut self) {
        if !self.is_alive {
            return;
        }

        self.is_alive = false;

        // SAFETY: this process has not waited for the end of the other one, so the pid is
        // its own.
        unsafe {
            libc::kill(self.pid, libc::SIGKILL);
            libc::waitpid(self.pid, ptr::null_mut(), libc::__WALL);
        }
    }
}

impl Drop for Tracee {
    fn drop(&mut self) {
        self.kill();
    }
}
