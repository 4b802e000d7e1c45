//! [`ProgramConf`], a handle for a configuration that the program passes.

use std::ptr::NonNull;

use super::addresses;
use super::conf::{self, Conf, DEFAULTS};
use super::draft::Draft;
use super::log::ErrorLog;
use super::log_file;
use super::report::Reporting;
use super::types::ngx_core_conf_t;
use crate::host::sized;
use crate::log::Log;
use crate::status::{Result, Status};

/// The sizes of an `ngx_core_conf_t` and an `ngx_listening_t` in version 0.1.
pub const FIRST_SIZES: (usize, usize) = (conf::FIRST_SIZE, addresses::FIRST_SIZE);

/// A configuration of the program. If the program was compiled with headers of
/// another version, the structure can have more or fewer fields than the
/// library knows.
///
/// Invariant: the pointer points to the program's structure, which has at least
/// the fields of version 0.1. If the sizes in the structure are valid, they are
/// the sizes with which the program was compiled, and the fields are as
/// [`Conf`] requires.
#[derive(Clone, Copy)]
pub struct ProgramConf(NonNull<ngx_core_conf_t>);

impl ProgramConf {
    /// Makes a handle of C's pointer `conf`; `None` if `conf` is NULL.
    ///
    /// # Safety
    ///
    /// `conf` is NULL or points to a configuration that keeps the invariant of
    /// [`ProgramConf`] as long as the handle is used.
    pub unsafe fn from_ptr(conf: *const ngx_core_conf_t) -> Option<Self> {
        NonNull::new(conf.cast_mut()).map(Self)
    }

    /// Makes a copy that has all fields of the library. Fields that the
    /// program's structure does not have get the defaults.
    ///
    /// Returns an error, with an alert in the log, if the program has not
    /// initialised the configuration, or with an emergency if there is no
    /// memory.
    pub fn draft(self, log: Log) -> Result<Draft> {
        self.copy(log, |_| {})
    }

    /// Makes a copy, as [`Self::draft`] does. `reporting` is set when the structure is
    /// known to be initialised, and reports the lines of the log from then on.
    pub fn reported_draft(self, log: Log, reporting: &mut Option<Reporting>) -> Result<Draft> {
        self.copy(log, |conf| *reporting = Some(Reporting::new(conf)))
    }

    fn copy(self, log: Log, known: impl FnOnce(&ngx_core_conf_t)) -> Result<Draft> {
        let from = self.0.as_ptr();

        // SAFETY: the structure has the field `size`, because version 0.1 has
        // it (the type's invariant).
        let size = unsafe { (&raw const (*from).size).read() };

        conf::check_initialised(size, conf::FIRST_SIZE, "ngx_core_conf_t", log)?;

        // SAFETY: the structure has `size` bytes (the type's invariant), and in
        // each version it ends with a field.
        let copy = unsafe { sized::read(from, size, DEFAULTS) };

        known(&copy);

        // SAFETY: each field of the copy is a default or has the value of the
        // program's structure, which keeps the invariant of `Conf`.
        let conf = unsafe { Conf::from_ref(&copy) };

        conf.check_sizes(log)?;

        Draft::of(conf, log)
    }
}

/// Writes the defaults to a configuration of a program in whose headers an
/// `ngx_core_conf_t` has `size` bytes and an `ngx_listening_t` has
/// `listening_size` bytes.
///
/// Returns an error, with an alert on stderr, and writes nothing, if a size is
/// less than in version 0.1.
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

    // SAFETY: the caller passes a `conf` with `size` writable bytes.
    unsafe { sized::write(conf, size, &value) };

    Ok(())
}

/// Checks `size`, which the program passes. `first` is the size in bytes that
/// the structure `name` has in version 0.1.
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
