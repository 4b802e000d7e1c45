//! The handle [`ProgramConf`]: a configuration as the program passes it.

use std::ptr::NonNull;

use super::addresses;
use super::conf::{self, Conf, DEFAULTS};
use super::draft::Draft;
use super::log::ErrorLog;
use super::log_file;
use super::types::ngx_core_conf_t;
use crate::host::sized;
use crate::log::Log;
use crate::status::{Result, Status};

/// The sizes of an `ngx_core_conf_t` and an `ngx_listening_t` in version 0.1.
pub const FIRST_SIZES: (usize, usize) = (conf::FIRST_SIZE, addresses::FIRST_SIZE);

/// A configuration of the program, which may have more or fewer fields than the
/// library knows.
///
/// Invariant: the pointer is to the program's structure, which has at least the
/// fields of version 0.1. If its sizes are valid, they are those with which the
/// program was compiled, and its fields are as [`Conf`] demands.
#[derive(Clone, Copy)]
pub struct ProgramConf(NonNull<ngx_core_conf_t>);

impl ProgramConf {
    /// A handle for a pointer from C; `None` for NULL.
    ///
    /// # Safety
    ///
    /// `conf` is NULL, or what it points to keeps the invariant of
    /// [`ProgramConf`] as long as the handle is used.
    pub unsafe fn from_ptr(conf: *const ngx_core_conf_t) -> Option<Self> {
        NonNull::new(conf.cast_mut()).map(Self)
    }

    /// A copy with all fields of the library. Those that the program does not
    /// have are the defaults.
    ///
    /// Returns an error, with an alert in the log, if the program has not
    /// initialised the configuration.
    pub fn draft(self, log: Log) -> Result<Draft> {
        let from = self.0.as_ptr();

        // SAFETY: version 0.1 has this field, so the structure has it (the
        // type's invariant).
        let size = unsafe { (&raw const (*from).size).read() };

        conf::check_initialised(size, conf::FIRST_SIZE, "ngx_core_conf_t", log)?;

        // SAFETY: the structure has `size` bytes (the type's invariant), and
        // each version of it ends with a field.
        let copy = unsafe { sized::read(from, size, DEFAULTS) };

        // SAFETY: the fields are the program's, or defaults.
        let conf = unsafe { Conf::from_ref(&copy) };

        conf.check_sizes(log)?;

        Ok(Draft::of(conf))
    }
}

/// Fills a configuration with the defaults, for a program that has structures
/// of these sizes.
///
/// Returns an error, with an alert on stderr, if version 0.1 had larger ones.
/// Then nothing is written.
///
/// # Safety
///
/// `conf` is NULL or has `size` writable bytes.
pub unsafe fn init(conf: *mut ngx_core_conf_t, size: usize, listening_size: usize) -> Result {
    if conf.is_null() {
        return Err(Status::Error);
    }

    check(size, conf::FIRST_SIZE, "ngx_core_conf_t")?;
    check(listening_size, addresses::FIRST_SIZE, "ngx_listening_t")?;

    let value = ngx_core_conf_t {
        size,
        listening_size,
        ..DEFAULTS
    };

    // SAFETY: `conf` has `size` bytes, as this function demands.
    unsafe { sized::write(conf, size, &value) };

    Ok(())
}

/// Checks a size that the program passes.
fn check(size: usize, first: usize, name: &str) -> Result {
    if sized::is_valid(size, first) {
        return Ok(());
    }

    let log = ErrorLog::log_of(log_file::init(None, None));

    Err(log.refuse(format_args!(
        "invalid size {size} of {name}, it has {first} to {} bytes",
        sized::LARGEST
    )))
}
