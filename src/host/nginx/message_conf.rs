//! What a configuration of nginx says of messages.

use std::ffi::CStr;

use crate::host::messages::settings::{
    MOST_LARGEST, MOST_MEMORY, MOST_PROCESSES, Settings, TooLarge,
};

// The texts below have these numbers.
const _: () =
    assert!(MOST_MEMORY == 256 << 20 && MOST_LARGEST == 127 << 20 && MOST_PROCESSES == 1022);

/// Checks the sizes. Returns `None`, or a text that continues the sentence
/// `"ngx_ipc_messages" directive`.
pub fn check(memory: usize, largest: usize, processes: usize) -> Option<&'static CStr> {
    let sizes = Settings {
        always: true,
        memory,
        largest,
        processes,
        spin: 0,
        children: 0,
    };

    match sizes.check() {
        Ok(()) => None,
        Err(TooLarge::Memory) => Some(c"has a \"memory\" of more than 256m"),
        Err(TooLarge::Largest) => Some(c"has a \"max\" of more than 127m"),
        Err(TooLarge::Processes) => Some(c"has more than 1022 \"processes\""),
    }
}
