//! Makes the log of a configuration.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::NonNull;

use super::conf::Conf;
use super::cycle::Cycle;
use super::log::{ErrorLog, ngx_log_s};
use super::log_file::open;
use super::log_output::{self, Output, Target, output_of};
use super::palloc::Pool;
use super::reopen::close_log;
use super::syslog::Peer;
use super::syslog_conf;
use super::types::{ngx_core_conf_t, ngx_open_file_s};
use crate::config::{ngx_fd_t, ngx_str_t};
use crate::log::Level;
use crate::status::{Result, Status};
use crate::sys::text;
use crate::sys::trusted::Owner;

/// What the field `error_log` says.
enum Place<'a> {
    Stderr,
    File(&'a Path),
    /// The parameters behind "syslog:".
    Syslog(&'a [u8]),
}

impl<'a> Conf<'a> {
    fn log_place(self) -> Place<'a> {
        match self.error_log_text() {
            None | Some(b"" | b"stderr") => Place::Stderr,
            Some(text) => match text.strip_prefix(b"syslog:") {
                Some(parameters) => Place::Syslog(parameters),
                None => Place::File(Path::new(OsStr::from_bytes(text))),
            },
        }
    }

    /// The file of the log; `None` if the log has no file, or if the file is stderr.
    pub fn error_log(self) -> Option<&'a Path> {
        match self.log_place() {
            Place::File(path) => Some(path),
            Place::Stderr | Place::Syslog(_) => None,
        }
    }
}

/// Makes the log of `conf` in the pool. The log writes to stderr until [`open_file`] is
/// called.
///
/// Returns an error, with an emergency in the log of the present cycle, if the
/// configuration of the log is invalid or there is no memory.
pub fn put_log(pool: Pool, conf: Conf<'_>) -> Result<ErrorLog> {
    let fields = conf.copy();
    let file = pool.put(ngx_open_file_s {
        fd: libc::STDERR_FILENO,
        name: ngx_str_t {
            len: 0,
            data: fields.error_log.cast_mut().cast(),
        },
    })?;
    let mut log = ngx_log_s::new(fields.log_level, file.as_ptr());
    let json = fields.log_json != 0;

    match conf.log_place() {
        // A function is enough.
        Place::Stderr if fields.error_log.is_null() && fields.log_writer.is_some() => {
            set_writer(pool, &mut log, &fields)?;
        }
        place => {
            let target = match place {
                Place::Syslog(parameters) => Some(Target::Syslog(peer(conf, parameters)?)),
                Place::Stderr | Place::File(_) => json.then_some(Target::File),
            };

            if let Some(target) = target {
                set_output(pool, &mut log, Output { json, target })?;
            }

            if fields.log_writer.is_some() {
                let mut next = ngx_log_s::new(fields.log_level, std::ptr::null_mut());

                set_writer(pool, &mut next, &fields)?;
                log.next = pool.put(next)?.as_ptr();
            }
        }
    }

    let log = pool.put(log)?;

    // SAFETY: the log and its file are in the pool, which lives as long as the
    // cycle that the log belongs to.
    unsafe { ErrorLog::from_ptr(log.as_ptr()) }.ok_or(Status::Error)
}

/// Makes a log hand its lines over to the function of the configuration.
fn set_writer(pool: Pool, log: &mut ngx_log_s, fields: &ngx_core_conf_t) -> Result {
    let (writer, data) = (fields.log_writer, fields.log_writer_data);

    if fields.log_json != 0 {
        let target = Target::Writer(writer, data);

        return set_output(pool, log, Output { json: true, target });
    }

    log.writer = writer;
    log.wdata = data;

    Ok(())
}

fn set_output(pool: Pool, log: &mut ngx_log_s, output: Output) -> Result {
    let output: NonNull<Output> = pool.put(output)?;

    log.writer = log_output::writer();
    log.wdata = output.as_ptr().cast();

    Ok(())
}

fn peer(conf: Conf<'_>, parameters: &[u8]) -> Result<Peer> {
    let log = Cycle::log_of(Cycle::current());
    let parameters = str::from_utf8(parameters).map_err(|_| {
        log.error(
            Level::Emerg,
            None,
            format_args!("the syslog parameters are not UTF-8"),
        );
        Status::Error
    })?;
    let parameters = syslog_conf::parse(parameters, log)?;

    Ok(Peer::new(
        &parameters,
        conf.name().unwrap_or(text::program_name()),
    ))
}

/// Opens the file of the log.
///
/// Returns an error, with an emergency in the log of the present cycle, if the file
/// cannot be opened.
pub fn open_file(log: ErrorLog, conf: Conf<'_>) -> Result {
    let Some(path) = conf.error_log() else {
        return Ok(());
    };

    // The workers' user may be able to change the directory of the log.
    let owner = conf
        .identity()
        .ok()
        .flatten()
        .map(|identity| Owner::May(identity.user.as_raw()));

    let fd = open(path, owner).map_err(|err| {
        Cycle::log_of(Cycle::current()).fail(
            Level::Emerg,
            err,
            format_args!("open() \"{}\" failed", path.display()),
        )
    })?;

    log.replace_file(fd);

    Ok(())
}

/// The descriptors of a log.
pub struct Open {
    file: Option<ngx_fd_t>,
    socket: Option<ngx_fd_t>,
}

impl Open {
    /// The descriptors of `log`. The log opens no other socket afterwards.
    pub fn of(log: ErrorLog) -> Self {
        let socket = match output_of(log) {
            Some(Output {
                target: Target::Syslog(peer),
                ..
            }) => peer.take_socket(),
            _ => None,
        };

        Self {
            file: log.file(),
            socket,
        }
    }

    /// Closes the descriptors.
    pub fn close(self) {
        self.file.into_iter().chain(self.socket).for_each(close_log);
    }
}
