//! The memory of another process, which this process only reads.
//!
//! The other process is not stopped and gets no signal. It can change its memory at the
//! same time.

use std::ffi::c_void;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::ptr::NonNull;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::{Mode, stat};

use super::path::CPath;
use super::words::Words;
use super::{file, heap};

/// The room for a list of mappings, in bytes: at first, and at most.
const ROOM: usize = 64 << 10;
const MOST_ROOM: usize = 256 << 20;

/// Another process.
pub struct OtherProcess {
    pid: libc::pid_t,
    memory: OwnedFd,
}

impl OtherProcess {
    /// Opens the memory of the process `pid`. A later process with the same pid is not
    /// mistaken for it: reads fail then.
    ///
    /// Fails with `ENOENT` if there is no such process, and with `EACCES` if this process may
    /// not read its memory.
    ///
    /// # References
    ///
    /// `proc_pid_mem(5)`, `PTRACE_MODE_ATTACH_FSCREDS` of `ptrace(2)`.
    pub fn open(pid: libc::pid_t) -> Result<Self, Errno> {
        let path = CPath::formatted(format_args!("/proc/{pid}/mem"))?;
        let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
        let memory = open(path.as_c_str(), flags, Mode::empty())?;

        Ok(Self { pid, memory })
    }

    /// The text of `/proc/PID/maps`, see [`mappings`](super::proc_maps).
    pub fn maps(&self) -> Result<Vec<u8>, Errno> {
        let path = CPath::formatted(format_args!("/proc/{}/maps", self.pid))?;
        let mut room = ROOM;

        loop {
            let mut text = heap::zeros(room)?;
            let len = file::read(path.as_path(), &mut text)?.len();

            if len < room {
                text.truncate(len);
                return Ok(text);
            }

            // The text does not fit.
            room *= 2;

            if room > MOST_ROOM {
                return Err(Errno::EFBIG);
            }
        }
    }

    /// Copies the bytes at `address` to `to`. Fails with `EFAULT` if they are not all mapped,
    /// and with `ESRCH` if the process has exited.
    pub fn read(&self, address: usize, to: &mut [u8]) -> Result<(), Errno> {
        let place = NonNull::from(&mut *to).cast();

        // SAFETY: the bytes of `to` are writable, and only this function uses them.
        unsafe { self.read_to(address, place, to.len()) }
    }

    /// Copies `len` bytes at `address` to `place`.
    ///
    /// # Safety
    ///
    /// `len` bytes at `place` are mapped and writable, and no reference to them exists other
    /// than to atomics.
    unsafe fn read_to(&self, address: usize, place: NonNull<u8>, len: usize) -> Result<(), Errno> {
        let mut done = 0;

        while done < len {
            let offset =
                libc::off_t::try_from(address.wrapping_add(done)).or(Err(Errno::EFAULT))?;

            // SAFETY: `done` is less than `len`, so the kernel writes only to the bytes that the
            // caller gives.
            let n = Errno::result(unsafe {
                libc::pread(
                    self.memory.as_raw_fd(),
                    place.add(done).as_ptr().cast(),
                    len - done,
                    offset,
                )
            });

            match n {
                Ok(0) => return Err(Errno::ESRCH),
                Ok(n) => done += n.unsigned_abs(),
                Err(Errno::EINTR) => {}
                // The kernel has EIO for an address that is not mapped.
                Err(Errno::EIO) => return Err(Errno::EFAULT),
                Err(err) => return Err(err),
            }
        }

        Ok(())
    }

    /// Whether a pid means the same process there as in this process: both are in the same
    /// PID namespace. The result is true if the kernel does not tell.
    ///
    /// # References
    ///
    /// `pid_namespaces(7)`.
    pub fn has_our_pids(&self) -> bool {
        let of = |path: &Path| stat(path).map(|found| (found.st_dev, found.st_ino));
        let Ok(path) = CPath::formatted(format_args!("/proc/{}/ns/pid", self.pid)) else {
            return true;
        };

        match (of(path.as_path()), of(Path::new("/proc/self/ns/pid"))) {
            (Ok(there), Ok(here)) => there == here,
            _ => true,
        }
    }
}

/// Memory of this process for a copy of a part of another one's. It is never unmapped, and
/// only pages that were written to take up memory.
pub struct MemoryCopy {
    start: NonNull<c_void>,
    words: Words,
}

impl MemoryCopy {
    /// Maps `size` bytes of zeros, at `address` if this is free in this process, else
    /// elsewhere. Fails with `EINVAL` if the size is too small for a zone.
    ///
    /// # References
    ///
    /// `MAP_NORESERVE` of `mmap(2)`.
    pub fn near(address: usize, size: usize) -> Result<Self, Errno> {
        // SAFETY: without MAP_FIXED the kernel replaces no mapping.
        let start = unsafe {
            libc::mmap(
                std::ptr::without_provenance_mut(address),
                size,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };

        if start == libc::MAP_FAILED {
            return Err(Errno::last());
        }

        let start = NonNull::new(start).ok_or(Errno::ENOMEM)?;
        // SAFETY: the mapping has this size and is never unmapped. It is accessed through
        // `Words`, and by the kernel when it copies bytes there.
        let words = unsafe { Words::new(start, size) }.ok_or(Errno::EINVAL)?;

        Ok(Self { start, words })
    }

    /// The words of the copy.
    pub fn words(&self) -> Words {
        self.words
    }

    /// Copies `len` bytes at the offset `at` of the memory at `address` of the other process to
    /// the same offset of this one. Bytes behind the end are left out.
    pub fn fill(
        &self,
        process: &OtherProcess,
        address: usize,
        at: usize,
        len: usize,
    ) -> Result<(), Errno> {
        let len = len.min(self.words.size().saturating_sub(at));

        if len == 0 {
            return Ok(());
        }

        // SAFETY: the bytes lie within the mapping, because `at` and `len` are checked above.
        // References to them are to atomics only.
        unsafe { process.read_to(address.wrapping_add(at), self.start.cast().add(at), len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_copied() {
        let own = OtherProcess::open(std::process::id().cast_signed()).unwrap();
        let text: Vec<u8> = (0..4096 * 3).map(|n| n as u8).collect();
        let mut some = [0; 3];
        let at = text.as_ptr().addr();

        assert_eq!(own.read(at + 5, &mut some), Ok(()));
        assert_eq!(some, [5, 6, 7]);
        assert_eq!(own.read(8, &mut some), Err(Errno::EFAULT));
        assert_eq!(own.read(usize::MAX, &mut some), Err(Errno::EFAULT));
        assert!(own.has_our_pids());

        let copy = MemoryCopy::near(at, 4096).unwrap();
        let words = copy.words();

        assert_eq!(copy.fill(&own, at, 8, usize::MAX), Ok(()));
        assert_eq!(copy.fill(&own, at, 4096, 1), Ok(()));
        assert_eq!(words.load(words.start()), Some(0));
        assert_eq!(
            words.load(words.start() + 8),
            Some(usize::from_ne_bytes([8, 9, 10, 11, 12, 13, 14, 15]))
        );
    }

    #[test]
    fn no_process_is_an_error() {
        assert_eq!(OtherProcess::open(-1).err(), Some(Errno::ENOENT));
        assert_eq!(MemoryCopy::near(0, 8).err(), Some(Errno::EINVAL));
    }
}
