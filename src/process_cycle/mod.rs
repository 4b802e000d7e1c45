//! What master and workers do with the table and the channels, nginx's
//! `ngx_process_cycle.c`.

mod log_child;

pub mod admit;
pub mod announce;
pub mod handle_command;
pub mod init_channel;
pub mod reap_children;
pub mod signal_workers;
pub mod start_workers;
