//! What a worker does with a message of its channel, `ngx_channel_handler`.

use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering::Relaxed;

use super::admit::{closed, opened};
use super::start_workers;
use crate::channel::command::{
    NGX_CMD_CLOSE_CHANNEL, NGX_CMD_OPEN_CHANNEL, NGX_CMD_QUIT, NGX_CMD_REOPEN, NGX_CMD_TERMINATE,
    NGX_IPC_CMD_OPEN_CHANNELS,
};
use crate::channel::message::ngx_channel_t;
use crate::log::{Debug, Log};
use crate::table::globals::Globals;

/// Does what a message from the master asks for; `false` if its command is
/// none of nginx's. `fd` is the descriptor that came along.
pub fn channel_command(g: &Globals, log: Log, ch: &ngx_channel_t, fd: Option<OwnedFd>) -> bool {
    log.debug(Debug::Core, format_args!("channel command: {}", ch.command));

    match ch.command {
        NGX_CMD_QUIT => g.quit.store(1, Relaxed),
        NGX_CMD_TERMINATE => g.terminate.store(1, Relaxed),
        NGX_CMD_REOPEN => g.reopen.store(1, Relaxed),
        NGX_CMD_OPEN_CHANNEL => opened(g, log, ch, fd),
        NGX_CMD_CLOSE_CHANNEL => closed(g, log, ch),
        NGX_IPC_CMD_OPEN_CHANNELS => start_workers::opened_all(g, log),
        _ => return false,
    }

    true
}
