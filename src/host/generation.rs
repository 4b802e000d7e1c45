//! Which configuration this process was started for, counted from 1.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

/// 0: the program has had no configuration yet.
static GENERATION: AtomicUsize = AtomicUsize::new(0);

/// The generation of this process, and of those that it starts.
pub fn current() -> usize {
    GENERATION.load(Relaxed)
}

/// Begins generation 1, if none has begun. A program may run the master's loop
/// without `ngx_ipc_main()`, so this is not done there.
#[cfg(feature = "standalone")]
pub fn begin_first() {
    let _ = GENERATION.compare_exchange(0, 1, Relaxed, Relaxed);
}

/// Begins the next generation.
pub fn begin_next() {
    GENERATION.fetch_add(1, Relaxed);
}
