//! System calls of a real process that fail or are delayed, with strace.

use std::fs::File;
use std::process::{Child, Command, Stdio};

use super::server::Server;
use super::{proc, sys, wait_until};

/// The system calls that a C library may use for `fork()`.
const FORKS: &str = "clone,clone3,fork,vfork";

/// A tracer of one process, which is detached when this is dropped.
pub struct Tracer {
    child: Child,
    pid: i32,
}

impl Tracer {
    /// Applies `what` to the system calls `calls` of `pid`, as `inject=` of
    /// strace(1) does.
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

    /// Makes the forks of `pid` that `when` selects fail, or all if it is "".
    pub fn fail_forks(server: &Server, pid: i32, when: &str) -> Self {
        Self::inject(server, pid, FORKS, &format!("error=EAGAIN{when}"))
    }

    /// Delays each fork by so many milliseconds.
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
        // its child only after the next one.
        sys::kill(self.pid, libc::SIGCHLD);
    }
}
