//! Sends a signal to a running program. The pid of the program's master is in
//! its pid file.

use super::log::ErrorLog;
use super::log_file;
use super::pidfile;
use super::program_conf::ProgramConf;
use crate::process::signals;
use crate::status::Result;
use crate::sys::text::Text;

/// Sends the signal named `name`: "reload", "reopen", "stop" or "quit".
///
/// Returns an error, with the reason on stderr, if there is no signal of this
/// name or no process with the pid of the pid file.
pub fn send_signal(conf: Option<ProgramConf>, name: Text) -> Result {
    let log = ErrorLog::log_of(log_file::init(None, None));
    let bytes = name.bytes().unwrap_or_default();

    if !signals::is_name(bytes) {
        return Err(log.refuse(format_args!("invalid signal \"{name}\"")));
    }

    let draft = conf.map(|conf| conf.draft(log)).transpose()?;

    let Some(path) = draft.as_ref().and_then(|draft| draft.conf().pid()) else {
        return Err(log.refuse(format_args!("no pid file is configured")));
    };

    signals::os_signal_process(log, bytes, pidfile::read(path, log)?)
}
