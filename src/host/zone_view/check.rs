//! Checks zones with the verifier.

use super::failure::{DAMAGED, GOOD, Process, Result, UNAVAILABLE};
use super::find::Zone;
use super::lock::Lock;
use super::output::{Output, Title};
use super::snapshot::{Depth, Snapshot, take};
use crate::zone::slab::verify::verify;

/// The most findings that are shown of a zone.
const FINDINGS: usize = 100;

/// Checks zones, and writes what it finds. Returns the exit code.
pub fn check(process: &Process, zones: &[Zone<'_>], output: &mut Output) -> Result<u8> {
    let mut code = GOOD;

    for zone in zones {
        code = match (check_one(process, zone, output)?, code) {
            (DAMAGED, _) | (_, DAMAGED) => DAMAGED,
            (UNAVAILABLE, _) | (_, UNAVAILABLE) => UNAVAILABLE,
            _ => GOOD,
        };
    }

    Ok(code)
}

fn findings(snapshot: &Snapshot) -> usize {
    verify(&snapshot.pool, &mut |_| {}).findings
}

fn check_one(process: &Process, zone: &Zone<'_>, output: &mut Output) -> Result<u8> {
    let title = Title(zone);
    // A copy of a zone in use that has no fault is right, too.
    let snapshot = take(&process.memory, zone, Depth::Bits, |snapshot| {
        findings(snapshot) == 0
    })
    .map_err(process.failed())?;
    let found = findings(&snapshot);

    if found == 0 {
        output.line(format_args!("{title}: right"))?;
        return Ok(GOOD);
    }

    if !snapshot.is_whole {
        let lock = Lock::read(&process.memory, zone.start).map_err(process.failed())?;
        let pid = lock.pid();

        if lock.is_in_use(&process.memory) {
            output.line(format_args!(
                "{title}: cannot be checked, process {pid} holds the lock"
            ))?;
        } else {
            output.line(format_args!("{title}: cannot be checked, it is in use"))?;
        }

        return Ok(UNAVAILABLE);
    }

    let mut result = Ok(());
    let mut n = 0;

    verify(&snapshot.pool, &mut |text| {
        n += 1;

        if n <= FINDINGS && result.is_ok() {
            result = output.line(format_args!("{title}: {text}"));
        }
    });
    result?;

    if found > FINDINGS {
        let more = found - FINDINGS;

        output.line(format_args!("{title}: {more} more findings"))?;
    }

    Ok(DAMAGED)
}
