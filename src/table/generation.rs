//! The generation of a process: the number of the configuration for which the
//! process was started.
//!
//! The first configuration is generation 1, and each reload begins the next
//! generation. 0 means that the program has no configuration yet. A child
//! inherits the generation of its parent.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use crate::config::ngx_uint_t;

static GENERATION: AtomicUsize = AtomicUsize::new(0);

/// The generation of this process. In a master: the generation of the processes
/// that the master starts now.
pub fn current() -> ngx_uint_t {
    GENERATION.load(Relaxed)
}

/// Begins generation 1, when the program gets its first configuration. Does
/// nothing if a generation has begun already.
#[cfg(feature = "standalone")]
pub fn begin_first() {
    let _ = GENERATION.compare_exchange(0, 1, Relaxed, Relaxed);
}

/// Begins the next generation, when the program gets another configuration.
pub fn begin_next() {
    GENERATION.fetch_add(1, Relaxed);
}
