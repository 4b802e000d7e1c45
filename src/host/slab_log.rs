//! The log lines of pools.

use std::fmt;

use super::lock_owner::log;
#[cfg(not(feature = "standalone"))]
use super::nginx::variables::ngx_debug_point as debug_point;
#[cfg(feature = "standalone")]
use super::standalone::debug_point::debug_point;
use crate::log::Level;
use crate::sys::time::monotonic;
use crate::zone::slab::pool::{Fault, Pool, Result};
use crate::zone::slab::{no_memory, usage};

/// The text that the program has set for the log lines of a pool.
pub struct Context<'a>(pub &'a Pool);

impl fmt::Display for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 256];
        let mut len = 0;

        for (to, byte) in bytes.iter_mut().zip(self.0.log_ctx()) {
            *to = byte;
            len += 1;
        }

        for chunk in bytes.get(..len).unwrap_or_default().utf8_chunks() {
            f.write_str(chunk.valid())?;

            if !chunk.invalid().is_empty() {
                f.write_str("\u{fffd}")?;
            }
        }

        Ok(())
    }
}

/// The value of an operation for `size` bytes. If it has failed, a line in the log says
/// why.
pub fn reported<T>(pool: &Pool, size: usize, result: Result<T>) -> Option<T> {
    result.map_err(|fault| report(pool, size, fault)).ok()
}

#[cold]
#[inline(never)]
pub fn report(pool: &Pool, size: usize, fault: Fault) {
    let context = Context(pool);
    let alert = |text| log().error(Level::Alert, None, text);

    match fault.text() {
        Some(text) => alert(format_args!("{text}{context}")),
        None if fault == Fault::NoMemory => report_no_memory(pool, size),
        None => alert(format_args!(
            "slab: the pool at {:#x} is damaged{context}",
            pool.at(0)
        )),
    }

    if fault == Fault::Busy {
        debug_point();
    }
}

fn report_no_memory(pool: &Pool, size: usize) {
    if !pool.logs_no_memory() || !log().has(Level::Crit) {
        return;
    }

    let Some(more) = no_memory::is_due(pool.at(0), monotonic().as_msec()) else {
        return;
    };

    log().error(
        Level::Crit,
        None,
        format_args!(
            "ngx_slab_alloc() failed: no memory{}, {size} bytes requested, \
             largest free run: {} pages, {more} failures not logged",
            Context(pool),
            usage::longest(pool).unwrap_or_default()
        ),
    );
}
