//! Allocates all pages of shared memory, so that no later access can fail.

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use nix::errno::Errno;

use super::shm::Segment;
use super::usage::page_size;

/// Allocates all pages of the segment, and changes no byte of it. Other processes can use the
/// memory meanwhile.
///
/// Fails with ENOMEM without memory; with EFAULT where an access would raise SIGBUS, for
/// example in a file system that is full; and with the errno of `madvise(2)` if the segment
/// is not mapped for writing. Then some of the pages are allocated.
///
/// # References
///
/// `MADV_POPULATE_WRITE` of `madvise(2)`.
pub fn populate(segment: &Segment) -> Result<(), Errno> {
    match segment.advise(libc::MADV_POPULATE_WRITE) {
        // A kernel before Linux 5.14 does not know the advice.
        Err(Errno::EINVAL) => touch_all(segment),
        result => result,
    }
}

/// Makes the kernel write to each page of the segment.
fn touch_all(segment: &Segment) -> Result<(), Errno> {
    // The first word of a page is aligned, and part of the mapping.
    (0..segment.size())
        .step_by(page_size())
        .filter_map(|at| NonNull::new(segment.addr().as_ptr().wrapping_byte_add(at)))
        .try_for_each(touch)
}

/// Adds 0 to the word at `page`. The kernel does this in one step, and returns an error where
/// the process would get SIGBUS.
///
/// # References
///
/// `FUTEX_WAKE_OP` of `futex(2)`.
fn touch(page: NonNull<c_void>) -> Result<(), Errno> {
    /// The word becomes the sum of itself and of 0. A process that waits for a word below 0
    /// wakes up.
    const ADD: i32 = libc::FUTEX_OP_ADD << 28;
    const IF_LESS: i32 = libc::FUTEX_OP_CMP_LT << 24;

    let nobody_waits = 0u32;

    // SAFETY: the kernel changes the word at `page` to the value that it has, in one step, and
    // fails if no word can be written there. `nobody_waits` is local.
    Errno::result(unsafe {
        libc::syscall(
            libc::SYS_futex,
            &raw const nobody_waits,
            libc::FUTEX_WAKE_OP,
            0,
            ptr::null::<libc::timespec>(),
            page.as_ptr(),
            ADD | IF_LESS,
        )
    })
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::memory_file;
    use crate::sys::shm::{map_anon, map_file};

    const PAGES: usize = 5;

    /// The number of pages of the segment that are in memory.
    fn resident(segment: &Segment) -> usize {
        let mut pages = [0u8; PAGES];

        // SAFETY: the kernel writes a byte for each page to `pages`, which is local.
        let result = unsafe {
            libc::mincore(
                segment.addr().as_ptr(),
                segment.size(),
                pages.as_mut_ptr().cast(),
            )
        };

        assert_eq!(result, 0);
        pages.iter().filter(|&&page| page & 1 != 0).count()
    }

    #[test]
    fn both_ways_allocate_all_pages_and_change_nothing() {
        for way in [populate, touch_all] {
            let size = (PAGES - 1) * page_size() + 1;
            let segment = map_anon(size).unwrap();
            let second = segment.addr().as_ptr().wrapping_byte_add(page_size());
            let number = second.cast::<i32>();

            // SAFETY: the page is part of the segment, and no other code uses it.
            unsafe { number.write(-7) };
            assert_eq!(resident(&segment), 1);
            way(&segment).unwrap();
            assert_eq!(resident(&segment), PAGES);
            // SAFETY: as above.
            assert_eq!(unsafe { number.read() }, -7);
            segment.unmap().unwrap();
        }
    }

    #[test]
    fn both_ways_fail_where_an_access_would_raise_a_signal() {
        for way in [populate, touch_all] {
            let file = memory_file::create(page_size()).unwrap();
            let segment = map_file(&file, 2 * page_size(), 0).unwrap();

            assert_eq!(way(&segment), Err(Errno::EFAULT));
            segment.unmap().unwrap();
            assert!(way(&segment).is_err());
        }
    }
}
