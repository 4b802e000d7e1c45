//! `ngx_palloc.h`: memory that is freed all at once.

pub(crate) use super::types::Block;
pub use super::types::{
    ngx_pool_cleanup_pt, ngx_pool_cleanup_s, ngx_pool_cleanup_t, ngx_pool_s, ngx_pool_t,
};
use std::ffi::c_void;
use std::ptr;

use nix::errno::Errno;

use super::log::ngx_log_t;
use crate::host::logs::log_of;
use crate::log::{Level, Log};

/// A pool of a size that is enough for most.
pub const NGX_DEFAULT_POOL_SIZE: usize = 16384;

/// What malloc() aligns to; a pool does as well.
const ALIGNMENT: usize = 16;
/// A pool is never smaller.
const MIN_SIZE: usize = 256;

impl Block {
    /// A block with room for `size` bytes, in front of `next`; NULL, with an
    /// emergency in the log, without memory.
    fn new(size: usize, next: *mut Self, log: Log) -> *mut Self {
        // No object is larger than ptrdiff_t counts.
        let whole = size
            .checked_add(size_of::<Self>())
            .filter(|&whole| isize::try_from(whole).is_ok());

        let block = whole.map_or_else(
            || {
                Errno::ENOMEM.set();
                ptr::null_mut()
            },
            // SAFETY: no precondition.
            |whole| unsafe { libc::malloc(whole) }.cast::<Self>(),
        );

        let (Some(whole), false) = (whole, block.is_null()) else {
            log.fail(
                Level::Emerg,
                Errno::last(),
                format_args!("malloc({size}) failed"),
            );
            return ptr::null_mut();
        };

        // SAFETY: malloc() aligns to 16, and the head fits.
        unsafe {
            block.write(Self {
                next,
                size: whole,
                used: size_of::<Self>(),
            });
        }

        block
    }

    /// The next `size` bytes of `block`, NULL if there are not as many.
    ///
    /// # Safety
    ///
    /// `block` comes from `new`.
    unsafe fn take(block: *mut Self, size: usize, alignment: usize) -> *mut c_void {
        // SAFETY: promised by the caller.
        let of = unsafe { &mut *block };

        let end = of
            .used
            .checked_next_multiple_of(alignment)
            .and_then(|at| Some((at, at.checked_add(size)?)))
            .filter(|&(_, end)| end <= of.size);

        let Some((at, end)) = end else {
            return ptr::null_mut();
        };

        of.used = end;

        // SAFETY: `at` to `end` lies within the block.
        unsafe { block.cast::<u8>().add(at).cast() }
    }
}

impl ngx_pool_s {
    fn alloc(&mut self, size: usize, alignment: usize) -> *mut c_void {
        // SAFETY: a pool has at least its first block.
        let taken = unsafe { Block::take(self.blocks, size, alignment) };

        if taken.is_null() {
            self.alloc_block(size, alignment)
        } else {
            taken
        }
    }

    /// Takes the memory from a new block. A large piece has one for its own,
    /// behind the one in use.
    fn alloc_block(&mut self, size: usize, alignment: usize) -> *mut c_void {
        // SAFETY: the log was valid for the pool when it was created.
        let log = unsafe { log_of(self.log) };
        let large = size > self.size / 2;

        // SAFETY: a pool has at least its first block.
        unsafe {
            let behind = if large {
                (*self.blocks).next
            } else {
                self.blocks
            };
            let block = Block::new(if large { size } else { self.size }, behind, log);

            if block.is_null() {
                return ptr::null_mut();
            }

            if large {
                (*self.blocks).next = block;
            } else {
                self.blocks = block;
            }

            Block::take(block, size, alignment)
        }
    }
}

/// Makes a pool that grows by `size` bytes at a time.
///
/// Returns NULL, with an emergency in the log, if there is no memory.
///
/// # Safety
///
/// `log` is NULL or a log that is valid as long as the pool.
///
/// # References
///
/// nginx's `src/core/ngx_palloc.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_create_pool(size: usize, log: *mut ngx_log_t) -> *mut ngx_pool_t {
    let size = size.max(MIN_SIZE);

    // SAFETY: promised by the caller; the pool fits into its first block.
    unsafe {
        let block = Block::new(size, ptr::null_mut(), log_of(log));

        if block.is_null() {
            return ptr::null_mut();
        }

        let pool = Block::take(block, size_of::<ngx_pool_t>(), ALIGNMENT).cast::<ngx_pool_t>();

        pool.write(ngx_pool_s {
            blocks: block,
            size,
            cleanup: ptr::null_mut(),
            log,
        });

        pool
    }
}

/// Names another log for a pool.
///
/// # Safety
///
/// `pool` is a pool, `log` a log that is valid as long as it.
pub unsafe fn set_log(pool: *mut ngx_pool_t, log: *mut ngx_log_t) {
    // SAFETY: promised by the caller.
    unsafe { (*pool).log = log };
}

/// Calls the cleanup handlers, the last added first, and frees all memory of
/// the pool.
///
/// # Safety
///
/// `pool` is NULL or a pool, not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_destroy_pool(pool: *mut ngx_pool_t) {
    if pool.is_null() {
        return;
    }

    // SAFETY: promised by the caller.
    let mut cleanup = unsafe { (*pool).cleanup };

    // SAFETY: cleanups are in the pool's own memory.
    while let Some(this) = unsafe { cleanup.as_ref() } {
        if let Some(handler) = this.handler {
            // SAFETY: the handler was added for this.
            unsafe { handler(this.data) };
        }

        cleanup = this.next;
    }

    // SAFETY: the pool comes from ngx_create_pool(); it is in its last block.
    unsafe {
        let mut block = (*pool).blocks;

        while !block.is_null() {
            let next = (*block).next;

            libc::free(block.cast());
            block = next;
        }
    }
}

/// Takes `size` bytes, aligned as by malloc(), from a pool; NULL, with an
/// emergency in the log, if there is no memory.
///
/// # Safety
///
/// `pool` is NULL or a pool.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_palloc(pool: *mut ngx_pool_t, size: usize) -> *mut c_void {
    // SAFETY: promised by the caller.
    unsafe { pool.as_mut() }.map_or(ptr::null_mut(), |pool| pool.alloc(size, ALIGNMENT))
}

/// The same without alignment, for strings.
///
/// # Safety
///
/// `pool` is NULL or a pool.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_pnalloc(pool: *mut ngx_pool_t, size: usize) -> *mut c_void {
    // SAFETY: promised by the caller.
    unsafe { pool.as_mut() }.map_or(ptr::null_mut(), |pool| pool.alloc(size, 1))
}

/// The same as ngx_palloc(), zeroed.
///
/// # Safety
///
/// `pool` is NULL or a pool.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_pcalloc(pool: *mut ngx_pool_t, size: usize) -> *mut c_void {
    // SAFETY: promised by the caller.
    let p = unsafe { ngx_palloc(pool, size) };

    if !p.is_null() {
        // SAFETY: `size` bytes have just been allocated there.
        unsafe { p.write_bytes(0, size) };
    }

    p
}

/// Adds a cleanup to a pool, with `size` bytes at its `data` unless that is 0.
///
/// Its handler is for the caller to set. NULL if there is no memory.
///
/// # Safety
///
/// `p` is NULL or a pool.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_pool_cleanup_add(
    p: *mut ngx_pool_t,
    size: usize,
) -> *mut ngx_pool_cleanup_t {
    // SAFETY: promised by the caller.
    let Some(pool) = (unsafe { p.as_mut() }) else {
        return ptr::null_mut();
    };

    let cleanup = pool
        .alloc(size_of::<ngx_pool_cleanup_t>(), ALIGNMENT)
        .cast::<ngx_pool_cleanup_t>();
    let data = if size == 0 {
        ptr::null_mut()
    } else {
        pool.alloc(size, ALIGNMENT)
    };

    if cleanup.is_null() || (data.is_null() && size != 0) {
        return ptr::null_mut();
    }

    // SAFETY: `cleanup` has just been allocated.
    unsafe {
        cleanup.write(ngx_pool_cleanup_s {
            handler: None,
            data,
            next: pool.cleanup,
        });
    }

    pool.cleanup = cleanup;

    cleanup
}
