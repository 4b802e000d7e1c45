//! Structures that a program allocates, and that get new fields at their end
//! in later versions of the library.
//!
//! A program says how many bytes such a structure has in the headers that it
//! was compiled with: fewer than here with older headers, more with newer
//! ones. Here the bytes that both have are copied, and no byte behind the
//! program's structure is touched. For this the structures end with a field
//! and not with padding.

use std::ptr;

/// More than a structure ever has: a larger size was never initialised.
pub const LARGEST: usize = 65536;

/// Whether headers can have a structure with `size` bytes that has `first`
/// bytes in version 0.1.
pub fn is_valid(size: usize, first: usize) -> bool {
    (first..=LARGEST).contains(&size)
}

/// The bytes that a structure needs for the fields of both: those of the
/// program, which has `size` bytes of it, and those of the library.
pub fn for_both<T>(size: usize) -> usize {
    size.max(size_of::<T>())
}

/// Reads a structure of which the program has `size` bytes. Fields that the
/// program does not have are those of `defaults`.
///
/// # Safety
///
/// `from` has `size` readable bytes. If they are fewer than here, they end
/// where a field ends.
pub unsafe fn read<T: Copy>(from: *const T, size: usize, defaults: T) -> T {
    let mut value = defaults;

    // SAFETY: `from` has these bytes (required above), and `value` is of its
    // own. It consists of whole fields of a T.
    unsafe {
        ptr::copy_nonoverlapping(
            from.cast::<u8>(),
            (&raw mut value).cast::<u8>(),
            size.min(size_of::<T>()),
        );
    }

    value
}

/// Writes `value` to a structure of which the program has `size` bytes. Fields
/// that the library does not have are cleared.
///
/// # Safety
///
/// `to` has `size` writable bytes, and `value` is not among them.
pub unsafe fn write<T: Copy>(to: *mut T, size: usize, value: &T) {
    let n = size.min(size_of::<T>());
    let to = to.cast::<u8>();

    // SAFETY: `to` has `size` bytes (required above), and `n` is not more than
    // these or the bytes of `value`.
    unsafe {
        ptr::copy_nonoverlapping(ptr::from_ref(value).cast::<u8>(), to, n);
        to.add(n).write_bytes(0, size - n);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: usize = 2 * size_of::<u64>();
    const HERE: usize = size_of::<[u64; 3]>();
    const NEW: usize = 4 * size_of::<u64>();

    fn read_from(from: [u64; 5], size: usize) -> [u64; 3] {
        // SAFETY: five numbers have at least `size` bytes.
        unsafe { read(from.as_ptr().cast(), size, [7, 8, 9]) }
    }

    fn write_to(size: usize) -> [u64; 5] {
        let mut to = [u64::MAX; 5];

        // SAFETY: five numbers have at least `size` bytes.
        unsafe { write::<[u64; 3]>(to.as_mut_ptr().cast(), size, &[1, 2, 3]) };

        to
    }

    #[test]
    fn fields_that_an_older_program_lacks_are_defaults() {
        assert_eq!(read_from([1, 2, 99, 99, 99], OLD), [1, 2, 9]);
        assert_eq!(read_from([1, 2, 3, 99, 99], HERE), [1, 2, 3]);
    }

    #[test]
    fn fields_of_a_newer_program_are_ignored() {
        assert_eq!(read_from([1, 2, 3, 4, 99], NEW), [1, 2, 3]);
    }

    #[test]
    fn nothing_is_written_behind_an_older_structure() {
        assert_eq!(write_to(OLD), [1, 2, u64::MAX, u64::MAX, u64::MAX]);
        assert_eq!(write_to(HERE), [1, 2, 3, u64::MAX, u64::MAX]);
    }

    #[test]
    fn fields_of_a_newer_structure_are_cleared() {
        assert_eq!(write_to(NEW), [1, 2, 3, 0, u64::MAX]);
    }

    #[test]
    fn sizes_are_checked() {
        assert!(!is_valid(0, OLD));
        assert!(!is_valid(OLD - 1, OLD));
        assert!(is_valid(OLD, OLD));
        assert!(is_valid(LARGEST, OLD));
        assert!(!is_valid(LARGEST + 1, OLD));
        assert_eq!(for_both::<[u64; 3]>(OLD), HERE);
        assert_eq!(for_both::<[u64; 3]>(NEW), NEW);
    }
}
