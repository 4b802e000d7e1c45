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

/// A setting that is larger than the library allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooLarge {
    /// `memory`, see [`MOST_MEMORY`].
    Memory,
    /// `largest`, see [`MOST_LARGEST`].
    Largest,
    /// `processes`, see [`MOST_PROCESSES`].
    Processes,
    /// `spin`, see [`MOST_SPIN`].
    Spin,
}

/// The number of slots for masters, the first ones: during an upgrade there are two
/// masters.
pub const MASTERS: u32 = 2;
/// The number of slots that masters can have claimed to look at what waits there, one
/// each, see [`leftover`](super::leftover). Meanwhile no process can have these slots, so
/// there are so many more.
pub const LOOKED_AT: u32 = MASTERS;
/// The default of `largest`.
const LARGEST: usize = 1024 * 1024;
/// The default of `memory`.
const MEMORY: usize = 4 * 1024 * 1024;
/// The least default of `processes`.
const PROCESSES: usize = 64;

/// The most bytes of `memory`.
pub const MOST_MEMORY: usize = MAX_CHUNKS as usize * CHUNK as usize;
/// The most bytes of `largest`. A receiver has room for two such payloads.
pub const MOST_LARGEST: usize = 127 * 1024 * 1024;
/// The most processes that have messages, without the masters.
pub const MOST_PROCESSES: usize = (MAX_SLOTS - MASTERS - LOOKED_AT) as usize;
/// The most microseconds of `spin`. Meanwhile a process handles no sockets, timers and
/// signals.
pub const MOST_SPIN: usize = 1_000_000;

const _: () = assert!(chunks_for(MOST_LARGEST) <= MAX_CHUNKS as usize);

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
    /// The memory for the messages that wait for one process, in bytes, before it is
    /// rounded.
    pub fn memory(&self) -> usize {
        or(self.memory, MEMORY)
    }

    /// The number of processes that have messages: by default two generations of the
    /// processes, and as many again for reloads.
    pub fn processes(&self) -> usize {
        or(self.processes, PROCESSES.max(4 * self.children)).min(MOST_PROCESSES)
    }

    /// Checks the settings. Returns the first one that is too large.
    pub fn check(&self) -> Result<(), TooLarge> {
        if self.memory > MOST_MEMORY {
            return Err(TooLarge::Memory);
        }

        if self.largest > MOST_LARGEST {
            return Err(TooLarge::Largest);
        }

        if self.processes > MOST_PROCESSES {
            return Err(TooLarge::Processes);
        }

        if self.spin > nanoseconds(MOST_SPIN) {
            return Err(TooLarge::Spin);
        }

        Ok(())
    }

    /// The largest payload in bytes.
    pub fn largest(&self) -> usize {
        or(self.largest, LARGEST).min(MOST_LARGEST)
    }

    /// The sizes of the region. One sender uses at most half of the memory of a
    /// receiver, but there is always room for the largest payload.
    pub fn sizes(&self) -> Sizes {
        let chunks = self.memory() / CHUNK as usize;
        let chunks = chunks.clamp(chunks_for(self.largest()), MAX_CHUNKS as usize) as u32;

        Sizes {
            slots: self.processes() as u32 + MASTERS + LOOKED_AT,
            chunks,
            control_chunks: 16,
            quota: chunks / 2,
        }
    }
}

/// The nanoseconds of a time in microseconds.
pub const fn nanoseconds(microseconds: usize) -> u64 {
    (microseconds as u64).saturating_mul(1000)
}

fn or(value: usize, default: usize) -> usize {
    if value == 0 { default } else { value }
}

/// The least chunks of a receiver, if the largest payload has so many bytes.
const fn chunks_for(largest: usize) -> usize {
    2 * (largest / CHUNK as usize + 2) + 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::layout::Layout;
    use crate::message::leftover::Leftover;
    use crate::message::mapped::Mapped;
    use crate::message::peers::{self, State};

    const DEFAULTS: Settings = Settings {
        always: true,
        memory: 0,
        largest: 0,
        processes: 0,
        spin: 0,
        children: 3,
    };

    #[test]
    fn all_sizes_up_to_the_limits_have_a_layout() {
        let most = [MOST_MEMORY, MOST_LARGEST, MOST_PROCESSES];

        for [memory, largest, processes] in [[0; 3], [1; 3], most, [0, MOST_LARGEST, 0]] {
            let settings = Settings {
                memory,
                largest,
                processes,
                spin: nanoseconds(MOST_SPIN),
                ..DEFAULTS
            };

            assert_eq!(settings.check(), Ok(()));
            assert!(Layout::new(settings.sizes()).is_ok());
        }
    }

    /// All processes get a slot although each master looks at a vacant one.
    #[test]
    fn masters_that_look_take_no_slot_from_a_process() {
        let processes = 3;
        let settings = Settings {
            processes,
            ..DEFAULTS
        };
        let layout = Layout::new(settings.sizes()).unwrap();
        let mapped = Mapped::new(layout.size(), layout.sizes.slots as usize).unwrap();
        let claim = || peers::claim(&&mapped, &layout, 0, |slot| (slot >= MASTERS).then_some(0));

        layout.create(&&mapped);

        for slot in MASTERS..layout.sizes.slots {
            peers::put_state(&&mapped, &layout, slot, 1, State::Vacant);
        }

        for master in 0..MASTERS {
            let claimed = Leftover::claim(&mapped, layout, MASTERS + master, master, 1);

            assert!(claimed.unwrap().is_some());
        }

        assert_eq!(std::iter::from_fn(claim).count(), processes);
    }

    #[test]
    fn larger_sizes_are_refused() {
        let memory = Settings {
            memory: MOST_MEMORY + 1,
            ..DEFAULTS
        };
        let largest = Settings {
            largest: usize::MAX,
            ..DEFAULTS
        };
        let processes = Settings {
            processes: MOST_PROCESSES + 1,
            ..DEFAULTS
        };

        for spin in [MOST_SPIN + 1, usize::MAX] {
            let spin = nanoseconds(spin);

            assert_eq!(Settings { spin, ..DEFAULTS }.check(), Err(TooLarge::Spin));
        }

        assert_eq!(memory.check(), Err(TooLarge::Memory));
        assert_eq!(largest.check(), Err(TooLarge::Largest));
        assert_eq!(processes.check(), Err(TooLarge::Processes));

        for settings in [memory, largest, processes] {
            assert!(Layout::new(settings.sizes()).is_ok());
        }
    }
}
