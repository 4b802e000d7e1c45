//! What a configuration of nginx says of messages.

use std::ffi::CStr;

use crate::host::messages::settings::{
    MOST_LARGEST, MOST_MEMORY, MOST_PROCESSES, MOST_SPIN, Settings, TooLarge, nanoseconds,
};

// The texts below have these numbers.
const _: () = assert!(MOST_MEMORY == 256 << 20 && MOST_LARGEST == 127 << 20);
const _: () = assert!(MOST_PROCESSES == 1020 && MOST_SPIN == 1_000_000);

/// Checks the settings. Returns `None`, or a text that continues the sentence
/// `"ngx_ipc_messages" directive`.
pub fn check(
    memory: usize,
    largest: usize,
    processes: usize,
    spin: usize,
) -> Option<&'static CStr> {
    let settings = Settings {
        always: true,
        memory,
        largest,
        processes,
        spin: nanoseconds(spin),
        children: 0,
    };

    match settings.check() {
        Ok(()) => None,
        Err(TooLarge::Memory) => Some(c"has a \"memory\" of more than 256m"),
        Err(TooLarge::Largest) => Some(c"has a \"max\" of more than 127m"),
        Err(TooLarge::Processes) => Some(c"has more than 1020 \"processes\""),
        Err(TooLarge::Spin) => Some(c"has a \"spin\" of more than 1000000"),
    }
}
