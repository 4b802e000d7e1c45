//! A program that a test starts.

use std::process::{Child, Command, ExitStatus};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A program with a master and workers. The drop ends all of them, so that a test that
/// fails leaves none behind. If timeout(1) ends the test, it ends the program too, which
/// is in the same process group.
pub struct Started(Child);

impl Started {
    pub fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    pub fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// Sends SIGQUIT to the master.
    pub fn quit(&self) {
        kill(self.pid(), Signal::SIGQUIT).unwrap();
    }

    pub fn wait(&mut self) -> ExitStatus {
        self.0.wait().unwrap()
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.0.id() as i32)
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if self.0.try_wait().unwrap().is_none() {
            // The master kills workers that do not exit.
            let _ = kill(self.pid(), Signal::SIGTERM);
            let _ = self.0.wait();
        }
    }
}
