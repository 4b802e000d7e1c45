//! [`Block`], a piece of memory from malloc(3), which a pool divides into smaller
//! pieces.

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use nix::errno::Errno;

use crate::sys::heap::{self, ALIGNMENT};

/// The head of a block. A block is one piece of memory from malloc(3).
#[repr(C, align(16))]
pub struct Block {
    pub next: *mut Block,
    /// The number of bytes in the block, including the head.
    pub size: usize,
    /// The number of bytes of the block that are in use, including the head.
    pub used: usize,
    /// The address of the only piece of the block; 0 if the block has room for many
    /// pieces; `CLEANUP` if the block has a cleanup and the data of the cleanup.
    pub piece: usize,
}

/// The `piece` of a block with a cleanup. It is no address of a piece.
pub const CLEANUP: usize = 1;

impl Block {
    /// Allocates a block with room for `size` bytes. `next` becomes the next
    /// block in the list.
    ///
    /// Returns an error if there is no memory.
    pub fn new(size: usize, next: *mut Self) -> std::result::Result<NonNull<Self>, Errno> {
        let whole = size.saturating_add(size_of::<Self>());
        let block = heap::allocate(whole)?.cast::<Self>();

        const { assert!(align_of::<Self>() <= ALIGNMENT) };

        // SAFETY: `block` points to `whole` bytes that have just been
        // allocated, aligned for the head of a block.
        unsafe {
            block.write(Self {
                next,
                size: whole,
                used: size_of::<Self>(),
                piece: 0,
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
    pub unsafe fn take(
        block: NonNull<Self>,
        size: usize,
        alignment: usize,
    ) -> Option<NonNull<c_void>> {
        // SAFETY: the caller passes a block that is not freed, and no other
        // reference to the head of the block exists.
        let head = unsafe { &mut *block.as_ptr() };

        let start = block.addr().get();
        let at = start
            .checked_add(head.used)?
            .checked_next_multiple_of(alignment)?
            .checked_sub(start)?;
        let end = at.checked_add(size).filter(|&end| end <= head.size)?;

        head.used = end;

        // SAFETY: the bytes from `at` to `end` are in the block.
        Some(unsafe { block.cast::<u8>().add(at) }.cast())
    }

    /// Frees the blocks of the list that begins with `first`, apart from `own` and the
    /// blocks with cleanups. Returns the list of the blocks with cleanups.
    ///
    /// # Safety
    ///
    /// `new` has made the blocks, which are not freed yet. The caller does not use those
    /// that are freed.
    pub unsafe fn free_but_cleanups(first: NonNull<Self>, own: NonNull<Self>) -> *mut Self {
        let mut next = Some(first);
        let mut cleanups = ptr::null_mut();

        while let Some(block) = next {
            // SAFETY: the caller passes blocks that are not freed, and `next` is read
            // before the block is freed. No other reference to the block exists.
            unsafe {
                next = NonNull::new((*block.as_ptr()).next);

                if (*block.as_ptr()).piece == CLEANUP {
                    (*block.as_ptr()).next = cleanups;
                    cleanups = block.as_ptr();
                } else if block != own {
                    heap::free(block.cast());
                }
            }
        }

        cleanups
    }
}
