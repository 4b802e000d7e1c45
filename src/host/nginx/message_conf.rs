//! What a configuration of nginx says of messages.

use std::ffi::CStr;
use std::fmt;

use crate::host::messages::settings::{
    MOST_LARGEST, MOST_MEMORY, MOST_PROCESSES, MOST_SPIN, Settings, TooLarge, nanoseconds,
};

// The texts below have these numbers.
const _: () = assert!(MOST_MEMORY == 256 << 20 && MOST_LARGEST == 127 << 20);
const _: () = assert!(MOST_PROCESSES == 1020 && MOST_SPIN == 1_000_000);

/// Checks the settings. Returns `None`, or a text that follows the words
/// `"ipc_messages" directive` in the log.
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
        Err(TooLarge::Memory) => Some(c"has a \"size\" of more than 256m"),
        Err(TooLarge::Largest) => Some(c"has a \"max\" of more than 127m"),
        Err(TooLarge::Processes) => Some(c"has more than 1020 \"processes\""),
        Err(TooLarge::Spin) => Some(c"has a \"spin\" of more than 1000000"),
    }
}

/// The sizes in which a configuration differs from the one in use.
pub struct Changes {
    now: Settings,
    wanted: Settings,
}

impl Changes {
    /// Compares the settings in use with those of a configuration. Returns `None` if
    /// both have the same sizes.
    pub fn new(now: Settings, wanted: Settings) -> Option<Self> {
        let changes = Self { now, wanted };

        changes.list().next().is_some().then_some(changes)
    }

    /// The sizes that differ: the name, the size in use, and the size in the
    /// configuration. The default number of processes depends on the number of
    /// workers, which a reload can change.
    fn list(&self) -> impl Iterator<Item = (&'static str, usize, usize)> + use<> {
        let Self { now, wanted } = self;
        let processes = match (now.processes, wanted.processes) {
            (0, 0) => (0, 0),
            _ => (now.processes(), wanted.processes()),
        };

        [
            ("size", now.memory(), wanted.memory()),
            ("max", now.largest(), wanted.largest()),
            ("processes", processes.0, processes.1),
        ]
        .into_iter()
        .filter(|(_, now, wanted)| now != wanted)
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, now, wanted)) in self.list().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            let (now, wanted) = (Size(now), Size(wanted));

            write!(f, "{separator}\"{name}\" is {now} and not {wanted}")?;
        }

        Ok(())
    }
}

/// A number as a directive of nginx has it: `4m`.
struct Size(usize);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            size if size > 0 && size % (1 << 20) == 0 => write!(f, "{}m", size >> 20),
            size if size > 0 && size % 1024 == 0 => write!(f, "{}k", size >> 10),
            size => write!(f, "{size}"),
        }
    }
}
