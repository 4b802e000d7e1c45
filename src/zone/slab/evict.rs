//! Requests that free other pieces when there is no memory, as a cache does.

use super::layout::field;
use super::pool::{Fault, Pool, Result};
use super::usage::sizes;

/// The size of the smallest piece, in bytes.
const LEAST: usize = 8;

/// Tries `alloc` again as long as it finds no memory, after `evict` has freed pieces of the
/// pool. `evict` returns whether it has freed any.
///
/// Fails with [`Fault::NoMemory`] if `evict` has freed nothing and says so, and with
/// [`Fault::NotEvicted`] if it has freed nothing and says something else. So the function ends,
/// whatever `evict` does.
///
/// No operation is in progress while `evict` runs, so it can use the pool. A process that dies
/// in it leaves a pool that is right.
pub fn alloc_or_evict<T>(
    pool: &Pool,
    alloc: impl Fn() -> Result<T>,
    mut evict: impl FnMut() -> bool,
) -> Result<T> {
    // Each eviction frees a piece, so there are not more of them, unless another process writes
    // to the counters without the lock.
    for _ in 0..=2 * pool.words().size() / LEAST {
        match alloc() {
            Err(Fault::NoMemory) => {}
            result => return result,
        }

        let before = in_use(pool)?;

        if !evict() {
            return Err(Fault::NoMemory);
        }

        if in_use(pool)? >= before {
            return Err(Fault::NotEvicted);
        }
    }

    Err(Fault::Damaged)
}

/// A number that is smaller after a piece was freed, and larger after one was allocated: the
/// bytes of the chunks that are in use, less the bytes of the free pages.
fn in_use(pool: &Pool) -> Result<isize> {
    let free = pool.field(field::PFREE)?.wrapping_mul(pool.sizes().page());
    let used = sizes(pool)?.try_fold(0usize, |sum, size| {
        let size = size?;

        Ok(sum.wrapping_add(size.used.wrapping_mul(size.bytes)))
    })?;

    Ok(used.wrapping_sub(free).cast_signed())
}
