//! A zone whose content is kept, as `nginx/ngx_ipc_keep_zones.c` describes it.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::errno::Errno;

use crate::log::{Level, Log};
use crate::sys::path::CPath;
use crate::sys::zone_file::Directory;

/// Bytes of nginx.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ngx_ipc_text_t {
    len: usize,
    data: *const u8,
}

/// A zone, as `nginx/ngx_ipc_keep_zones.c` describes it.
#[repr(C)]
pub struct ngx_ipc_kept_zone_t {
    name: ngx_ipc_text_t,
    directory: ngx_ipc_text_t,
    identity: ngx_ipc_text_t,
}

impl ngx_ipc_text_t {
    const NONE: Self = Self {
        len: 0,
        data: std::ptr::null(),
    };

    /// # Safety
    ///
    /// The bytes are readable as long as the result is used.
    unsafe fn bytes<'a>(self) -> &'a [u8] {
        if self.data.is_null() {
            return &[];
        }

        // SAFETY: the caller says so, and the address is not NULL.
        unsafe { std::slice::from_raw_parts(self.data, self.len) }
    }
}

impl ngx_ipc_kept_zone_t {
    /// Without a name.
    pub const NONE: Self = Self {
        name: ngx_ipc_text_t::NONE,
        directory: ngx_ipc_text_t::NONE,
        identity: ngx_ipc_text_t::NONE,
    };
}

/// What the library knows of a zone that is kept.
pub struct Zone<'a> {
    name: &'a [u8],
    /// The directory of the file.
    pub directory: &'a [u8],
    /// What an nginx must have in common with an earlier one to use its content.
    pub identity: &'a [u8],
    /// The log of the cycle to which the zone belongs.
    pub log: Log,
}

impl Zone<'_> {
    /// # Safety
    ///
    /// The texts stay as they are as long as the result is used.
    pub unsafe fn new(kept: &ngx_ipc_kept_zone_t, log: Log) -> Self {
        // SAFETY: the caller says so.
        unsafe {
            Self {
                name: kept.name.bytes(),
                directory: kept.directory.bytes(),
                identity: kept.identity.bytes(),
                log,
            }
        }
    }

    /// The directory of the file, which is made if it does not exist.
    pub fn open_directory(&self) -> Result<Directory, Errno> {
        Directory::open(Path::new(OsStr::from_bytes(self.directory)))
    }

    /// The name of the file. A name of a zone has any bytes.
    pub fn file_name(&self) -> Result<CPath, Errno> {
        CPath::formatted(format_args!("{}.zone", Escaped(self.name)))
    }

    /// The name of the file for a moment, before it replaces another one.
    pub fn new_name(&self) -> Result<CPath, Errno> {
        CPath::formatted(format_args!("{}.new", Escaped(self.name)))
    }

    /// Logs why the content of the zone is not kept.
    pub fn warn(&self, err: Option<Errno>, why: &str) {
        let name = OsStr::from_bytes(self.name).display();
        let text = format_args!("the zone \"{name}\" is not kept: {why}");

        self.log.error(Level::Warn, err, text);
    }

    /// Logs why the content that an earlier nginx has left is not used.
    pub fn warn_unused(&self, why: &str) {
        let name = OsStr::from_bytes(self.name).display();
        let text = format_args!("the kept content of the zone \"{name}\" is not used: {why}");

        self.log.error(Level::Warn, None, text);
    }

    /// Logs that the zone has the content that an earlier nginx has left.
    pub fn note_used(&self) {
        let name = OsStr::from_bytes(self.name).display();
        let text = format_args!("the zone \"{name}\" has the content of an earlier nginx");

        self.log.error(Level::Notice, None, text);
    }
}

/// A name of a zone in the name of a file: all but letters, digits, `-` and `_` are `%XX`.
struct Escaped<'a>(&'a [u8]);

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
