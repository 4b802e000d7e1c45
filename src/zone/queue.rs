//! Queues in a zone, nginx's `ngx_queue_t`, that transactions change.
//!
//! A queue is a ring of pairs of addresses, `prev` and `next`. Its head is a pair of its own.

use super::slab::layout::WORD;
use super::transaction::{Fault, Result, Transaction};

const PREV: usize = 0;
const NEXT: usize = WORD;

/// Inserts the element `x` behind the element or head `at`.
pub fn insert_after(transaction: &Transaction<'_>, at: usize, x: usize) -> Result {
    let next = word(transaction, at.wrapping_add(NEXT))?;

    insert(transaction, at, x, next)
}

/// Inserts the element `x` before the element or head `at`.
pub fn insert_before(transaction: &Transaction<'_>, at: usize, x: usize) -> Result {
    let prev = word(transaction, at.wrapping_add(PREV))?;

    insert(transaction, prev, x, at)
}

fn insert(transaction: &Transaction<'_>, prev: usize, x: usize, next: usize) -> Result {
    transaction.change(x.wrapping_add(PREV), prev)?;
    transaction.change(x.wrapping_add(NEXT), next)?;
    transaction.change(prev.wrapping_add(NEXT), x)?;
    transaction.change(next.wrapping_add(PREV), x)
}

/// Removes the element `x`.
pub fn remove(transaction: &Transaction<'_>, x: usize) -> Result {
    let prev = word(transaction, x.wrapping_add(PREV))?;
    let next = word(transaction, x.wrapping_add(NEXT))?;

    transaction.change(prev.wrapping_add(NEXT), next)?;
    transaction.change(next.wrapping_add(PREV), prev)
}

/// Reads a word of a link.
fn word(transaction: &Transaction<'_>, address: usize) -> Result<usize> {
    transaction.word(address).or(Err(Fault::NoQueue))
}

/// The element or head after `x`. Fails if it does not lead back to `x`: another process has
/// overwritten the queue. So no walk is caught in a ring without the head.
pub fn next(transaction: &Transaction<'_>, x: usize) -> Result<usize> {
    let next = word(transaction, x.wrapping_add(NEXT))?;

    if word(transaction, next.wrapping_add(PREV))? == x {
        Ok(next)
    } else {
        Err(Fault::NoQueue)
    }
}

/// The number of elements of the queue `h`.
pub fn count(transaction: &Transaction<'_>, h: usize) -> Result<usize> {
    let most = transaction.pool().words().size() / (NEXT + WORD);
    let mut x = h;

    for n in 0..=most {
        x = next(transaction, x)?;

        if x == h {
            return Ok(n);
        }
    }

    Err(Fault::NoQueue)
}
