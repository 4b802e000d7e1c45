//! Stores the names of a cycle's sockets in its `ngx_listening_t` structures, for
//! programs that read the fields `sockaddr` and `addr_text` as in nginx.

use std::fmt::Write as _;

use super::cycle::Cycle;
use super::listening::Listening;
use super::palloc::Pool;
use crate::config::ngx_str_t;
use crate::log::Line;
use crate::status::Result;
use crate::sys::address::{BoundTo, RawName};

/// Stores the names of the sockets of `cycle`, which are open.
///
/// Returns an error, with an emergency in the log, if there is no memory.
pub fn put(cycle: Cycle) -> Result {
    let Some(pool) = cycle.pool() else {
        return Ok(());
    };

    cycle.listening().try_for_each(|ls| put_name(pool, ls))
}

fn put_name(pool: Pool, ls: Listening) -> Result {
    let Some(name) = RawName::of(ls.fd()) else {
        return Ok(());
    };
    let mut text = Line::new();

    // The line has room for each address.
    let _ = write!(text, "{}", BoundTo(ls.fd()));

    let address = pool.put(name)?;
    let text = put_text(pool, text.bytes())?;

    // The structure begins with the address.
    ls.set_name(address.as_ptr().cast(), name.length(), text);

    Ok(())
}

/// Copies a text to the pool, with a NUL behind it.
pub fn put_text(pool: Pool, text: &[u8]) -> Result<ngx_str_t> {
    let memory = pool.allocate_unaligned(text.len() + 1)?.cast::<u8>();

    // SAFETY: the memory has just been allocated with this size.
    unsafe {
        memory.copy_from_nonoverlapping(std::ptr::NonNull::from(text).cast(), text.len());
        memory.add(text.len()).write(0);
    }

    Ok(ngx_str_t {
        len: text.len(),
        data: memory.as_ptr(),
    })
}
