//! The settings for messages in the configuration, and their defaults.

use crate::message::layout::{CHUNK, MAX_CHUNKS, MAX_SLOTS, Sizes};
use crate::sys::lock::Lock;

/// The settings.
#[derive(Clone, Copy)]
pub struct Settings {
    /// Whether there are messages even if no type was registered.
    pub always: bool,
    /// The memory for the messages that wait for one process, in bytes; 0: the
    /// default.
    pub memory: usize,
    /// The largest payload in bytes; 0: the default.
    pub largest: usize,
    /// The number of processes that have messages, with the master; 0: the
    /// default.
    pub processes: usize,
    /// The time in nanoseconds for which a process looks for messages before it
    /// sleeps.
    pub spin: u64,
    /// The number of workers and helpers.
    pub children: usize,
}

/// The number of slots for masters, the first ones: during an upgrade there are two
/// masters.
pub const MASTERS: u32 = 2;
/// The default of `largest`.
const LARGEST: usize = 1024 * 1024;
/// The default of `memory`.
const MEMORY: usize = 4 * 1024 * 1024;
/// The least default of `processes`.
const PROCESSES: usize = 64;

static SETTINGS: Lock<Settings> = Lock::new(Settings {
    always: false,
    memory: 0,
    largest: 0,
    processes: 0,
    spin: 0,
    children: 0,
});

/// Sets the settings, before the first process is started.
pub fn set(settings: Settings) {
    *SETTINGS.lock() = settings;
}

/// The settings.
pub fn get() -> Settings {
    *SETTINGS.lock()
}

impl Settings {
    /// Whether the configuration sets the same sizes as another one.
    #[cfg(not(feature = "standalone"))]
    pub fn has_sizes_of(&self, other: &Self) -> bool {
        let sizes = |of: &Self| (of.memory, of.largest, of.processes);

        sizes(self) == sizes(other)
    }

    /// The largest payload in bytes.
    pub fn largest(&self) -> usize {
        or(self.largest, LARGEST)
    }

    /// The sizes of the region. One sender uses at most half of the memory of a
    /// receiver, but there is always room for the largest payload.
    pub fn sizes(&self) -> Sizes {
        // Two generations of the processes, and as many again for reloads.
        let processes = or(self.processes, PROCESSES.max(4 * self.children)) + MASTERS as usize;
        let chunk = CHUNK as usize;
        let largest = self.largest() / chunk + 2;
        let chunks = or(self.memory, MEMORY) / chunk;
        let chunks = chunks.clamp(2 * largest + 32, MAX_CHUNKS as usize) as u32;

        Sizes {
            slots: processes.min(MAX_SLOTS as usize) as u32,
            chunks,
            control_chunks: 16,
            quota: chunks / 2,
        }
    }
}

fn or(value: usize, default: usize) -> usize {
    if value == 0 { default } else { value }
}
