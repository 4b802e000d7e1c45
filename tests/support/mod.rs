//! What the tests of the runtime share.

pub mod build;
pub mod client;
pub mod counters;
pub mod proc;
pub mod server;
pub mod sys;
pub mod tracer;
pub mod upgrade;

use std::time::{Duration, Instant};

/// How long anything may take that is to happen at once.
pub const SOON: Duration = Duration::from_secs(10);

/// Looks until `look` finds something, and panics after `SOON` without it.
pub fn find<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    find_within(SOON, what, look)
}

/// The same with a deadline of one's own.
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

/// Looks until `is` holds, and panics after `SOON`.
pub fn wait_until(what: &str, is: impl FnMut() -> bool) {
    wait_within(SOON, what, is);
}

/// The same with a deadline of one's own.
pub fn wait_within(within: Duration, what: &str, mut is: impl FnMut() -> bool) {
    find_within(within, what, || is().then_some(()));
}
