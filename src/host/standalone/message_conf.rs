//! What a configuration says of messages.

use super::conf::Conf;
use crate::host::messages::settings::Settings;

/// The settings of messages in a configuration.
pub fn settings(conf: Conf<'_>) -> Settings {
    let fields = conf.copy();

    Settings {
        always: fields.messages != 0,
        memory: fields.message_memory,
        largest: fields.message_max,
        processes: fields.message_processes,
        spin: fields.message_spin.saturating_mul(1000) as u64,
        children: conf.worker_processes() + conf.count_helpers(),
    }
}
