//! The host that the library brings along: what nginx itself does for the
//! files that this library replaces.

pub mod host;
pub mod log;
pub mod timers;
pub mod times;
