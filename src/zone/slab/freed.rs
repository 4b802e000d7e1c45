//! What follows when the bit of a chunk is cleared: its page can enter a list, or become
//! free.

use super::change::Change;
use super::layout::stat;
use super::pages;
use super::pool::Result;

/// A chunk whose bit is cleared.
#[derive(Clone, Copy)]
pub struct Freed {
    /// The descriptor of its page.
    pub descriptor: usize,
    /// The slot of its size.
    pub slot: usize,
    /// The kind of its page.
    pub kind: usize,
    /// Whether its page had no free chunk.
    pub was_full: bool,
    /// The number of chunks of its page, if all are free now.
    pub chunks: Option<usize>,
}

/// Updates the counters and the lists for a chunk whose bit is cleared.
#[inline(always)]
pub fn end(mut change: Change<'_>, freed: Freed) -> Result {
    let stats = change.pool().stats(freed.slot)?;

    change.add(stats.wrapping_add(stat::USED), usize::MAX)?;

    if freed.was_full || freed.chunks.is_some() {
        return move_page(change, freed, stats);
    }

    Ok(())
}

/// Enters the page of a chunk in its list if it was full, and frees it if it is empty.
#[inline(never)]
fn move_page(mut change: Change<'_>, freed: Freed, stats: usize) -> Result {
    let change = &mut change;

    if freed.was_full {
        let head = change.pool().slot(freed.slot);

        pages::link(change, head, freed.descriptor, freed.kind)?;
    }

    if let Some(chunks) = freed.chunks {
        pages::free(change, freed.descriptor, 1)?;
        change.add(stats.wrapping_add(stat::TOTAL), chunks.wrapping_neg())?;
    }

    Ok(())
}
