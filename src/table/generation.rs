//! The generation of processes: the number of the configuration that they were
//! started for.
//!
//! The first configuration is generation 1, each later one is the next; 0
//! means that there is no configuration yet. A child inherits the number.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use crate::config::ngx_uint_t;

static GENERATION: AtomicUsize = AtomicUsize::new(0);

/// The generation of this process; in a master, that of the processes that it
/// starts.
pub fn current() -> ngx_uint_t {
    GENERATION.load(Relaxed)
}

/// There is a configuration: begins generation 1, unless it has begun.
#[cfg(feature = "standalone")]
pub fn begin_first() {
    let _ = GENERATION.compare_exchange(0, 1, Relaxed, Relaxed);
}

/// There is another configuration: begins the next generation.
pub fn begin_next() {
    GENERATION.fetch_add(1, Relaxed);
}
