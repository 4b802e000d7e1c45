//! A copy of a pool at another address. The links of a pool are addresses, so a copy is
//! usable only if they are changed.

use std::sync::atomic::Ordering::Relaxed;

use super::layout::{HEADER, PAGE, field, page};
use super::pool::{Pool, Result};
use crate::sys::words::Words;

/// The fields of the header that are addresses in the pool.
const ADDRESSES: [usize; 10] = [
    field::PAGES,
    field::LAST,
    field::FREE + page::NEXT,
    field::FREE + page::PREV,
    field::STATS,
    field::START,
    field::END,
    field::LOG_CTX,
    field::DATA,
    field::ADDR,
];

/// The most sizes of chunks: a page has 64 KiB at most, and the smallest chunk 1 byte.
const SLOTS: usize = 16;

/// A bit that no address of a process has.
const OUTSIDE: usize = 1 << (usize::BITS - 1);

/// Changes the links in `copy`, a copy of the pool at the address `from`, to addresses in the
/// copy. A link that leads out of the pool leads out of the copy afterwards. The bytes of the
/// pool may be damaged in any way.
///
/// The record of an operation keeps its addresses, so nothing can be undone in the copy.
pub fn rebase(copy: &Words, from: usize) {
    if copy.start() == from {
        return;
    }

    for at in ADDRESSES {
        change(copy, from, copy.start().wrapping_add(at));
    }

    // A damaged header ends the work. A verifier finds the damage, too.
    let _ = links(&Pool::new(*copy), from);
}

/// Changes the links of the heads of lists and of the descriptors of pages.
fn links(pool: &Pool, from: usize) -> Result {
    let heads = pool.at(HEADER);
    let (pages, last) = (pool.field(field::PAGES)?, pool.field(field::LAST)?);
    let heads = (0..pool.slots()?.min(SLOTS)).map(|n| heads.wrapping_add(n * PAGE));
    let descriptors = (0..last.saturating_sub(pages) / PAGE)
        .map(|n| pages.wrapping_add(n.wrapping_mul(PAGE)))
        .take_while(|&descriptor| pool.words().contains(descriptor, PAGE));

    for place in heads.chain(descriptors) {
        change(pool.words(), from, place.wrapping_add(page::NEXT));
        change(pool.words(), from, place.wrapping_add(page::PREV));
    }

    Ok(())
}

/// Changes the address that is stored at `place`.
fn change(copy: &Words, from: usize, place: usize) {
    let Some(word) = copy.word(place) else {
        return;
    };
    let value = word.load(Relaxed);
    let at = value.wrapping_sub(from);

    let value = if at <= copy.size() {
        copy.start().wrapping_add(at)
    } else if value.wrapping_sub(copy.start()) <= copy.size() {
        value | OUTSIDE
    } else {
        value
    };

    word.store(value, Relaxed);
}
