//! The host that the library brings along: what nginx itself does for the
//! files that this library replaces.

pub mod conf;
pub mod connection;
pub mod cycle;
pub mod date;
pub mod errno;
pub mod event;
pub mod event_timer;
pub mod hooks;
pub mod io;
pub mod ipc;
pub mod listening;
pub mod log;
pub mod log_format;
pub mod log_line;
pub mod main;
pub mod master;
pub mod module;
pub mod old_cycle;
pub mod palloc;
pub mod pidfile;
pub mod setproctitle;
pub mod single;
pub mod start;
pub mod timers;
pub mod times;
pub mod types;
pub mod upgrade;
pub mod variables;
pub mod worker;
