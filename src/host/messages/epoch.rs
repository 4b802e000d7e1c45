//! The configuration to which a registration belongs.
//!
//! A module of nginx can be removed at a reload, and then its code and its
//! variables are gone. So the master forgets what modules have registered for an
//! older configuration. Workers of the older configuration keep the module, and
//! have copies of the registrations.

#[cfg(not(feature = "standalone"))]
use std::sync::atomic::AtomicUsize;
#[cfg(not(feature = "standalone"))]
use std::sync::atomic::Ordering::Relaxed;

/// The number of configurations that the program has read, valid or not.
#[cfg(not(feature = "standalone"))]
static EPOCH: AtomicUsize = AtomicUsize::new(0);

/// Begins the next configuration: the program reads it now.
#[cfg(not(feature = "standalone"))]
pub fn begin_next() {
    EPOCH.fetch_add(1, Relaxed);
}

/// The configuration that was read last.
#[cfg(not(feature = "standalone"))]
pub fn current() -> usize {
    EPOCH.load(Relaxed)
}

/// A program without nginx has the same modules in each configuration.
#[cfg(feature = "standalone")]
pub fn current() -> usize {
    0
}
