//! What a configuration says of messages.

use super::conf::Conf;
use crate::host::messages::settings::{
    MOST_LARGEST, MOST_MEMORY, MOST_PROCESSES, Settings, TooLarge,
};
use crate::log::Log;
use crate::status::Result;

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

/// Checks the sizes of messages in a configuration. Returns an error, with an alert in
/// the log, if one of them is too large.
pub fn check(settings: &Settings, log: Log) -> Result {
    let (field, most) = match settings.check() {
        Ok(()) => return Ok(()),
        Err(TooLarge::Memory) => ("message_memory", MOST_MEMORY),
        Err(TooLarge::Largest) => ("message_max", MOST_LARGEST),
        Err(TooLarge::Processes) => ("message_processes", MOST_PROCESSES),
    };

    Err(log.refuse(format_args!(
        "the configuration has more than {most} in {field}"
    )))
}
