//! The C library's heap, for memory that a C program frees, and vectors that
//! report that there is no memory.

use std::ffi::c_void;
use std::fmt;
use std::ptr::NonNull;

use nix::errno::Errno;

/// The alignment in bytes of the memory that [`allocate`] returns: the
/// alignment of `max_align_t`.
pub const ALIGNMENT: usize = 16;

/// Allocates `size` bytes, which are not initialised.
///
/// Returns `ENOMEM` if there is not enough memory, or if `size` is more than
/// the largest `isize`, because the compiler relies on no object being larger.
///
/// # References
///
/// `malloc(3)`.
pub fn allocate(size: usize) -> Result<NonNull<c_void>, Errno> {
    if isize::try_from(size).is_err() {
        Errno::ENOMEM.set();
        return Err(Errno::ENOMEM);
    }

    // For 0 bytes malloc() may return NULL, which is not an error.
    //
    // SAFETY: malloc() accepts any size.
    NonNull::new(unsafe { libc::malloc(size.max(1)) }).ok_or_else(Errno::last)
}

/// Reserves `size` bytes of address space, which are 0. The kernel provides the memory
/// of a page when the page is used for the first time.
///
/// # References
///
/// `MAP_NORESERVE` of `mmap(2)`.
pub fn reserve(size: usize) -> Result<NonNull<c_void>, Errno> {
    // SAFETY: the mapping is new, so it replaces no memory.
    let place = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            size,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        )
    };

    if place == libc::MAP_FAILED {
        return Err(Errno::last());
    }

    NonNull::new(place).ok_or(Errno::ENOMEM)
}

/// Frees what [`allocate`] has returned.
///
/// # Safety
///
/// `memory` comes from [`allocate`] and has not been freed yet, and no code
/// uses this memory any more.
///
/// # References
///
/// `free(3)`.
pub unsafe fn free(memory: NonNull<c_void>) {
    // SAFETY: as this function demands, `memory` comes from allocate(), which
    // calls malloc(), and has not been freed yet.
    unsafe { libc::free(memory.as_ptr()) };
}

/// Appends `item` to `vector`. Returns `ENOMEM`, and drops `item`, if there is no
/// memory.
pub fn push<T>(vector: &mut Vec<T>, item: T) -> Result<(), Errno> {
    vector.try_reserve(1).or(Err(Errno::ENOMEM))?;
    vector.push(item);

    Ok(())
}

/// Collects `items` into a vector. Returns `ENOMEM`, and drops the items, if
/// there is no memory.
pub fn collect<T>(items: impl Iterator<Item = T>) -> Result<Vec<T>, Errno> {
    let mut vector = Vec::new();

    for item in items {
        push(&mut vector, item)?;
    }

    Ok(vector)
}

/// Makes a vector of `len` default values, which are 0 for numbers. Returns `ENOMEM` if
/// there is no memory.
pub fn zeros<T: Clone + Default>(len: usize) -> Result<Vec<T>, Errno> {
    let mut vector = Vec::new();

    vector.try_reserve_exact(len).or(Err(Errno::ENOMEM))?;
    vector.resize(len, T::default());

    Ok(vector)
}

/// Text that grows as it is written. A write fails if there is no memory.
pub struct Writer(Vec<u8>);

impl Writer {
    /// Makes an empty text.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The bytes of the text.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl fmt::Write for Writer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.try_reserve(text.len()).or(Err(fmt::Error))?;
        self.0.extend_from_slice(text.as_bytes());

        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    #[test]
    fn memory_is_allocated() {
        for size in [0, 1, 10_000] {
            let memory = allocate(size).unwrap();

            assert_eq!(memory.addr().get() % ALIGNMENT, 0);
            // SAFETY: allocate() has returned `memory`, and no code uses it.
            unsafe { free(memory) };
        }

        assert_eq!(allocate(isize::MAX.unsigned_abs() + 1), Err(Errno::ENOMEM));
        assert_eq!(Errno::last(), Errno::ENOMEM);
    }

    #[test]
    fn vectors_and_texts_grow() {
        let mut vector = collect(1..=3).unwrap();
        let mut text = Writer::new();

        push(&mut vector, 4).unwrap();
        assert_eq!(vector, [1, 2, 3, 4]);
        write!(text, "{}-{}", 1, 2).unwrap();
        assert_eq!(text.into_bytes(), b"1-2");
    }
}
