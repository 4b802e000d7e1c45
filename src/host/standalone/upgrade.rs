//! Replaces the binary of a program while the program runs. The new binary
//! inherits the listening sockets, which stay open.

use std::ffi::CStr;
use std::fmt::Write;
use std::os::fd::RawFd;
use std::ptr;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::arguments;
use super::cycle::Cycle;
use super::kept_zones;
use super::left_files;
use super::listening::Listening;
use super::open_sockets::OpenSockets;
use super::pidfile::{self, Reason};
use super::service_manager;
use crate::config::ngx_pid_t;
use crate::host::execute::{Executable, execute};
use crate::host::globals::ngx_argv;
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::address::Address;
use crate::sys::text::Text;
use crate::sys::{environment, heap, listen};
use crate::table::slots::Work;

/// The environment variable with the descriptors of the inherited sockets: for
/// each socket its number and ";".
const VARIABLE: &str = "NGINX";
const VARIABLE_NAME: &CStr = c"NGINX";

/// The environment variable for what nginx's variable does not say, see [`entries`].
const ENTRIES: &str = "NGX_IPC_LISTEN";
const ENTRIES_NAME: &CStr = c"NGX_IPC_LISTEN";

/// Executes the program's file again, which is now the new binary, and hands
/// down the listening sockets of `cycle`. Returns the pid of the new master.
///
/// The pid file is renamed before the execution. If the file cannot be
/// executed, the function gives the pid file its name back, and logs an alert.
pub fn exec_new_binary(cycle: Cycle) -> Result<ngx_pid_t> {
    let log = cycle.log();

    let program = arguments::program();

    if program.bytes().is_none() {
        return Err(log.refuse(format_args!("the program's arguments are not known")));
    }

    if !pidfile::rename_to_old(cycle, log, program) {
        return Err(Status::Error);
    }

    execute_with_sockets(cycle, log, program)
        .inspect_err(|_| pidfile::rename_back(cycle, log, Reason::NotExecuted, program))
}

fn open_sockets(cycle: Cycle) -> impl Iterator<Item = RawFd> {
    cycle.listening().map(Listening::fd).filter(|&fd| fd != -1)
}

fn execute_with_sockets(cycle: Cycle, log: Log, program: Text) -> Result<ngx_pid_t> {
    let no_memory = |err| log.fail(Level::Emerg, err, format_args!("malloc() failed"));
    let variable = variable(cycle).map_err(no_memory)?;
    let variable = CStr::from_bytes_until_nul(&variable).unwrap_or_default();
    let entries = entries(cycle).map_err(no_memory)?;
    let entries = CStr::from_bytes_until_nul(&entries).unwrap_or_default();
    let zones = kept_zones::write().map_err(no_memory)?;
    let descriptors = kept_zones::descriptors().map_err(no_memory)?;
    let zones = CStr::from_bytes_until_nul(&zones).unwrap_or_default();
    let service = service_manager::variables().map_err(no_memory)?;
    let service = service
        .iter()
        .flatten()
        .flat_map(|text| CStr::from_bytes_until_nul(text));
    let mut envp = environment::with(variable).map_err(no_memory)?;

    for text in [entries, zones].into_iter().chain(service) {
        // SAFETY: `envp` is an array of strings that ends with NULL. The strings are
        // those of the environment and of these variables, which live until the new
        // binary has been executed.
        envp = unsafe { environment::add(envp.as_ptr(), text) }.map_err(no_memory)?;
    }

    let work = Work {
        proc: ptr::null_mut(),
        data: ptr::null_mut(),
        name: Text::new(c"new binary process"),
    };

    let executable = Executable {
        path: program,
        argv: ngx_argv.load(Relaxed).cast(),
        envp: envp.as_ptr(),
    };

    // SAFETY: `ngx_argv` and `envp` are arrays of strings that end with NULL,
    // and `envp` lives until the new binary has been executed.
    unsafe {
        execute(log, work, executable, &mut || {
            open_sockets(cycle).for_each(listen::hand_down);
            descriptors.iter().copied().for_each(listen::hand_down);
        })
    }
}

/// The environment variable with the descriptors of the listening sockets, with
/// a NUL at its end.
fn variable(cycle: Cycle) -> std::result::Result<Vec<u8>, Errno> {
    let mut text = heap::Writer::new();

    write!(text, "{VARIABLE}=").or(Err(Errno::ENOMEM))?;

    for fd in open_sockets(cycle) {
        write!(text, "{fd};").or(Err(Errno::ENOMEM))?;
    }

    write!(text, "\0").or(Err(Errno::ENOMEM))?;

    Ok(text.into_bytes())
}

/// The environment variable with the entries of the configuration whose addresses do
/// not say which socket they mean, and of Unix sockets whose files belong to the service
/// manager: for each its descriptor, "=", the length of the address in bytes, ":" and the
/// address, which can have any characters. It has a NUL at its end.
fn entries(cycle: Cycle) -> std::result::Result<Vec<u8>, Errno> {
    let mut text = heap::Writer::new();

    write!(text, "{ENTRIES}=").or(Err(Errno::ENOMEM))?;

    for ls in cycle.listening().filter(|ls| ls.fd() != -1) {
        let is_needed = |address: &Address<'_>| {
            address.is_vague() || address.path().is_some_and(left_files::has)
        };

        if let Some(address) = ls.address().filter(is_needed) {
            let mut bytes = heap::Writer::new();

            write!(bytes, "{address}").or(Err(Errno::ENOMEM))?;

            let len = bytes.into_bytes().len();

            write!(text, "{}={len}:{address}", ls.fd()).or(Err(Errno::ENOMEM))?;
        }
    }

    write!(text, "\0").or(Err(Errno::ENOMEM))?;

    Ok(text.into_bytes())
}

/// Takes over the variable that [`entries`] makes.
///
/// Returns an error, with an emergency in `log`, if there is no memory.
fn take_entries(sockets: &mut OpenSockets<'_>, log: Log) -> Result {
    let mut list = environment::get(ENTRIES_NAME).unwrap_or_default();

    while let Some((fd, address, rest)) = first_entry(list) {
        if address.is_vague() {
            sockets.set_entry(fd, address);
        } else if let Some(path) = address.path() {
            left_files::add(path)
                .map_err(|err| log.fail(Level::Emerg, err, format_args!("malloc() failed")))?;
        }

        list = rest;
    }

    environment::remove(ENTRIES_NAME);

    Ok(())
}

/// The first entry of a text that [`entries`] makes, and the rest of the text. `None` if
/// there is no valid entry.
fn first_entry(list: &str) -> Option<(RawFd, Address<'_>, &str)> {
    let (fd, rest) = list.split_once('=')?;
    let (len, rest) = rest.split_once(':')?;
    let (address, rest) = rest.split_at_checked(len.parse().ok()?)?;

    Some((fd.parse().ok()?, Address::parse(address)?, rest))
}

/// Logs that the variable of the sockets is faulty. The program starts nevertheless.
fn complain(log: Log, err: Option<Errno>, what: std::fmt::Arguments<'_>) {
    log.error(Level::Emerg, err, what);
}

/// Takes the listening sockets that an old binary has handed down to this
/// program; `None` if no old binary has executed this program.
///
/// Returns an error, with an emergency in `log`, if there is no memory.
pub fn inherited_sockets(log: Log) -> Result<Option<OpenSockets<'static>>> {
    let Some(list) = environment::get(VARIABLE_NAME) else {
        return Ok(None);
    };

    log.error(
        Level::Notice,
        None,
        format_args!("using inherited sockets from \"{list}\""),
    );

    let mut sockets = OpenSockets::none();

    for number in list.split([';', ':']).filter(|number| !number.is_empty()) {
        let Ok(fd) = number.parse() else {
            complain(
                log,
                None,
                format_args!(
                    "invalid socket number \"{number}\" in {VARIABLE} environment variable, \
                     ignoring the rest of the variable"
                ),
            );
            break;
        };

        if sockets.has(fd) {
            complain(
                log,
                None,
                format_args!("socket number \"{fd}\" is twice in {VARIABLE} environment variable"),
            );
            continue;
        }

        match listen::inherit(fd) {
            Ok(sock) => sockets.add(sock, None, log)?,
            Err(err) => complain(
                log,
                Some(err),
                format_args!("descriptor {fd} in {VARIABLE} environment variable failed"),
            ),
        }
    }

    // The programs that this process executes have not inherited the sockets.
    environment::remove(VARIABLE_NAME);
    take_entries(&mut sockets, log)?;

    Ok(Some(sockets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_entries_have_any_characters() {
        let list = "3=10:fdname:a;b12=15:unix:/a;4=2:xé5=11:127.0.0.1:0";
        let (fd, address, list) = first_entry(list).unwrap();

        assert_eq!((fd, address), (3, Address::Named("a;b")));

        let (fd, address, list) = first_entry(list).unwrap();

        assert_eq!((fd, address.to_string()), (12, "unix:/a;4=2:xé".into()));

        let (fd, address, list) = first_entry(list).unwrap();

        assert_eq!((fd, address.to_string()), (5, "127.0.0.1:0".into()));
        assert_eq!(list, "");

        for list in ["", "3", "3=", "3=5", "3=9:fd:4", "x=4:fd:4", "3=7:fdname:"] {
            assert!(first_entry(list).is_none(), "{list}");
        }
    }
}
