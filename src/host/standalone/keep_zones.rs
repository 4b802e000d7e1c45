//! How zones survive the processes that use them, as a configuration says: as files in memory that
//! an upgrade hands down, `keep_zones`, or as files of a directory, `zones_directory`.

use std::ffi::c_void;
use std::path::Path;
use std::ptr::NonNull;

use super::{kept_zones, zone_files};
use crate::host::zone_file::Refused;
use crate::log::Log;

/// How a configuration keeps zones.
#[derive(Clone, Copy)]
pub struct Keep<'a> {
    /// They survive an upgrade.
    pub over_upgrade: bool,
    /// The directory with their files. They survive the end of the program too.
    pub directory: Option<&'a Path>,
}

/// A zone of the old binary, or of an earlier server.
pub struct Taken {
    /// The address of the zone.
    pub addr: NonNull<c_void>,
    /// The size in bytes.
    pub size: usize,
    source: Source,
}

#[derive(Clone, Copy)]
enum Source {
    /// A file in memory of the old binary.
    Memory,
    /// A file in the directory, of the old binary.
    OldBinary,
    /// A file in the directory, of a server that has ended.
    EarlierServer,
}

impl Keep<'_> {
    /// For a zone that gets new memory at each reload: its content is of no use later.
    pub fn without_directory(self) -> Self {
        Self {
            directory: None,
            ..self
        }
    }

    /// Allocates `size` zeroed bytes for the zone `name`. Returns the address; `None` if the
    /// zone is not kept or, with a warning in the log, if the system has no such memory.
    pub fn allocate(self, name: &[u8], size: usize, log: Log) -> Option<NonNull<c_void>> {
        let in_file = self.directory.and_then(|directory| {
            let zone = zone_files::file_of(name, directory, log);

            zone_files::allocate(&zone, size)
                .inspect_err(|&err| zone.warn(Some(err), "its file cannot be made"))
                .ok()
        });

        if in_file.is_none() && self.over_upgrade {
            return kept_zones::allocate(name, size, log);
        }

        in_file
    }

    /// Maps the zone with this name and, if it is given, this size, that the old binary or an
    /// earlier server has left. Returns `None` if there is no such zone or, with a warning in the
    /// log, if it cannot be used. If another server uses the file of the zone, there is no
    /// directory for it afterwards.
    pub fn take(&mut self, name: &[u8], size: Option<usize>, log: Log) -> Option<Taken> {
        if !kept_zones::is_offered(name) {
            return self.take_file(name, size, log);
        }

        let (addr, size) = kept_zones::take(name, size, log)?;

        Some(Taken {
            addr,
            size,
            source: Source::Memory,
        })
    }

    fn take_file(&mut self, name: &[u8], size: Option<usize>, log: Log) -> Option<Taken> {
        let zone = zone_files::file_of(name, self.directory?, log);

        match zone_files::take(&zone, size) {
            Ok(taken) => Some(Taken {
                addr: taken.addr,
                size: taken.size,
                source: if taken.is_shared {
                    Source::OldBinary
                } else {
                    Source::EarlierServer
                },
            }),
            Err(refused) => {
                refused.log(&zone);

                if matches!(refused, Refused::Foreign) {
                    self.directory = None;
                }

                None
            }
        }
    }

    /// Logs that the zone `name` has the content of an earlier server, if this is so.
    pub fn note_used(self, taken: &Taken, name: &[u8], log: Log) {
        if let (Source::EarlierServer, Some(directory)) = (taken.source, self.directory) {
            zone_files::file_of(name, directory, log).note_used();
        }
    }

    /// Logs why the zone `name` is not used, which was taken.
    pub fn warn_unused(self, taken: &Taken, name: &[u8], why: &str, log: Log) {
        match (taken.source, self.directory) {
            (Source::OldBinary | Source::EarlierServer, Some(directory)) => {
                zone_files::file_of(name, directory, log).warn_unused(None, why);
            }
            _ => kept_zones::warn(name, why, log),
        }
    }
}

/// Unmaps the zone at `address`, if it is one that is kept. Removes its file from the directory.
/// Returns whether it is.
pub fn free(address: usize, log: Log) -> bool {
    zone_files::free(address, log) || kept_zones::free(address, log)
}
