//! `ngx_palloc.h`: memory that is freed all at once.

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use super::log::ngx_log_t;
use super::log_of;
use crate::config::u_char;
use crate::log::{Level, Log};

/// A pool of a size that is enough for most.
pub const NGX_DEFAULT_POOL_SIZE: usize = 16384;

/// By nginx's other name.
pub type ngx_pool_t = ngx_pool_s;
/// By nginx's other name.
pub type ngx_pool_cleanup_t = ngx_pool_cleanup_s;

/// Is called when a pool is destroyed.
pub type ngx_pool_cleanup_pt = Option<unsafe extern "C" fn(data: *mut c_void)>;

/// Something to do when a pool is destroyed.
#[repr(C)]
pub struct ngx_pool_cleanup_s {
    /// What is called, for the caller to set; NULL does nothing.
    pub handler: ngx_pool_cleanup_pt,
    /// What it is called with.
    pub data: *mut c_void,
    /// The one that was added before.
    pub next: *mut ngx_pool_cleanup_t,
}

/// What malloc() aligns to; a pool does as well.
const ALIGNMENT: usize = 16;
/// A pool is never smaller.
const MIN_SIZE: usize = 256;

/// A pool: blocks that are handed out from the front, the last one in use.
pub struct ngx_pool_s {
    blocks: Vec<Block>,
    size: usize,
    cleanup: *mut ngx_pool_cleanup_t,
    log: *mut ngx_log_t,
}

struct Block {
    start: NonNull<u_char>,
    size: usize,
    used: usize,
}

impl Block {
    fn new(size: usize, log: Log) -> Option<Self> {
        // SAFETY: no precondition.
        let start = unsafe { libc::malloc(size) };

        if start.is_null() {
            log.fail(
                Level::Emerg,
                nix::errno::Errno::last(),
                format_args!("malloc({size}) failed"),
            );
        }

        Some(Self {
            start: NonNull::new(start.cast())?,
            size,
            used: 0,
        })
    }

    /// The next `size` bytes, if there are as many.
    fn take(&mut self, size: usize, alignment: usize) -> Option<NonNull<u_char>> {
        let at = self.used.checked_next_multiple_of(alignment)?;

        if size > self.size.checked_sub(at)? {
            return None;
        }

        self.used = at + size;

        // SAFETY: `at` plus `size` lies within the block.
        Some(unsafe { self.start.add(at) })
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: `start` comes from malloc() and is freed here only.
        unsafe { libc::free(self.start.as_ptr().cast()) };
    }
}

impl ngx_pool_s {
    fn alloc(&mut self, size: usize, alignment: usize) -> *mut c_void {
        let taken = match self.blocks.last_mut() {
            Some(block) => block.take(size, alignment),
            None => None,
        };

        taken
            .or_else(|| self.alloc_block(size, alignment))
            .map_or(ptr::null_mut(), |start| start.as_ptr().cast())
    }

    /// Takes the memory from a new block, which large pieces have for their
    /// own: the block in use then stays in use.
    fn alloc_block(&mut self, size: usize, alignment: usize) -> Option<NonNull<u_char>> {
        // SAFETY: the log was valid for the pool when it was created.
        let log = unsafe { log_of(self.log) };
        let large = size > self.size / 2;

        self.blocks.try_reserve(1).ok()?;

        let mut block = Block::new(if large { size.max(1) } else { self.size }, log)?;
        let start = block.take(size, alignment)?;

        let at = self.blocks.len() - usize::from(large && !self.blocks.is_empty());
        self.blocks.insert(at, block);

        Some(start)
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
    // SAFETY: promised by the caller.
    let Some(block) = Block::new(size.max(MIN_SIZE), unsafe { log_of(log) }) else {
        return ptr::null_mut();
    };

    Box::into_raw(Box::new(ngx_pool_s {
        size: block.size,
        blocks: vec![block],
        cleanup: ptr::null_mut(),
        log,
    }))
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

    // SAFETY: the pool comes from ngx_create_pool().
    drop(unsafe { Box::from_raw(pool) });
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
