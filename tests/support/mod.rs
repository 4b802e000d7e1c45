//! Functions for the tests of real programs.

pub mod build;
pub mod client;
pub mod counters;
pub mod debian;
pub mod ledger;
pub mod log;
pub mod manager;
pub mod metrics;
pub mod proc;
pub mod processes;
pub mod random;
pub mod run;
pub mod server;
pub mod sockets;
pub mod state;
pub mod sys;
pub mod tracer;
pub mod upgrade;
pub mod zones;

use std::process::Child;
use std::time::{Duration, Instant};

/// The time limit for something that a test waits for. It only ends a test that
/// hangs. It is long, because a loaded machine can be slow.
pub const SOON: Duration = Duration::from_secs(60);

/// Calls `look` again and again until it finds something; panics after the time
/// limit `SOON`.
pub fn find<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    find_within(SOON, what, look)
}

/// Calls `look` again and again until it finds something; panics after the time
/// limit `within`.
pub fn find_within<T>(within: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + within;

    loop {
        if let Some(found) = look() {
            return found;
        }

        assert!(Instant::now() < deadline, "not within {within:?}: {what}");
        std::thread::sleep(Duration::from_millis(3));
    }
}

/// Calls `is` again and again until it returns true; panics after the time
/// limit `SOON`.
pub fn wait_until(what: &str, is: impl FnMut() -> bool) {
    wait_within(SOON, what, is);
}

/// Calls `is` again and again until it returns true; panics after the time
/// limit `within`.
pub fn wait_within(within: Duration, what: &str, mut is: impl FnMut() -> bool) {
    find_within(within, what, || is().then_some(()));
}

/// A process that is killed when this value is dropped. It is for programs
/// under valgrind, whose processes cannot be found by the path of the program.
pub struct Killed(pub Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
