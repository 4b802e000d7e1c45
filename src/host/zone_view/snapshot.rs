//! A copy of a zone of another process. The functions of `zone::slab` work in it, wherever it
//! is in this process.
//!
//! Only those bytes are copied that these functions read, because the kernel would give the
//! zone memory for pages that were never used.

use nix::errno::Errno;

use super::find::{CONTEXT, Zone};
use super::lock::Lock;
use crate::sys::other_process::{MemoryCopy, OtherProcess};
use crate::sys::time;
use crate::zone::slab::change::{RECORD, place};
use crate::zone::slab::layout::{KIND_SMALL, PAGE, SHIFT_MASK, field, page};
use crate::zone::slab::pool::Pool;
use crate::zone::slab::rebase::rebase;
use crate::zone::typed::word;

/// The bytes at the beginning of a zone in which each operation changes something: the header,
/// the heads of the lists and the counters.
const HEAD: usize = 2048;

/// How often a copy is made, and the pause between two, in milliseconds, until no operation is in
/// progress meanwhile.
const ATTEMPTS: usize = 50;
const PAUSE: usize = 2;

/// How much of a zone is copied.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What comes before the first page.
    Tables,
    /// Also the bits of pages with small chunks.
    Bits,
}

/// A copy of a zone.
pub struct Snapshot {
    /// The pool in the copy.
    pub pool: Pool,
    /// Whether no operation was in progress while the copy was made. If not, the parts of the copy
    /// can be of different moments.
    pub is_whole: bool,
}

/// Copies a zone, again and again until `is_enough` accepts a copy or no operation is in
/// progress meanwhile. Returns the last copy.
pub fn take(
    process: &OtherProcess,
    zone: &Zone<'_>,
    depth: Depth,
    mut is_enough: impl FnMut(&Snapshot) -> bool,
) -> Result<Snapshot, Errno> {
    let memory = MemoryCopy::near(zone.start, zone.size)?;
    let mut attempts = 0;

    loop {
        let is_whole = copy(process, zone, depth, &memory)?;
        let snapshot = Snapshot {
            pool: Pool::new(memory.words()),
            is_whole,
        };

        attempts += 1;

        if is_whole || attempts == ATTEMPTS || is_enough(&snapshot) {
            return Ok(snapshot);
        }

        time::pause(PAUSE);
    }
}

/// Copies a zone to `memory`. Returns whether no operation was in progress meanwhile.
fn copy(
    process: &OtherProcess,
    zone: &Zone<'_>,
    depth: Depth,
    memory: &MemoryCopy,
) -> Result<bool, Errno> {
    let (mut before, mut after) = ([0; HEAD], [0; HEAD]);
    let len = HEAD.min(zone.size);

    read_head(process, zone, &mut before, len)?;
    copy_tables(process, zone, memory)?;
    rebase(&memory.words(), zone.start);

    if depth == Depth::Bits {
        copy_bits(process, zone, memory)?;
    }

    read_head(process, zone, &mut after, len)?;

    let lock = before
        .first_chunk()
        .map_or(Lock(0), |&word| Lock(u64::from_ne_bytes(word)));

    Ok(before == after && !lock.is_in_use(process))
}

fn read_head(
    process: &OtherProcess,
    zone: &Zone<'_>,
    head: &mut [u8; HEAD],
    len: usize,
) -> Result<(), Errno> {
    process.read(zone.start, head.get_mut(..len).unwrap_or_default())
}

/// Copies what comes before the first page, the text for log lines, the header of a typed zone,
/// and the record.
fn copy_tables(process: &OtherProcess, zone: &Zone<'_>, memory: &MemoryCopy) -> Result<(), Errno> {
    let fill = |at, len| memory.fill(process, zone.start, at, len);

    fill(0, HEAD)?;

    // The addresses in the copy are still those of the other process.
    let words = memory.words();
    let offset = |at: usize| {
        let address = words.field(at).unwrap_or_default();

        address.wrapping_sub(zone.start)
    };
    let (last, start) = (offset(field::LAST), offset(field::START));

    if last <= start && start <= zone.size {
        fill(HEAD, start.saturating_sub(HEAD))?;
    }

    fill(offset(field::LOG_CTX), CONTEXT)?;
    fill(offset(field::DATA), word::LOG)?;

    let pages = last.saturating_sub(offset(field::PAGES)) / PAGE;
    let record = place(last, start, offset(field::END));
    let end = start.saturating_add(pages.saturating_mul(Pool::new(words).sizes().page()));

    // In a pool of nginx, which has no record, these bytes can be those of the last page.
    if record >= end {
        fill(record, RECORD)?;
    }

    Ok(())
}

/// Copies the bits of pages with small chunks. `memory` is rebased already.
fn copy_bits(process: &OtherProcess, zone: &Zone<'_>, memory: &MemoryCopy) -> Result<(), Errno> {
    let pool = Pool::new(memory.words());
    let sizes = pool.sizes();
    let (Ok(pages), Ok(last)) = (pool.field(field::PAGES), pool.field(field::LAST)) else {
        return Ok(());
    };
    let descriptors = (0..last.saturating_sub(pages) / PAGE)
        .map(|n| pages.wrapping_add(n.wrapping_mul(PAGE)))
        .take_while(|&descriptor| pool.words().contains(descriptor, PAGE));

    for descriptor in descriptors {
        let (Ok(KIND_SMALL), Ok(slab), Ok(address)) = (
            pool.kind(descriptor),
            pool.page_field(descriptor, page::SLAB),
            pool.page(descriptor),
        ) else {
            continue;
        };
        let at = address.wrapping_sub(pool.at(0));

        memory.fill(process, zone.start, at, sizes.chunks(slab & SHIFT_MASK) / 8)?;
    }

    Ok(())
}
