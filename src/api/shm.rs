//! [`SharedMemory`]: atomics that several processes share.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::atomic::{
    AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicU8, AtomicU16, AtomicU32,
    AtomicU64, AtomicUsize,
};

use super::{error, thread};
use crate::host::standalone::cycle::Cycle;
use crate::log::Log;
use crate::shmem;
use crate::sys::log::RawLog;
use crate::sys::shm::Segment;

mod sealed {
    pub trait Sealed {}
}

/// An integer that several processes can change at the same time, such as
/// `AtomicU64`. All its bit patterns are valid, and 0 is the number zero.
pub trait Atomic: sealed::Sealed + Sync + 'static {}

macro_rules! atomics {
    ($($type:ty)*) => {
        $(impl sealed::Sealed for $type {}
        impl Atomic for $type {})*
    };
}

atomics!(AtomicI8 AtomicI16 AtomicI32 AtomicI64 AtomicIsize
         AtomicU8 AtomicU16 AtomicU32 AtomicU64 AtomicUsize);

/// An array of atomics in shared memory.
///
/// Processes that are spawned later share the memory with this process. It is unmapped
/// in a process when the value is dropped there; the other processes keep it. A process
/// that is killed leaves each atomic as it was before or after an operation.
///
/// ```
/// use std::sync::atomic::AtomicU64;
/// use std::sync::atomic::Ordering::Relaxed;
///
/// use ngx_ipc::api::{Program, SharedMemory};
///
/// # fn main() -> std::io::Result<()> {
/// let program = Program::init()?;
/// let counters = SharedMemory::<AtomicU64>::new(2)?;
///
/// for _ in 0..3 {
///     program.spawn(c"counter", |_| {
///         counters[0].fetch_add(1, Relaxed);
///     })?;
/// }
///
/// program.wait()?;
/// assert_eq!(counters[0].load(Relaxed), 3);
/// assert_eq!(counters[1].load(Relaxed), 0);
/// # Ok(())
/// # }
/// ```
pub struct SharedMemory<A: Atomic> {
    // Invariant: the segment has `len` atomics, and is unmapped when this value is
    // dropped.
    segment: Option<Segment>,
    len: usize,
    atomics: PhantomData<A>,
}

impl<A: Atomic> SharedMemory<A> {
    /// Allocates `len` atomics, which are zero.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] if `len` is 0 or too large; else an error with
    /// the reason in the log.
    pub fn new(len: usize) -> io::Result<Self> {
        thread::claim()?;

        let size = len
            .checked_mul(size_of::<A>())
            .filter(|&size| size != 0 && isize::try_from(size).is_ok())
            .ok_or(io::ErrorKind::InvalidInput)?;
        let log = Cycle::log_of(Cycle::current());
        let segment = shmem::allocate(log, size, false)
            .map_err(|_| error::logged("no shared memory, see the log"))?;

        Ok(Self {
            segment: Some(segment),
            len,
            atomics: PhantomData,
        })
    }
}

// SAFETY: the value owns its mapping, which each thread of the process can use and
// unmap; the atomics can be used by several threads, as `Atomic` demands.
unsafe impl<A: Atomic> Send for SharedMemory<A> {}

// SAFETY: a shared reference gives access to the atomics only, which several threads
// can use at the same time.
unsafe impl<A: Atomic> Sync for SharedMemory<A> {}

impl<A: Atomic> Deref for SharedMemory<A> {
    type Target = [A];

    fn deref(&self) -> &[A] {
        self.segment.as_ref().map_or(&[], |segment| {
            // SAFETY: the segment has `len` atomics (the type's invariant), is aligned
            // to a page, and stays mapped as long as `self` lives. All its bytes were
            // zero at first, which is a valid atomic, and other processes can only
            // store other integers.
            unsafe { std::slice::from_raw_parts(segment.addr().as_ptr().cast(), self.len) }
        })
    }
}

impl<A: Atomic + fmt::Debug> fmt::Debug for SharedMemory<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<A: Atomic> Drop for SharedMemory<A> {
    fn drop(&mut self) {
        // Another thread than the owner can drop the value, so no line is logged.
        if let Some(segment) = self.segment.take() {
            shmem::free(Log::new(RawLog::none()), segment);
        }
    }
}
