//! Queues in a zone, nginx's `ngx_queue_t`, that transactions change.
//!
//! A queue is a ring of pairs of addresses, `prev` and `next`. Its head is a pair of its own.

use super::slab::layout::WORD;
use super::transaction::{Result, Transaction};

const PREV: usize = 0;
const NEXT: usize = WORD;

/// Inserts the element `x` behind the element or head `at`.
pub fn insert_after(transaction: &Transaction<'_>, at: usize, x: usize) -> Result {
    let next = transaction.word(at.wrapping_add(NEXT))?;

    insert(transaction, at, x, next)
}

/// Inserts the element `x` before the element or head `at`.
pub fn insert_before(transaction: &Transaction<'_>, at: usize, x: usize) -> Result {
    let prev = transaction.word(at.wrapping_add(PREV))?;

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
    let prev = transaction.word(x.wrapping_add(PREV))?;
    let next = transaction.word(x.wrapping_add(NEXT))?;

    transaction.change(prev.wrapping_add(NEXT), next)?;
    transaction.change(next.wrapping_add(PREV), prev)
}
