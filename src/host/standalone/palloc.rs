//! [`Pool`], a memory pool: the program allocates memory in pieces and frees
//! all pieces at once.
//!
//! A pool is a list of blocks, each allocated with malloc(3). Pieces of memory
//! are taken from the first block of the list. The structure of the pool itself
//! is in the block that was allocated first, which is the last block of the
//! list.

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use super::log::ErrorLog;
use super::types::{Block, ngx_pool_cleanup_s, ngx_pool_s};
pub use super::types::{ngx_pool_cleanup_t, ngx_pool_t};
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::heap::{self, ALIGNMENT};

/// The size of the blocks, in bytes, of a pool for most uses.
pub const NGX_DEFAULT_POOL_SIZE: usize = 16384;

/// The smallest size of a block, in bytes.
const MIN_SIZE: usize = 256;

/// A memory pool.
///
/// Invariant: the pointer points to a live pool of this program, which
/// [`Pool::create`] has made. Nothing destroys the pool as long as a handle is
/// used, and only one thread uses the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool(NonNull<ngx_pool_s>);

impl Pool {
    /// Makes a handle of C's pointer `pool`; `None` if `pool` is NULL.
    ///
    /// # Safety
    ///
    /// `pool` is NULL or a pool that [`Pool::create`] has made. Nothing
    /// destroys the pool as long as the result and its copies are used, in one
    /// thread.
    pub unsafe fn from_ptr(pool: *mut ngx_pool_t) -> Option<Self> {
        NonNull::new(pool).map(Self)
    }

    /// The pointer to the pool, for C.
    pub fn as_ptr(self) -> *mut ngx_pool_t {
        self.0.as_ptr()
    }

    /// Makes a pool whose blocks have `size` bytes.
    ///
    /// If a block cannot be allocated, an emergency is written to `log`, which
    /// must live as long as the pool.
    pub fn create(size: usize, log: Option<ErrorLog>) -> Result<Self> {
        let size = size.max(MIN_SIZE);
        let block = Block::new(size, ptr::null_mut(), ErrorLog::log_of(log))?;

        // SAFETY: `Block::new` has just made the block, which is not freed.
        let pool = unsafe { Block::take(block, size_of::<ngx_pool_s>(), ALIGNMENT) };
        let pool = pool.ok_or(Status::Error)?.cast::<ngx_pool_s>();

        // SAFETY: memory of the size and alignment of an `ngx_pool_s` has just
        // been taken.
        unsafe {
            pool.write(ngx_pool_s {
                blocks: block.as_ptr(),
                size,
                cleanup: ptr::null_mut(),
                log: ErrorLog::optional_ptr(log),
            });
        }

        Ok(Self(pool))
    }

    fn fields(&self) -> &ngx_pool_s {
        // SAFETY: the pointer points to a live pool (the type's invariant), and
        // the reference is dropped before a method changes the pool.
        unsafe { self.0.as_ref() }
    }

    fn update(self, change: impl FnOnce(&mut ngx_pool_s)) {
        // SAFETY: the pointer points to a live pool (the type's invariant), and
        // `change` only assigns fields: it uses the pool in no other way.
        change(unsafe { &mut *self.0.as_ptr() });
    }

    fn log(self) -> Log {
        // SAFETY: the log is NULL or lives as long as the pool, as `create` and
        // `set_log` require.
        ErrorLog::log_of(unsafe { ErrorLog::from_ptr(self.fields().log) })
    }

    /// Makes the pool use `log`, which must live as long as the pool.
    pub fn set_log(self, log: ErrorLog) {
        self.update(|pool| pool.log = log.as_ptr());
    }

    /// Allocates `size` bytes from the pool, aligned for any type of C. The
    /// bytes are not initialised.
    ///
    /// Returns an error, with an emergency in the log, and changes nothing, if
    /// there is no memory.
    pub fn allocate(self, size: usize) -> Result<NonNull<c_void>> {
        self.take(size, ALIGNMENT)
    }

    /// Allocates `size` bytes from the pool without alignment, for strings.
    /// Fails as [`Pool::allocate`] does.
    pub fn allocate_unaligned(self, size: usize) -> Result<NonNull<c_void>> {
        self.take(size, 1)
    }

    /// Allocates `size` bytes from the pool, aligned for any type of C and
    /// filled with zeros. Fails as [`Pool::allocate`] does.
    pub fn allocate_zeroed(self, size: usize) -> Result<NonNull<c_void>> {
        let memory = self.allocate(size)?;

        // SAFETY: `memory` points to `size` bytes that have just been
        // allocated.
        unsafe { memory.cast::<u8>().write_bytes(0, size) };

        Ok(memory)
    }

    /// Moves `value` into the pool. `destroy` frees the memory of the value
    /// without dropping the value.
    pub fn put<T>(self, value: T) -> Result<NonNull<T>> {
        const { assert!(align_of::<T>() <= ALIGNMENT) };

        let memory = self.allocate(size_of::<T>())?.cast::<T>();

        // SAFETY: `memory` points to memory of the size and alignment of a `T`,
        // which has just been allocated.
        unsafe { memory.write(value) };

        Ok(memory)
    }

    /// Adds a cleanup to the pool. The caller sets the handler of the cleanup.
    /// The data of the cleanup is `size` bytes of the pool, or NULL if `size`
    /// is 0.
    pub fn add_cleanup(self, size: usize) -> Result<NonNull<ngx_pool_cleanup_t>> {
        let cleanup = self.put(ngx_pool_cleanup_s {
            handler: None,
            data: ptr::null_mut(),
            next: self.fields().cleanup,
        })?;

        if size != 0 {
            let data = self.allocate(size)?.as_ptr();

            // SAFETY: `put` has just made the cleanup, so no other code has a
            // pointer to it.
            unsafe { (*cleanup.as_ptr()).data = data };
        }

        self.update(|pool| pool.cleanup = cleanup.as_ptr());

        Ok(cleanup)
    }

    /// Calls the cleanup handlers, in the reverse order of their addition, and
    /// frees all memory of the pool.
    ///
    /// # Safety
    ///
    /// The caller uses neither the pool nor memory of the pool afterwards.
    pub unsafe fn destroy(self) {
        let mut next = NonNull::new(self.fields().cleanup);

        while let Some(cleanup) = next.map(NonNull::as_ptr) {
            // SAFETY: a cleanup is in the memory of the pool, which is freed
            // only below, and the program has set the handler to be called with
            // `data`. No reference to the cleanup exists during the call.
            // `next` is read after the call, as in nginx, because the handler
            // can change the cleanup.
            unsafe {
                if let Some(handler) = (*cleanup).handler {
                    handler((*cleanup).data);
                }

                next = NonNull::new((*cleanup).next);
            }
        }

        let mut next = NonNull::new(self.fields().blocks);

        while let Some(block) = next {
            // SAFETY: `Block::new` has made the block, which is not freed yet.
            // The pool is in the last block and is not used after that block is
            // freed.
            unsafe {
                next = NonNull::new((*block.as_ptr()).next);
                heap::free(block.cast());
            }
        }
    }

    fn take(self, size: usize, alignment: usize) -> Result<NonNull<c_void>> {
        let first = self.first_block();

        // SAFETY: the block belongs to this live pool, so it is not freed.
        match unsafe { Block::take(first, size, alignment) } {
            Some(memory) => Ok(memory),
            None => self.take_from_new(first, size, alignment),
        }
    }

    /// Allocates a new block, and takes `size` bytes from it. A piece that is
    /// larger than half of a block gets a block of its own. That block becomes
    /// the second of the list, so that the next pieces are still taken from the
    /// first block.
    fn take_from_new(
        self,
        first: NonNull<Block>,
        size: usize,
        alignment: usize,
    ) -> Result<NonNull<c_void>> {
        let whole = self.fields().size;
        let block;

        if size > whole / 2 {
            // SAFETY: the block belongs to this live pool, so it is not freed.
            let second = unsafe { (*first.as_ptr()).next };

            block = Block::new(size, second, self.log())?;
            // SAFETY: the block belongs to this live pool, so it is not freed.
            unsafe { (*first.as_ptr()).next = block.as_ptr() };
        } else {
            block = Block::new(whole, first.as_ptr(), self.log())?;
            self.update(|pool| pool.blocks = block.as_ptr());
        }

        // SAFETY: `Block::new` has just made the block, which is not freed.
        unsafe { Block::take(block, size, alignment) }.ok_or(Status::Error)
    }

    fn first_block(self) -> NonNull<Block> {
        // SAFETY: `blocks` is not NULL, because a pool has at least the block
        // in which the pool itself is.
        unsafe { NonNull::new_unchecked(self.fields().blocks) }
    }
}

impl Block {
    /// Allocates a block with room for `size` bytes. `next` becomes the next
    /// block in the list.
    ///
    /// Returns an error, with an emergency in the log, if there is no memory.
    fn new(size: usize, next: *mut Self, log: Log) -> Result<NonNull<Self>> {
        let whole = size.saturating_add(size_of::<Self>());
        let block = heap::allocate(whole)
            .map_err(|err| log.fail(Level::Emerg, err, format_args!("malloc({size}) failed")))?
            .cast::<Self>();

        const { assert!(align_of::<Self>() <= ALIGNMENT) };

        // SAFETY: `block` points to `whole` bytes that have just been
        // allocated, aligned for the head of a block.
        unsafe {
            block.write(Self {
                next,
                size: whole,
                used: size_of::<Self>(),
            });
        }

        Ok(block)
    }

    /// Takes the next `size` bytes of `block`; `None` if the block has fewer
    /// bytes left.
    ///
    /// # Safety
    ///
    /// `new` has made `block`, which is not freed yet.
    unsafe fn take(block: NonNull<Self>, size: usize, alignment: usize) -> Option<NonNull<c_void>> {
        // SAFETY: the caller passes a block that is not freed, and no other
        // reference to the head of the block exists.
        let head = unsafe { &mut *block.as_ptr() };

        let at = head.used.checked_next_multiple_of(alignment)?;
        let end = at.checked_add(size).filter(|&end| end <= head.size)?;

        head.used = end;

        // SAFETY: the bytes from `at` to `end` are in the block.
        Some(unsafe { block.cast::<u8>().add(at) }.cast())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_put_one_after_the_other() {
        let pool = Pool::create(0, None).unwrap();
        let numbers = pool.put([1u32, 2, 3]).unwrap().cast::<u32>();
        let text = pool.allocate_unaligned(5).unwrap();
        let large = pool.put([7u8; 4096]).unwrap();
        let zeroed = pool.allocate_zeroed(8).unwrap().cast::<u64>();

        // SAFETY: nothing uses the pool after `destroy`, the last call.
        unsafe {
            assert_eq!(numbers.add(2).read(), 3);
            assert_eq!(text.addr().get(), numbers.addr().get() + 12);
            assert_eq!(large.as_ref(), &[7; 4096]);
            assert_eq!(zeroed.read(), 0);
            pool.destroy();
        }
    }
}
