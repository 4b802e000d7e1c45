//! A program for a test, which leaves no descriptor and no child behind.

use std::fs;
use std::ops::Deref;

use ngx_ipc::api::Program;
use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, waitpid};

/// A program that checks, at the end of a test, what the test has left.
pub struct Checked {
    program: Program,
    descriptors: usize,
}

impl Checked {
    /// Starts a program. The event loop is made before the descriptors are counted.
    pub fn start() -> Self {
        let program = Program::init().unwrap();

        program.spawn(c"first", |_| ()).unwrap();
        program.turn().unwrap();
        program.wait().unwrap();

        Self {
            program,
            descriptors: descriptors(),
        }
    }

    /// Waits for all processes, and checks that no child and no descriptor is left.
    pub fn finish(&self) {
        self.program.wait().unwrap();

        assert_eq!(descriptors(), self.descriptors, "descriptors are left");
        assert_eq!(
            waitpid(None, Some(WaitPidFlag::WNOHANG)),
            Err(Errno::ECHILD),
            "a child is left"
        );
    }
}

impl Deref for Checked {
    type Target = Program;

    fn deref(&self) -> &Program {
        &self.program
    }
}

/// The number of descriptors of this process.
pub fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}
