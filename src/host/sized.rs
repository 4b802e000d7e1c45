//! Reads and writes structures that a program allocates, and to whose end later
//! versions of the library add fields.
//!
//! A program passes the size in bytes that the structure has in the headers
//! with which the program was compiled. With older headers the size is smaller
//! than in the library, with newer headers it is larger. The functions here
//! copy only the bytes that both structures have, and neither read nor write
//! beyond the end of the program's structure. So each of these structures must
//! end with a field, not with padding: an older structure then ends where one
//! of the library's fields ends.

use std::ptr;

/// The largest valid size in bytes. No structure is larger, so a larger number
/// is a field that the program has not initialised.
pub const LARGEST: usize = 65536;

/// Whether `size` can be the size in bytes of a structure that has `first`
/// bytes in version 0.1.
pub fn is_valid(size: usize, first: usize) -> bool {
    (first..=LARGEST).contains(&size)
}

/// The number of bytes for a structure with the fields of the program's
/// structure, which has `size` bytes, and the fields of the library's
/// structure.
pub fn for_both<T>(size: usize) -> usize {
    size.max(size_of::<T>())
}

/// Reads a structure of the program, which has `size` bytes. Fields that the
/// program's structure does not have are taken from `defaults`.
///
/// # Safety
///
/// `from` has `size` readable bytes. If `size` is less than the size of a `T`,
/// the bytes end where a field of `T` ends.
pub unsafe fn read<T: Copy>(from: *const T, size: usize, defaults: T) -> T {
    let mut value = defaults;

    // SAFETY: the caller passes a `from` with at least this many bytes, `value`
    // is a separate variable, and only whole fields of a `T` are copied.
    unsafe {
        ptr::copy_nonoverlapping(
            from.cast::<u8>(),
            (&raw mut value).cast::<u8>(),
            size.min(size_of::<T>()),
        );
    }

    value
}

/// Writes `value` to a structure of the program, which has `size` bytes. Fields
/// that the library's structure does not have are cleared.
///
/// # Safety
///
/// `to` has `size` writable bytes, which do not overlap with `value`.
pub unsafe fn write<T: Copy>(to: *mut T, size: usize, value: &T) {
    let n = size.min(size_of::<T>());
    let to = to.cast::<u8>();

    // SAFETY: the caller passes a `to` with `size` bytes, and `n` is at most
    // `size` and at most the size of `value`.
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
