//! The debug line of one slot.

use crate::log::{Debug, Log};
use crate::table::slots::{Flag, ngx_process_t};

/// Logs the flags of slot `i`, as nginx does before it looks at them.
pub fn log_child(log: Log, i: usize, slot: &ngx_process_t) {
    log.debug(
        Debug::Event,
        format_args!(
            "child: {i} {} e:{} t:{} d:{} r:{} j:{}",
            slot.pid(),
            slot.bit(Flag::Exiting),
            slot.bit(Flag::Exited),
            slot.bit(Flag::Detached),
            slot.bit(Flag::Respawn),
            slot.bit(Flag::JustSpawn),
        ),
    );
}
