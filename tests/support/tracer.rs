//! Makes system calls of a real process fail, or delays them, with strace.

use std::fs::{self, File};
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
        Self::with_options(server, pid, calls, what, &[])
    }

    /// Does the same, with options of strace. With "-f", strace also changes the calls of
    /// processes that the process forks.
    pub fn with_options(
        server: &Server,
        pid: i32,
        calls: &str,
        what: &str,
        options: &[&str],
    ) -> Self {
        let said = server.directory.join("strace");
        let child = Command::new("strace")
            .args(options)
            .args(["-p", &pid.to_string()])
            .args(["-e", &format!("trace={calls}")])
            .args(["-e", &format!("inject={calls}:{what}")])
            .stderr(File::create(&said).expect("a file"))
            .stdin(Stdio::null())
            .spawn()
            .expect("strace");
        let tracer = Self { child, pid };

        // strace writes this line when it has asked the kernel to stop the
        // process. From the stop on, strace sees each system call. The field
        // TracerPid is set a little earlier.
        wait_until("the tracer", || {
            fs::read_to_string(&said).is_ok_and(|said| said.contains(" attached"))
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

    /// Stops the process with SIGSTOP, before strace detaches from it. Without this,
    /// a signal could stop the process for strace at the moment of PTRACE_DETACH,
    /// ptrace(2). strace would drop this signal, and a dropped SIGCHLD would leave a
    /// zombie. When the process has taken SIGSTOP, strace has passed on all earlier
    /// signals. Later signals stay pending until SIGCONT.
    fn stop(&self) {
        const STOP: u64 = 1 << (libc::SIGSTOP - 1);

        sys::kill(self.pid, libc::SIGSTOP);
        wait_until("a stopped process", || {
            !proc::alive(self.pid) || proc::pending(self.pid) & STOP == 0
        });
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        let panics = std::thread::panicking();

        if !panics {
            self.stop();
        }

        sys::kill(self.child.id().cast_signed(), libc::SIGTERM);
        let _ = self.child.wait();

        if !panics {
            wait_until("the tracer's end", || {
                proc::status(self.pid, "TracerPid").is_none_or(|tracer| tracer == "0")
            });
        }

        sys::kill(self.pid, libc::SIGCONT);
    }
}
