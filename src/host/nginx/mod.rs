//! nginx as the host. Its `ngx_process_cycle.c` starts, signals and reaps the
//! processes, and its event loop runs them; this directory does what the
//! library needs around them.
//!
//! `nginx/ngx_ipc_host.c` has what depends on nginx's version or on the layout
//! of its structures. nginx's own make compiles it.

pub mod alarm;
pub mod channel;
pub mod generation;
pub mod hooks;
pub mod on_signal;
pub mod spawn;
pub mod types;
pub mod variables;
