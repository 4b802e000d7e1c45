//! What a configuration says of messages.

use super::conf::Conf;
use crate::host::messages::settings::{
    MOST_LARGEST, MOST_MEMORY, MOST_PROCESSES, MOST_SPIN, Settings, TooLarge, nanoseconds,
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
        spin: nanoseconds(fields.message_spin),
        children: conf.worker_processes() + conf.count_helpers(),
    }
}

/// Checks the settings of messages in a configuration. Returns an error, with an alert
/// in the log, if one of them is too large.
pub fn check(settings: &Settings, log: Log) -> Result {
    let (field, most) = match settings.check() {
        Ok(()) => return Ok(()),
        Err(TooLarge::Memory) => ("message_memory", MOST_MEMORY),
        Err(TooLarge::Largest) => ("message_max", MOST_LARGEST),
        Err(TooLarge::Processes) => ("message_processes", MOST_PROCESSES),
        Err(TooLarge::Spin) => ("message_spin", MOST_SPIN),
    };

    Err(log.refuse(format_args!(
        "the configuration has more than {most} in {field}"
    )))
}
