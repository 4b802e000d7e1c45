//! Takes the listening sockets that a service manager has opened, `sd_listen_fds(3)`.

use std::ffi::CStr;

use nix::errno::Errno;

use super::open_sockets::OpenSockets;
use crate::log::{Level, Log};
use crate::status::Result;
use crate::sys::{environment, listen, process};

const FDS: &CStr = c"LISTEN_FDS";
const PID: &CStr = c"LISTEN_PID";
const NAMES: &CStr = c"LISTEN_FDNAMES";
/// A newer variable that identifies the process too.
const PIDFDID: &CStr = c"LISTEN_PIDFDID";

/// The number of the first descriptor that the manager hands down.
const FIRST: i32 = 3;

/// Adds the sockets of the manager to `sockets`, and removes its variables from the
/// environment. A descriptor that is no listening socket is logged, and stays open. All
/// of them become close-on-exec.
///
/// Returns an error, with an emergency in `log`, if there is no memory.
pub fn take(sockets: &mut OpenSockets<'static>, log: Log) -> Result {
    let count = count(log);
    let names = environment::get(NAMES).unwrap_or_default();

    for name in [FDS, PID, NAMES, PIDFDID] {
        environment::remove(name);
    }

    let names = names.split(':').chain(std::iter::repeat(""));

    for (fd, name) in (FIRST..FIRST.saturating_add(count)).zip(names) {
        if sockets.has(fd) {
            continue;
        }

        let err = match listen::inherit_listening(fd) {
            Ok(sock) => {
                sockets.add_named(sock, name, log)?;
                continue;
            }
            Err(err) => err,
        };

        log.error(
            Level::Emerg,
            Some(err),
            format_args!("descriptor {fd} of LISTEN_FDS cannot be used to listen"),
        );

        if err == Errno::EBADF {
            break;
        }
    }

    Ok(())
}

/// The number of descriptors that the manager hands down to this process.
fn count(log: Log) -> i32 {
    let Some(text) = environment::get(FDS) else {
        return 0;
    };
    let Some(count) = text.parse::<i32>().ok().filter(|&count| count >= 0) else {
        log.error(
            Level::Warn,
            None,
            format_args!("invalid number \"{text}\" in LISTEN_FDS, ignored"),
        );
        return 0;
    };
    let pid = environment::get(PID).unwrap_or_default();

    if pid.parse() != Ok(process::getpid()) {
        log.error(
            Level::Warn,
            None,
            format_args!("LISTEN_FDS is for process \"{pid}\", ignored"),
        );
        return 0;
    }

    log.error(
        Level::Notice,
        None,
        format_args!("using {count} sockets of the service manager"),
    );

    count
}
