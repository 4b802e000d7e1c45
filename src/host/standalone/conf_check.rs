//! Checks the values of a configuration's fields. A value that means nothing is
//! refused: the program does not start, and a reload keeps the old configuration.

use nix::errno::Errno;

use super::conf::Conf;
use super::types::ngx_core_conf_t;
use crate::log::{DEBUG, Level, Log};
use crate::process::signals::SIGNALS;
use crate::status::{Result, Status};
use crate::sys::text::Text;
use crate::sys::{directory, file, user};
use crate::table::slot::NGX_MAX_PROCESSES;

/// The number of processes that a master can have.
const MOST_PROCESSES: i64 = NGX_MAX_PROCESSES as i64;

/// The most elements of an array. A larger number is a field that the program has not
/// initialised, or a negative number.
const MOST_ELEMENTS: usize = 65536;

/// All bits of debug masks, from `NGX_LOG_DEBUG_CORE` to `NGX_LOG_DEBUG_CONNECTION`.
const MASKS: usize = 0xffff_fff0;

/// The name of a field, its value, and the least and the largest value that it can have.
type Field = (&'static str, i64, i64, i64);

/// The fields that have a number with a range. A number that was negative before C made
/// it unsigned is negative here.
fn fields(conf: &ngx_core_conf_t) -> [Field; 13] {
    const MAX: i64 = i64::MAX;

    let flag = |name, value: isize| (name, value as i64, 0, 1);
    let number = |name, value: isize, least, most| (name, value as i64, least, most);
    let timeout = conf.shutdown_timeout.cast_signed();

    [
        flag("daemon", conf.daemon),
        flag("master", conf.master),
        flag("cpu_affinity_auto", conf.cpu_affinity_auto),
        flag("huge_pages", conf.huge_pages),
        flag("orphans_stay", conf.orphans_stay),
        flag("messages", conf.messages),
        flag("log_json", conf.log_json),
        flag("keep_zones", conf.keep_zones),
        number("worker_processes", conf.worker_processes, 0, MOST_PROCESSES),
        number("shutdown_timeout", timeout, 0, MAX),
        number("debug_points", conf.debug_points, 0, 2),
        number("rlimit_nofile", conf.rlimit_nofile, -1, MAX),
        number("priority", conf.priority as isize, -20, 20),
    ]
}

/// Logs an emergency. Returns the error for the caller.
fn refuse(log: Log, text: std::fmt::Arguments<'_>) -> Status {
    log.error(Level::Emerg, None, text);

    Status::Error
}

fn check_range(log: Log, (name, value, least, most): Field) -> Result {
    if (least..=most).contains(&value) {
        return Ok(());
    }

    Err(if most == i64::MAX {
        refuse(
            log,
            format_args!("invalid value {value} of {name}, it is {least} or more"),
        )
    } else {
        refuse(
            log,
            format_args!("invalid value {value} of {name}, it is {least} to {most}"),
        )
    })
}

/// Checks a level, or debug masks, which can have the bits of a level too.
fn check_level(level: usize, log: Log) -> Result {
    if level & !MASKS <= DEBUG {
        return Ok(());
    }

    Err(refuse(
        log,
        format_args!(
            "invalid value {level:#x} of log_level, it is NGX_LOG_STDERR to NGX_LOG_DEBUG, \
             or masks NGX_LOG_DEBUG_..."
        ),
    ))
}

impl Conf<'_> {
    /// Checks that the arrays can be read: an array with elements is not NULL.
    ///
    /// Returns an error, with an emergency in the log, if an array cannot be read.
    pub fn check_arrays(self, log: Log) -> Result {
        let conf = self.copy();

        for (name, n, is_null) in [
            ("listening", conf.listening_n, conf.listening.is_null()),
            ("helpers", conf.helpers_n, conf.helpers.is_null()),
        ] {
            if n > MOST_ELEMENTS {
                let n = n.cast_signed();

                return Err(refuse(log, format_args!("invalid value {n} of {name}_n")));
            }

            if n != 0 && is_null {
                return Err(refuse(log, format_args!("{name} is NULL, {name}_n is {n}")));
            }
        }

        Ok(())
    }

    /// Checks the values of the fields, and that the user, the group and the working
    /// directory exist.
    ///
    /// Returns an error, with an emergency in the log, if a value is invalid.
    pub fn check(self, log: Log) -> Result {
        let conf = self.copy();

        for field in fields(&conf) {
            check_range(log, field)?;
        }

        check_range(log, ("rlimit_core", conf.rlimit_core, -1, i64::MAX))?;
        check_level(conf.log_level, log)?;

        if conf.rlimit_nofile == 0 {
            return Err(refuse(
                log,
                format_args!("invalid value 0 of rlimit_nofile, workers need descriptors"),
            ));
        }

        self.check_status_signal(log)?;
        self.check_helpers(log)?;
        self.check_directory(log)?;
        self.check_user(log)
    }

    fn check_status_signal(self, log: Log) -> Result {
        let Some(signo) = self.status_signal() else {
            return Ok(());
        };

        if SIGNALS.iter().any(|signal| signal.signo == signo) {
            return Err(refuse(
                log,
                format_args!("invalid value {signo} of status_signal, the library uses it"),
            ));
        }

        Ok(())
    }

    /// Checks the helpers: each has a handler, and the master can have so many
    /// processes.
    fn check_helpers(self, log: Log) -> Result {
        let (workers, helpers) = (self.worker_processes(), self.count_helpers());

        if workers.saturating_add(helpers) > NGX_MAX_PROCESSES {
            return Err(refuse(
                log,
                format_args!(
                    "{workers} workers and {helpers} helpers are more than {NGX_MAX_PROCESSES} \
                     processes"
                ),
            ));
        }

        for n in 0..helpers {
            if self
                .helper(n)
                .is_some_and(|helper| helper.handler().is_none())
            {
                return Err(refuse(log, format_args!("helper {n} has no handler")));
            }
        }

        Ok(())
    }

    fn check_directory(self, log: Log) -> Result {
        let Some(path) = self.working_directory() else {
            return Ok(());
        };
        let check = || file::check_directory(directory::absolute(path)?.as_path());

        match check() {
            // The user of the workers can have rights that the master does not have.
            Ok(()) | Err(Errno::EACCES) => Ok(()),
            Err(err) => Err(log.fail(
                Level::Emerg,
                err,
                format_args!("working_directory \"{}\" cannot be used", path.display()),
            )),
        }
    }

    /// Checks that the user and the group exist. Warns if the master is not root, so that
    /// the workers cannot get another user.
    ///
    /// Returns an error, with an emergency in the log, if the user or the group
    /// does not exist, or if a group is configured without a user.
    fn check_user(self, log: Log) -> Result {
        let conf = self.copy();

        if conf.username.is_null() && !conf.groupname.is_null() {
            return Err(refuse(log, format_args!("a group needs a user to go with")));
        }

        // SAFETY: `username` is NULL or NUL-terminated (the invariant of
        // `Conf`).
        let name = unsafe { Text::from_ptr(conf.username) };

        self.identity().map_err(|err| {
            log.fail(
                Level::Emerg,
                err,
                format_args!("user \"{name}\" or its group not found"),
            )
        })?;

        if !conf.username.is_null() && !user::is_root() {
            log.error(
                Level::Warn,
                None,
                format_args!(
                    "the field \"username\" has an effect only if the master process runs \
                     as root, ignored"
                ),
            );
        }

        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::numbers;
    use crate::sys::log::RawLog;

    #[test]
    fn levels_and_masks() {
        let log = Log::new(RawLog::none());
        let core = numbers::NGX_LOG_DEBUG_CORE as usize;

        for level in [0, 1, 8, core, core | 6, MASKS, MASKS | 8] {
            assert!(check_level(level, log).is_ok(), "{level:#x}");
        }

        for level in [9, 15, core | 9, usize::MAX, 1 << 32] {
            assert!(check_level(level, log).is_err(), "{level:#x}");
        }
    }
}
