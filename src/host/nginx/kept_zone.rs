//! A zone whose content is kept, as `nginx/ngx_ipc_keep_zones.c` describes it.

use crate::host::zone_file::ZoneFile;
use crate::log::Log;

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

    /// What an nginx must have in common with an earlier one to use its content.
    ///
    /// # Safety
    ///
    /// The text stays as it is as long as the result is used.
    pub unsafe fn identity<'a>(&self) -> &'a [u8] {
        // SAFETY: the caller says so.
        unsafe { self.identity.bytes() }
    }

    /// The file of the zone. `log` is that of the zone's cycle.
    ///
    /// # Safety
    ///
    /// The texts stay as they are as long as the result is used.
    pub unsafe fn file<'a>(&self, log: Log) -> ZoneFile<'a> {
        // SAFETY: the caller says so.
        unsafe {
            ZoneFile {
                name: self.name.bytes(),
                directory: self.directory.bytes(),
                program: "nginx",
                log,
            }
        }
    }
}
