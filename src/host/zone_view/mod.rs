//! The program `ngx-ipc-zone`: shows, checks and copies the zones of a running process.
//!
//! The process can be one of this library or of any nginx, because the layout of a pool is
//! nginx's. It is not stopped, gets no signal, and nothing is written to its memory. All that is
//! read there can be damaged or written by an attacker, so each number is checked before it is
//! used.
//!
//! - [`arguments`]: the command line
//! - [`find`]: the zones of a process
//! - [`lock`]: the process that holds the lock of a zone
//! - [`snapshot`]: a copy of a zone, in which all functions of `zone::slab` work
//! - `show`: the list of zones, and the details of one
//! - `check`: the verifier
//! - `typed`: the type of a zone, and its transaction
//! - `dump`: the bytes

pub mod arguments;
mod check;
mod dump;
mod failure;
pub mod find;
pub mod lock;
mod output;
mod show;
pub mod snapshot;
mod typed;

use self::arguments::{Action, Request, Wanted};
use self::failure::{Failure, GOOD, Process, Result, UNAVAILABLE};
use self::find::zones;
use self::output::{Output, Quoted};

/// Runs the program. Returns its exit code.
pub fn run<'a>(arguments: impl Iterator<Item = &'a [u8]>) -> u8 {
    let mut output = Output::new();
    let code = match arguments::read(arguments) {
        Ok(Wanted::Help) => output
            .line(format_args!("{}", arguments::HELP))
            .map(|()| GOOD),
        Ok(Wanted::Version) => output
            .line(format_args!("ngx-ipc-zone {}", env!("CARGO_PKG_VERSION")))
            .map(|()| GOOD),
        Ok(Wanted::Look(request)) => inspect(&request, &mut output),
        Err(why) => {
            output::complain(format_args!("{why}\n{}", arguments::USAGE));
            return UNAVAILABLE;
        }
    };

    code.and_then(|code| output.flush().map(|()| code))
        .unwrap_or_else(|failure| {
            // What was found before is still of use.
            let _ = output.flush();

            if !matches!(failure, Failure::Told) {
                output::complain(format_args!("{failure}"));
            }

            UNAVAILABLE
        })
}

fn inspect(request: &Request<'_>, output: &mut Output) -> Result<u8> {
    let process = &Process::open(request.pid)?;
    let maps = process.memory.maps().map_err(process.failed())?;
    let address = request.zone.and_then(arguments::address);
    let mut zones = zones(&process.memory, &maps, address).map_err(process.failed())?;

    if let Some(wanted) = request.zone {
        // A zone has an address, and perhaps a name.
        zones.retain(|zone| address.map_or(zone.name == wanted, |address| zone.start == address));
    }

    let problem = match (zones.len(), request.zone) {
        (0, None) => Some("has no zones"),
        (0, Some(_)) => Some("has no zone"),
        (2.., Some(_)) => Some("has several zones, and their addresses differ:"),
        _ => None,
    };

    if let Some(problem) = problem {
        let name = Quoted(request.zone);

        output::complain(format_args!("process {} {problem}{name}", request.pid));
        return Err(Failure::Told);
    }

    match (request.action, zones.as_slice()) {
        (Action::Verify, zones) => check::check(process, zones, output),
        (Action::Dump, [zone, ..]) => dump::dump(process, zone).map(|()| GOOD),
        (_, [zone]) if request.zone.is_some() => show::details(process, zone, output),
        (_, zones) => show::list(process, zones, output),
    }
}
