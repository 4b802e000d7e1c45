//! The commands of channel messages. The headers get their numbers from here.

/// A process has been started; the message carries its channel.
pub const NGX_CMD_OPEN_CHANNEL: usize = 1;
/// A process has exited.
pub const NGX_CMD_CLOSE_CHANNEL: usize = 2;
/// Shut down gracefully.
pub const NGX_CMD_QUIT: usize = 3;
/// Exit.
pub const NGX_CMD_TERMINATE: usize = 4;
/// Reopen the logs.
pub const NGX_CMD_REOPEN: usize = 5;
/// All processes that were started together run, see
/// ngx_ipc_spawn_processes(). The receiver has inherited their channels.
pub const NGX_IPC_CMD_OPEN_CHANNELS: usize = 0x6e67_7801;

/// Whether a command tells of another process. Such a message must not be
/// lost: it is queued if the socket is full (`D14`).
#[inline]
pub fn is_control(command: usize) -> bool {
    matches!(
        command,
        NGX_CMD_OPEN_CHANNEL | NGX_CMD_CLOSE_CHANNEL | NGX_IPC_CMD_OPEN_CHANNELS
    )
}
