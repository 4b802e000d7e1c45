//! Writes the bytes of a zone.

use super::failure::{Failure, Process, Result};
use super::find::Zone;
use super::output::write_bytes;
use crate::sys::heap;

/// The number of bytes that are read at once.
const PART: usize = 256 << 10;

/// Writes the bytes of a zone to the standard output.
pub fn dump(process: &Process, zone: &Zone<'_>) -> Result {
    let mut buffer = heap::zeros(PART.min(zone.size)).or(Err(Failure::Memory))?;
    let mut at = 0;

    while at < zone.size {
        let len = PART.min(zone.size - at);
        let part = buffer.get_mut(..len).unwrap_or_default();

        process
            .memory
            .read(zone.start.wrapping_add(at), part)
            .map_err(process.failed())?;
        write_bytes(part)?;
        at += len;
    }

    Ok(())
}
