//! A pool in memory that this process shares with its children.

#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use ngx_ipc::sys::words::Words;
use ngx_ipc::zone::slab::layout::field;
use ngx_ipc::zone::slab::pool::{Fault, Pool, Result};
use ngx_ipc::zone::slab::verify::{Contents, verify};
use ngx_ipc::zone::slab::{alloc, change, free, init, known};

/// A mapping with a pool. It is unmapped when this value is dropped.
pub struct Zone {
    start: NonNull<c_void>,
    size: usize,
    pub pool: Pool,
}

impl Zone {
    /// A new pool of `size` bytes.
    pub fn new(size: usize, min_shift: usize) -> Self {
        let zone = Self::raw(size, min_shift);

        init::init(&zone.pool).unwrap();
        zone
    }

    /// Memory with the fields that a program sets before `ngx_slab_init()`.
    pub fn raw(size: usize, min_shift: usize) -> Self {
        // SAFETY: the kernel chooses a free address.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                size,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANON,
                -1,
                0,
            )
        };

        assert_ne!(start, libc::MAP_FAILED);

        let start = NonNull::new(start).unwrap();
        // SAFETY: the mapping lives as long as the zone, and the tests access it
        // through `Words` and raw copies only.
        let pool = Pool::new(unsafe { Words::new(start, size) }.unwrap());

        pool.put(pool.at(field::END), pool.at(0) + size).unwrap();
        pool.put(pool.at(field::MIN_SHIFT), min_shift).unwrap();

        Self { start, size, pool }
    }

    /// All bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.size];

        self.changed(&mut bytes);
        bytes
    }

    /// Copies all bytes to `bytes`. Returns whether they have changed.
    pub fn changed(&self, bytes: &mut [u8]) -> bool {
        // SAFETY: the mapping has this size, and no other process runs.
        let now = unsafe { std::slice::from_raw_parts(self.start.cast().as_ptr(), self.size) };
        let changed = now != bytes;

        if changed {
            bytes.copy_from_slice(now);
        }

        changed
    }

    /// Writes all bytes.
    pub fn restore(&self, bytes: &[u8]) {
        assert_eq!(bytes.len(), self.size);
        // SAFETY: the mapping has this size, and no other process runs.
        unsafe {
            ptr::copy_nonoverlapping(bytes.as_ptr(), self.start.cast().as_ptr(), self.size);
        }
    }

    /// Allocates, as `ngx_slab_alloc_locked()` does.
    pub fn alloc(&self, size: usize) -> Result<usize> {
        let result = alloc(&self.pool, size);

        if result == Err(Fault::Interrupted) {
            change::undo_interrupted(&self.pool).unwrap();
            return alloc(&self.pool, size);
        }

        result
    }

    /// Frees, as `ngx_slab_free_locked()` does.
    pub fn free(&self, address: usize) -> Result {
        let result = free(&self.pool, address);

        if result == Err(Fault::Interrupted) {
            change::undo_interrupted(&self.pool).unwrap();
            return free(&self.pool, address);
        }

        result
    }

    /// What the verifier finds.
    pub fn verify(&self) -> (Contents, Vec<String>) {
        let mut found = Vec::new();
        let contents = verify(&self.pool, &mut |text| found.push(text.to_string()));

        assert_eq!(contents.findings, found.len());
        (contents, found)
    }

    /// The contents of a pool in which the verifier finds nothing wrong.
    pub fn contents(&self) -> Contents {
        let (contents, found) = self.verify();

        assert_eq!(found, [] as [String; 0]);
        contents
    }

    /// The number of pages.
    pub fn pages(&self) -> usize {
        let field = |field| self.pool.field(field).unwrap();

        (field(field::LAST) - field(field::PAGES)) / 24
    }
}

impl Drop for Zone {
    fn drop(&mut self) {
        known::free(self.pool.at(0));

        // SAFETY: the pool is not used any more.
        unsafe { libc::munmap(self.start.as_ptr(), self.size) };
    }
}
