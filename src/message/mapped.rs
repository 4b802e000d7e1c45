//! The shared memory of a real program: a mapping, and a wake-up descriptor for each
//! slot.

use std::fmt;
use std::hint::spin_loop;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr::NonNull;
use std::sync::atomic::Ordering::{self, SeqCst};
use std::sync::atomic::{AtomicU64, fence};

use nix::errno::Errno;

use super::memory::Memory;
use crate::sys::bell::Bell;
use crate::sys::heap;
use crate::sys::memory_file;
use crate::sys::region::Region;
use crate::sys::time;

/// The number of `pause` instructions in [`Memory::pause`]. A processor needs 10 to 50
/// nanoseconds for one.
const PAUSES: u32 = 30;

/// Replaces a word outside the region. No offset that this directory computes lies
/// outside, so only a mistake leads here.
static OUTSIDE: AtomicU64 = AtomicU64::new(0);

/// The region and the wake-up descriptors. A process makes them before it forks
/// the processes that use them.
pub struct Mapped {
    region: Region,
    /// The file of the region; `None` if the kernel makes no files in memory.
    file: Option<OwnedFd>,
    bells: Vec<Bell>,
}

impl fmt::Debug for Mapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.region.size())
    }
}

impl Mapped {
    /// Maps `size` bytes of zeros, and makes `slots` wake-up descriptors. Fails
    /// with the errno of `mmap(2)` or `eventfd(2)`, or `ENOMEM`, and leaves nothing behind.
    ///
    /// If no file in memory can be made, the memory has no file, and no other
    /// program can inherit it.
    pub fn new(size: usize, slots: usize) -> Result<Self, Errno> {
        let file = memory_file::create(size).ok();
        let region = match &file {
            Some(file) => Region::of_file(file, size)?,
            None => Region::map(size)?,
        };
        let mut bells = Vec::new();

        for _ in 0..slots {
            heap::push(&mut bells, Bell::new()?)?;
        }

        Ok(Self {
            region,
            file,
            bells,
        })
    }

    /// Maps `size` bytes of a file that another program has made with
    /// [`Mapped::new`]. `bells` are its wake-up descriptors. Fails with `EINVAL` if
    /// the file is smaller, or if its size is not final.
    pub fn inherited(file: OwnedFd, size: usize, bells: Vec<Bell>) -> Result<Self, Errno> {
        let region = Region::of_file(&file, size)?;

        Ok(Self {
            region,
            file: Some(file),
            bells,
        })
    }

    /// The descriptor of the file; `None` if the memory has no file.
    pub fn file(&self) -> Option<RawFd> {
        self.file.as_ref().map(AsRawFd::as_raw_fd)
    }

    /// The wake-up descriptors, one for each slot.
    pub fn bells(&self) -> impl Iterator<Item = RawFd> {
        self.bells.iter().map(Bell::fd)
    }

    /// Replaces the wake-up descriptor of a slot. No other process exists yet that
    /// uses it.
    #[cfg(not(feature = "standalone"))]
    pub fn set_bell(&mut self, slot: usize, bell: Bell) {
        if let Some(old) = self.bells.get_mut(slot) {
            *old = bell;
        }
    }

    /// The wake-up descriptor of a slot, for the event loop of its process;
    /// `None` if there is no such slot. It becomes readable when a message
    /// arrives while the process sleeps. It stays readable until
    /// [`Mapped::silence`]; an event loop that watches it with `EPOLLET` need
    /// not call that.
    pub fn descriptor(&self, slot: u32) -> Option<RawFd> {
        self.bell(slot).map(Bell::fd)
    }

    /// Makes the wake-up descriptor of a slot unreadable.
    pub fn silence(&self, slot: u32) {
        if let Some(bell) = self.bell(slot) {
            bell.silence();
        }
    }

    fn bell(&self, slot: u32) -> Option<&Bell> {
        self.bells.get(usize::try_from(slot).ok()?)
    }

    #[inline]
    fn word(&self, at: usize) -> &AtomicU64 {
        match self.region.word(at) {
            Some(word) => word,
            None => outside(at),
        }
    }
}

#[cold]
fn outside(at: usize) -> &'static AtomicU64 {
    debug_assert!(false, "the offset {at} is outside");
    &OUTSIDE
}

impl Memory for &Mapped {
    fn size(&self) -> usize {
        self.region.size()
    }

    #[inline]
    fn load(&self, at: usize, order: Ordering) -> u64 {
        self.word(at).load(order)
    }

    #[inline]
    fn store(&self, at: usize, value: u64, order: Ordering) {
        self.word(at).store(value, order);
    }

    #[inline]
    fn swap(&self, at: usize, value: u64) -> u64 {
        self.word(at).swap(value, SeqCst)
    }

    #[inline]
    fn replace(&self, at: usize, from: u64, to: u64) -> bool {
        self.word(at)
            .compare_exchange(from, to, SeqCst, SeqCst)
            .is_ok()
    }

    #[inline]
    fn set_bits(&self, at: usize, bits: u64) {
        self.word(at).fetch_or(bits, SeqCst);
    }

    #[inline]
    fn clear_bits(&self, at: usize, bits: u64) {
        self.word(at).fetch_and(!bits, SeqCst);
    }

    #[inline]
    fn fence(&self) {
        fence(SeqCst);
    }

    #[inline]
    fn write(&self, at: usize, bytes: &[u8]) {
        self.region.write(at, bytes);
    }

    #[inline]
    fn read(&self, at: usize, to: &mut [u8]) {
        self.region.read(at, to);
    }

    #[inline]
    fn prefetch(&self, at: usize) {
        self.region.prefetch(at);
    }

    #[inline]
    fn expect(&self, at: usize) {
        self.region.prefetch_read(at);
    }

    fn pause(&self) {
        for _ in 0..PAUSES {
            spin_loop();
        }
    }

    #[inline]
    fn address(&self, at: usize, len: usize) -> Option<NonNull<u8>> {
        self.region.bytes(at, len)
    }

    fn ring(&self, slot: u32) {
        if let Some(bell) = self.bell(slot) {
            bell.ring();
        }
    }

    fn now(&self) -> u64 {
        time::nanoseconds()
    }

    fn give_back(&self, at: usize, len: usize) {
        // The pages stay if the kernel cannot free them: that costs memory, and
        // nothing else.
        let _ = self.region.remove(at, len);
    }
}
