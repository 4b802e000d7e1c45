//! The files of zones that are kept: their names, who uses them, and the lines in the log. Both
//! hosts have such files, with the header of [`zone_file_header`](super::zone_file_header).

use std::ffi::OsStr;
use std::fmt;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::errno::Errno;

use crate::log::{Level, Log};
use crate::sys::fd::{Identity, identity};
use crate::sys::heap;
use crate::sys::path::CPath;
use crate::sys::zone_file::Directory;

/// A zone that is kept in a file.
#[derive(Clone, Copy)]
pub struct ZoneFile<'a> {
    /// The name of the zone.
    pub name: &'a [u8],
    /// The path of the directory of the file.
    pub directory: &'a [u8],
    /// The kind of program, in log lines.
    pub program: &'static str,
    /// The log to which lines about the zone are written.
    pub log: Log,
}

impl ZoneFile<'_> {
    /// The directory of the file, which is made if it does not exist.
    pub fn open_directory(&self) -> Result<Directory, Errno> {
        open_directory(self.directory)
    }

    /// The name of the file. A name of a zone has any bytes.
    pub fn file_name(&self) -> Result<CPath, Errno> {
        file_name(self.name)
    }

    /// Gives a complete file, which has no name yet, its name. Replaces the file that has it.
    pub fn publish(&self, file: &OwnedFd) -> Result<(), Errno> {
        let name = self.file_name()?;
        let new = CPath::formatted(format_args!("{}.new", Escaped(self.name)))?;

        self.open_directory()?
            .publish(file, new.as_c_str(), name.as_c_str())
    }

    /// Logs why the content of the zone is not kept.
    pub fn warn(&self, err: Option<Errno>, why: &str) {
        let name = OsStr::from_bytes(self.name).display();
        let text = format_args!("the zone \"{name}\" is not kept: {why}");

        self.log.error(Level::Warn, err, text);
    }

    /// Logs that the content of the zone is not kept, because another program does so.
    pub fn warn_foreign(&self) {
        let name = OsStr::from_bytes(self.name).display();
        let program = self.program;
        let text = format_args!("the zone \"{name}\" is not kept: another {program} uses its file");

        self.log.error(Level::Warn, None, text);
    }

    /// Logs why the content that an earlier program has left is not used.
    pub fn warn_unused(&self, err: Option<Errno>, why: &str) {
        let name = OsStr::from_bytes(self.name).display();
        let text = format_args!("the kept content of the zone \"{name}\" is not used: {why}");

        self.log.error(Level::Warn, err, text);
    }

    /// Logs that the zone has the content that an earlier program has left.
    pub fn note_used(&self) {
        let name = OsStr::from_bytes(self.name).display();
        let program = self.program;
        let text = format_args!("the zone \"{name}\" has the content of an earlier {program}");

        self.log.error(Level::Notice, None, text);
    }
}

/// Why an earlier file is not used.
pub enum Refused {
    /// There is none.
    None,
    /// The file does not fit.
    Unfit(&'static str),
    /// The file cannot be read.
    Failed(Errno),
    /// Another program uses the file, which runs.
    Foreign,
}

impl From<Errno> for Refused {
    fn from(err: Errno) -> Self {
        match err {
            Errno::ENOENT => Self::None,
            Errno::ELOOP | Errno::EPERM => Self::Unfit("another user can change it"),
            Errno::ENOSPC => Self::Unfit("there is no space for a copy"),
            err => Self::Failed(err),
        }
    }
}

impl Refused {
    /// Logs why the file is not used.
    pub fn log(&self, zone: &ZoneFile<'_>) {
        match *self {
            Self::None => {}
            Self::Unfit(why) => zone.warn_unused(None, why),
            Self::Failed(err) => zone.warn_unused(Some(err), "it cannot be read"),
            Self::Foreign => zone.warn_foreign(),
        }
    }
}

/// The file of a zone of this process.
pub struct Place {
    /// The path of the directory.
    pub directory: Vec<u8>,
    /// The name of the zone.
    pub name: Vec<u8>,
    /// Which file it is.
    pub identity: Identity,
}

impl Place {
    /// The place of `file`, which is that of `zone`. Fails with ENOMEM.
    pub fn new(zone: &ZoneFile<'_>, file: &OwnedFd) -> Result<Self, Errno> {
        Ok(Self {
            directory: heap::collect(zone.directory.iter().copied())?,
            name: heap::collect(zone.name.iter().copied())?,
            identity: identity(file.as_raw_fd())?,
        })
    }

    /// Removes the file, unless another one has its name by now.
    pub fn remove(&self) {
        // The file can have been removed by hand.
        let _ = file_name(&self.name).and_then(|name| {
            open_directory(&self.directory)?.remove_if(name.as_c_str(), self.identity)
        });
    }
}

fn open_directory(path: &[u8]) -> Result<Directory, Errno> {
    Directory::open(Path::new(OsStr::from_bytes(path)))
}

fn file_name(zone: &[u8]) -> Result<CPath, Errno> {
    CPath::formatted(format_args!("{}.zone", Escaped(zone)))
}

/// A name of a zone in the name of a file: all but letters, digits, `-` and `_` are `%XX`.
pub struct Escaped<'a>(pub &'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => {
                write!(f, "{}", char::from(byte))
            }
            _ => write!(f, "%{byte:02X}"),
        })
    }
}
