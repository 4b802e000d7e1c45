//! [`Pool`], a memory pool: the program allocates memory in pieces and frees
//! all pieces at once.
//!
//! A pool is a list of blocks, each allocated with malloc(3). Pieces of memory
//! are taken from the first block of the list. The structure of the pool itself
//! is in the block that was allocated first. A piece that is too large for a block, or
//! that has an alignment of its own, is the only piece of another block, so that it can
//! be freed alone. A cleanup has a block of its own, so that it stays when the pool is
//! reset.

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use nix::errno::Errno;

use super::log::ErrorLog;
use super::pool_block::{Block, CLEANUP};
use super::types::{ngx_pool_cleanup_s, ngx_pool_s};
pub use super::types::{ngx_pool_cleanup_t, ngx_pool_t};
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::heap::{self, ALIGNMENT};

/// The size of the blocks, in bytes, of a pool for most uses.
pub const NGX_DEFAULT_POOL_SIZE: usize = 16384;

/// The smallest size of a block, in bytes.
const MIN_SIZE: usize = 256;

/// The largest piece, in bytes, that is taken from a block with other pieces. In
/// nginx it is less than a page.
const MAX_PIECE: usize = 4095;

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
        let block = Block::new(size, ptr::null_mut())
            .map_err(|err| no_memory(ErrorLog::log_of(log), size, err))?;

        // SAFETY: `Block::new` has just made the block, which is not freed.
        let pool = unsafe { Block::take(block, size_of::<ngx_pool_s>(), ALIGNMENT) };
        let pool = pool.ok_or(Status::Error)?.cast::<ngx_pool_s>();

        // SAFETY: memory of the size and alignment of an `ngx_pool_s` has just
        // been taken.
        unsafe {
            pool.write(ngx_pool_s {
                blocks: block.as_ptr().cast(),
                block_size: size,
                spare1: [0; 2],
                max: MAX_PIECE.min(size - size_of::<ngx_pool_s>()),
                spare2: [0; 3],
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
        const BEFORE_DATA: usize = size_of::<ngx_pool_cleanup_s>().next_multiple_of(ALIGNMENT);

        let whole = BEFORE_DATA.saturating_add(size);
        let cleanup = self
            .take_alone(whole, ALIGNMENT)
            .map_err(|err| no_memory(self.log(), size, err))?
            .cast::<ngx_pool_cleanup_s>();

        // SAFETY: `cleanup` points to `whole` bytes that have just been allocated,
        // aligned for any type of C, so the data of `size` bytes is in them.
        // `take_alone` has made their block the second one of the pool.
        unsafe {
            let block = (*self.first_block().as_ptr()).next;
            (*block).piece = CLEANUP;

            let data = match size {
                0 => ptr::null_mut(),
                _ => cleanup.byte_add(BEFORE_DATA).as_ptr().cast(),
            };

            cleanup.write(ngx_pool_cleanup_s {
                handler: None,
                data,
                next: self.fields().cleanup,
            });
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

        let mut next = Some(self.first_block());

        while let Some(block) = next {
            // SAFETY: `Block::new` has made the block, which is not freed yet.
            // The pool is in one of the blocks, and is not used any more.
            unsafe {
                next = NonNull::new((*block.as_ptr()).next);
                heap::free(block.cast());
            }
        }
    }

    /// Frees all memory of the pool but the cleanups and their data, which
    /// [`Pool::destroy`] needs later.
    ///
    /// # Safety
    ///
    /// The caller does not use memory of the pool afterwards, apart from cleanups.
    pub unsafe fn reset(self) {
        let own = self.own_block();

        // SAFETY: the list has the blocks of this live pool, which are not freed yet. No
        // reference to a block exists. The pool is the first piece of its own block.
        unsafe {
            (*own.as_ptr()).next = Block::free_but_cleanups(self.first_block(), own);
            (*own.as_ptr()).used = size_of::<Block>() + size_of::<ngx_pool_s>();
        }

        self.update(|pool| pool.blocks = own.as_ptr().cast());
    }

    /// The block in which the pool itself is, behind the head of the block.
    fn own_block(self) -> NonNull<Block> {
        const { assert!(size_of::<Block>().is_multiple_of(ALIGNMENT)) };

        // SAFETY: `create` has put the pool into this block, directly behind the head.
        unsafe { self.0.byte_sub(size_of::<Block>()).cast() }
    }

    /// Frees a piece that is alone in its block. Returns false, and does nothing, if
    /// `memory` is no such piece.
    ///
    /// # Safety
    ///
    /// If `memory` is a piece of the pool, the caller does not use it afterwards.
    pub unsafe fn free(self, memory: *const c_void) -> bool {
        // The first block of the list has many pieces.
        let mut before = self.first_block();

        // SAFETY: the blocks belong to this live pool, so they are not freed. The block
        // with the piece is no longer in the list when it is freed.
        unsafe {
            while let Some(block) = NonNull::new((*before.as_ptr()).next) {
                if (*block.as_ptr()).piece > CLEANUP && (*block.as_ptr()).piece == memory.addr() {
                    (*before.as_ptr()).next = (*block.as_ptr()).next;
                    heap::free(block.cast());
                    return true;
                }

                before = block;
            }
        }

        false
    }

    /// Allocates `size` bytes at a multiple of `alignment`, a power of two and a
    /// multiple of the size of a pointer. [`Pool::free`] can free the piece.
    ///
    /// Returns an error, with an emergency in the log, if there is no memory or the
    /// alignment is invalid.
    pub fn allocate_aligned(self, size: usize, alignment: usize) -> Result<NonNull<c_void>> {
        let valid = alignment.is_power_of_two() && alignment >= size_of::<usize>();
        let piece = if valid {
            self.take_alone(size, alignment)
        } else {
            Err(Errno::EINVAL)
        };

        piece.map_err(|err| {
            let text = format_args!("posix_memalign({alignment}, {size}) failed");

            self.log().fail(Level::Emerg, err, text)
        })
    }

    fn take(self, size: usize, alignment: usize) -> Result<NonNull<c_void>> {
        if size > self.fields().max {
            return self
                .take_alone(size, alignment)
                .map_err(|err| no_memory(self.log(), size, err));
        }

        let first = self.first_block();

        // SAFETY: the block belongs to this live pool, so it is not freed.
        match unsafe { Block::take(first, size, alignment) } {
            Some(memory) => Ok(memory),
            None => self.take_from_new(first, size, alignment),
        }
    }

    /// Allocates a new block, which becomes the first of the list, and takes `size`
    /// bytes from it.
    fn take_from_new(
        self,
        first: NonNull<Block>,
        size: usize,
        alignment: usize,
    ) -> Result<NonNull<c_void>> {
        let whole = self.fields().block_size;
        let block =
            Block::new(whole, first.as_ptr()).map_err(|err| no_memory(self.log(), whole, err))?;

        self.update(|pool| pool.blocks = block.as_ptr().cast());

        // SAFETY: `Block::new` has just made the block, which is not freed.
        unsafe { Block::take(block, size, alignment) }.ok_or(Status::Error)
    }

    /// Allocates a block for one piece of `size` bytes. The block becomes the second
    /// of the list, so that the next pieces are still taken from the first block.
    fn take_alone(
        self,
        size: usize,
        alignment: usize,
    ) -> std::result::Result<NonNull<c_void>, Errno> {
        let first = self.first_block();
        // A block is aligned for any type of C.
        let room = size.saturating_add(alignment.saturating_sub(ALIGNMENT));

        // SAFETY: `first` belongs to this live pool, and `Block::new` has just made
        // `block`, so they are not freed. No other reference to a block exists.
        unsafe {
            let block = Block::new(room, (*first.as_ptr()).next)?;
            let piece = Block::take(block, size, alignment).ok_or(Errno::ENOMEM);

            (*block.as_ptr()).piece = piece.map_or(0, |piece| piece.addr().get());
            (*first.as_ptr()).next = block.as_ptr();

            piece
        }
    }

    fn first_block(self) -> NonNull<Block> {
        // SAFETY: `blocks` is not NULL, because a pool has at least the block
        // in which the pool itself is.
        unsafe { NonNull::new_unchecked(self.fields().blocks.cast()) }
    }
}

/// Logs that there is no memory for `size` bytes.
fn no_memory(log: Log, size: usize, err: Errno) -> Status {
    log.fail(Level::Emerg, err, format_args!("malloc({size}) failed"))
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
