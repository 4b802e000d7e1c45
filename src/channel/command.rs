//! The commands of channel messages. The C headers get the constants from this
//! file.

/// Tells the receiver that another process has been started. The message
/// carries a descriptor of the channel to that process.
pub const NGX_CMD_OPEN_CHANNEL: usize = 1;
/// Tells the receiver that another process has exited.
pub const NGX_CMD_CLOSE_CHANNEL: usize = 2;
/// Tells the receiver to shut down gracefully.
pub const NGX_CMD_QUIT: usize = 3;
/// Tells the receiver to exit at once.
pub const NGX_CMD_TERMINATE: usize = 4;
/// Tells the receiver to reopen its logs.
pub const NGX_CMD_REOPEN: usize = 5;
/// Tells the receiver that all processes that were started together with the
/// receiver run, see ngx_ipc_spawn_processes(). The receiver has inherited the
/// channels to these processes.
pub const NGX_IPC_CMD_OPEN_CHANNELS: usize = 0x6e67_7801;

/// Whether `command` is a command of nginx or of this library, which their own handlers
/// of channels know.
#[cfg(feature = "standalone")]
#[inline]
pub fn is_known(command: usize) -> bool {
    matches!(command, NGX_CMD_OPEN_CHANNEL..=NGX_CMD_REOPEN) || is_control(command)
}

/// Whether `command` is the command of a control message: a message that tells
/// the receiver about another process. A control message must not be lost, so
/// the library queues it if the socket is full (`D14`).
#[inline]
pub fn is_control(command: usize) -> bool {
    matches!(
        command,
        NGX_CMD_OPEN_CHANNEL | NGX_CMD_CLOSE_CHANNEL | NGX_IPC_CMD_OPEN_CHANNELS
    )
}
