//! The debug line of one slot.

use crate::log::{Debug, Log};
use crate::table::slot::Slot;
use crate::table::slots::{Flag, ngx_process_t};

/// Logs the flags of a slot at the debug level, as nginx does.
pub(super) fn log_child(log: Log, slot: Slot, entry: &ngx_process_t) {
    log.debug(
        Debug::Event,
        format_args!(
            "child: {slot} {} e:{} t:{} d:{} r:{} j:{}",
            entry.pid(),
            entry.bit(Flag::Exiting),
            entry.bit(Flag::Exited),
            entry.bit(Flag::Detached),
            entry.bit(Flag::Respawn),
            entry.bit(Flag::JustSpawn),
        ),
    );
}
