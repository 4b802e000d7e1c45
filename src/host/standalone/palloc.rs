//! Memory pools: memory that is allocated in pieces and freed all at once.
//!
//! A pool is a list of blocks of the C library's heap. The first block of the
//! list is the one that memory is taken from; the pool itself is in the block
//! that was made first, at the end of the list.

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use super::log::ErrorLog;
use super::types::{Block, ngx_pool_cleanup_s, ngx_pool_s};
pub use super::types::{ngx_pool_cleanup_t, ngx_pool_t};
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::heap::{self, ALIGNMENT};

/// A pool of a size that is enough for most uses.
pub const NGX_DEFAULT_POOL_SIZE: usize = 16384;

/// The smallest size of a block.
const MIN_SIZE: usize = 256;

/// A memory pool.
///
/// Invariant: the pointer is to a live pool of this program, made by
/// [`Pool::create`]. Nothing destroys the pool as long as a handle is used,
/// and one thread uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool(NonNull<ngx_pool_s>);

impl Pool {
    /// The handle of a pool; `None` if `pool` is NULL.
    ///
    /// # Safety
    ///
    /// `pool` is NULL or a pool of [`Pool::create`] that is not destroyed as
    /// long as the result and its copies are used, in one thread.
    pub unsafe fn from_ptr(pool: *mut ngx_pool_t) -> Option<Self> {
        NonNull::new(pool).map(Self)
    }

    /// C's pointer.
    pub fn as_ptr(self) -> *mut ngx_pool_t {
        self.0.as_ptr()
    }

    /// Makes a pool whose blocks have `size` bytes.
    ///
    /// The log, which gets a line whenever there is no memory, must live as
    /// long as the pool.
    pub fn create(size: usize, log: Option<ErrorLog>) -> Result<Self> {
        let size = size.max(MIN_SIZE);
        let block = Block::new(size, ptr::null_mut(), ErrorLog::log_of(log))?;

        // SAFETY: the block is new.
        let pool = unsafe { Block::take(block, size_of::<ngx_pool_s>(), ALIGNMENT) };
        let pool = pool.ok_or(Status::Error)?.cast::<ngx_pool_s>();

        // SAFETY: the memory has just been taken for it.
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
        // SAFETY: the pointer is to a live pool (the type's invariant), and
        // the reference is dropped before a method changes the pool.
        unsafe { self.0.as_ref() }
    }

    fn update(self, change: impl FnOnce(&mut ngx_pool_s)) {
        // SAFETY: the pointer is to a live pool (the type's invariant), and
        // `change` only assigns fields: it uses the pool in no other way.
        change(unsafe { &mut *self.0.as_ptr() });
    }

    fn log(self) -> Log {
        // SAFETY: the log lives as long as the pool (`create`, `set_log`).
        ErrorLog::log_of(unsafe { ErrorLog::from_ptr(self.fields().log) })
    }

    /// Makes the pool use another log, which lives as long as the pool.
    pub fn set_log(self, log: ErrorLog) {
        self.update(|pool| pool.log = log.as_ptr());
    }

    /// Takes `size` bytes, aligned for any type of C. They are not
    /// initialised.
    ///
    /// Without memory the log gets an emergency, and nothing is changed.
    pub fn allocate(self, size: usize) -> Result<NonNull<c_void>> {
        self.take(size, ALIGNMENT)
    }

    /// Like [`Pool::allocate`], but at any address: for strings.
    pub fn allocate_unaligned(self, size: usize) -> Result<NonNull<c_void>> {
        self.take(size, 1)
    }

    /// Like [`Pool::allocate`], filled with zeros.
    pub fn allocate_zeroed(self, size: usize) -> Result<NonNull<c_void>> {
        let memory = self.allocate(size)?;

        // SAFETY: `size` bytes have just been taken there.
        unsafe { memory.cast::<u8>().write_bytes(0, size) };

        Ok(memory)
    }

    /// Puts `value` into the pool. It is never dropped.
    pub fn put<T>(self, value: T) -> Result<NonNull<T>> {
        const { assert!(align_of::<T>() <= ALIGNMENT) };

        let memory = self.allocate(size_of::<T>())?.cast::<T>();

        // SAFETY: memory of the size and alignment of a T has just been taken.
        unsafe { memory.write(value) };

        Ok(memory)
    }

    /// Adds a cleanup handler, for the caller to set, with `size` bytes as its
    /// data; 0: no data.
    pub fn add_cleanup(self, size: usize) -> Result<NonNull<ngx_pool_cleanup_t>> {
        let cleanup = self.put(ngx_pool_cleanup_s {
            handler: None,
            data: ptr::null_mut(),
            next: self.fields().cleanup,
        })?;

        if size != 0 {
            let data = self.allocate(size)?.as_ptr();

            // SAFETY: the cleanup is new, so there is no other pointer to it.
            unsafe { (*cleanup.as_ptr()).data = data };
        }

        self.update(|pool| pool.cleanup = cleanup.as_ptr());

        Ok(cleanup)
    }

    /// Calls the cleanup handlers, the last one that was added first, and
    /// frees all memory of the pool.
    ///
    /// # Safety
    ///
    /// Neither the pool nor memory of it is used afterwards.
    pub unsafe fn destroy(self) {
        let mut next = NonNull::new(self.fields().cleanup);

        while let Some(cleanup) = next.map(NonNull::as_ptr) {
            // SAFETY: cleanups are in the pool's own memory, which is freed
            // below. The program has set the handler to be called with its
            // data. There is no reference to the cleanup meanwhile: the handler
            // may change it, so `next` is read afterwards, as nginx does.
            unsafe {
                if let Some(handler) = (*cleanup).handler {
                    handler((*cleanup).data);
                }

                next = NonNull::new((*cleanup).next);
            }
        }

        let mut next = NonNull::new(self.fields().blocks);

        while let Some(block) = next {
            // SAFETY: the block comes from `Block::new` and is not freed yet.
            // The pool, in the last block, is not used after it.
            unsafe {
                next = NonNull::new((*block.as_ptr()).next);
                heap::free(block.cast());
            }
        }
    }

    fn take(self, size: usize, alignment: usize) -> Result<NonNull<c_void>> {
        let first = self.first_block();

        // SAFETY: the block is one of this pool.
        match unsafe { Block::take(first, size, alignment) } {
            Some(memory) => Ok(memory),
            None => self.take_from_new(first, size, alignment),
        }
    }

    /// Takes memory from a new block. A large piece gets a block of its own,
    /// behind the first one, which stays the one that memory is taken from.
    fn take_from_new(
        self,
        first: NonNull<Block>,
        size: usize,
        alignment: usize,
    ) -> Result<NonNull<c_void>> {
        let whole = self.fields().size;
        let block;

        if size > whole / 2 {
            // SAFETY: the block is one of this pool.
            let second = unsafe { (*first.as_ptr()).next };

            block = Block::new(size, second, self.log())?;
            // SAFETY: the block is one of this pool.
            unsafe { (*first.as_ptr()).next = block.as_ptr() };
        } else {
            block = Block::new(whole, first.as_ptr(), self.log())?;
            self.update(|pool| pool.blocks = block.as_ptr());
        }

        // SAFETY: the block is new.
        unsafe { Block::take(block, size, alignment) }.ok_or(Status::Error)
    }

    fn first_block(self) -> NonNull<Block> {
        // SAFETY: a pool has at least the block that it is in.
        unsafe { NonNull::new_unchecked(self.fields().blocks) }
    }
}

impl Block {
    /// Makes a block with room for `size` bytes, in front of the block `next`.
    ///
    /// Without memory the log gets an emergency.
    fn new(size: usize, next: *mut Self, log: Log) -> Result<NonNull<Self>> {
        let whole = size.saturating_add(size_of::<Self>());
        let block = heap::allocate(whole)
            .map_err(|err| log.fail(Level::Emerg, err, format_args!("malloc({size}) failed")))?
            .cast::<Self>();

        const { assert!(align_of::<Self>() <= ALIGNMENT) };

        // SAFETY: `whole` bytes have just been allocated, aligned for a head.
        unsafe {
            block.write(Self {
                next,
                size: whole,
                used: size_of::<Self>(),
            });
        }

        Ok(block)
    }

    /// The next `size` bytes of `block`; `None` if it has not as many left.
    ///
    /// # Safety
    ///
    /// `block` comes from `new` and is not freed yet.
    unsafe fn take(block: NonNull<Self>, size: usize, alignment: usize) -> Option<NonNull<c_void>> {
        // SAFETY: the block is live, and only this function changes it.
        let head = unsafe { &mut *block.as_ptr() };

        let at = head.used.checked_next_multiple_of(alignment)?;
        let end = at.checked_add(size).filter(|&end| end <= head.size)?;

        head.used = end;

        // SAFETY: `at` to `end` lies within the block.
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

        // SAFETY: the pool is destroyed after the last use.
        unsafe {
            assert_eq!(numbers.add(2).read(), 3);
            assert_eq!(text.addr().get(), numbers.addr().get() + 12);
            assert_eq!(large.as_ref(), &[7; 4096]);
            assert_eq!(zeroed.read(), 0);
            pool.destroy();
        }
    }
}
