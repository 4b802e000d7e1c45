//! Makes system calls of a real process fail, or delays them, with strace.

use std::fs::File;
use std::process::{Child, Command, Stdio};

use super::server::Server;
use super::{proc, sys, wait_until};

/// The system calls that a C library uses for `fork()`; which one depends on
/// the library.
const FORKS: &str = "clone,clone3,fork,vfork";

/// A strace that is attached to one process. It is detached when this value is
/// dropped.
pub struct Tracer {
    child: Child,
    pid: i32,
}

impl Tracer {
    /// Makes strace change the system calls `calls` of the process `pid`.
    /// `what` says how, as after `inject=` in strace(1).
    pub fn inject(server: &Server, pid: i32, calls: &str, what: &str) -> Self {
        let out = File::create(server.directory.join("strace")).expect("a file");
        let child = Command::new("strace")
            .args(["-q", "-p", &pid.to_string()])
            .args(["-e", &format!("trace={calls}")])
            .args(["-e", &format!("inject={calls}:{what}")])
            .stderr(out)
            .stdin(Stdio::null())
            .spawn()
            .expect("strace");
        let tracer = Self { child, pid };

        wait_until("the tracer", || {
            proc::status(pid, "TracerPid").as_deref() == Some(&tracer.child.id().to_string())
        });

        tracer
    }

    /// Makes calls of `fork()` fail in the process `pid`. `when` selects the
    /// calls, as `:when=` in strace(1) does; "" selects all.
    pub fn fail_forks(server: &Server, pid: i32, when: &str) -> Self {
        Self::inject(server, pid, FORKS, &format!("error=EAGAIN{when}"))
    }

    /// Delays each `fork()` of the process `pid` by `msec` milliseconds.
    pub fn delay_forks(server: &Server, pid: i32, msec: u32) -> Self {
        Self::inject(server, pid, FORKS, &format!("delay_exit={}", msec * 1000))
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        sys::kill(self.child.id().cast_signed(), libc::SIGTERM);
        let _ = self.child.wait();
        let free = || proc::status(self.pid, "TracerPid").is_none_or(|tracer| tracer == "0");

        if !std::thread::panicking() {
            wait_until("the tracer's end", free);
        }

        // strace drops a signal with which the process is stopped at the
        // moment of PTRACE_DETACH. If it was a SIGCHLD, the process would reap
        // its child only after the next one. Without a child to reap there is no
        // signal: nginx starts a worker anew at each SIGCHLD that it gets.
        if proc::has_zombie(self.pid) {
            sys::kill(self.pid, libc::SIGCHLD);
        }
    }
}
