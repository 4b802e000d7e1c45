//! The processors that a process is allowed to use, `cpuset(7)`.

use std::sync::OnceLock;
use std::sync::atomic::AtomicIsize;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

/// The number of bits of a word of a set.
const BITS: usize = usize::BITS as usize;
/// The number of words of a set: 8192 processors, the most that Linux can have.
const WORDS: usize = 8192 / BITS;

/// A set of processors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Processors([usize; WORDS]);

impl Processors {
    /// The processors that this process is allowed to use. If the kernel does not tell
    /// them, the set has all processors of the machine.
    ///
    /// # References
    ///
    /// `sched_getaffinity(2)`.
    pub fn allowed() -> Self {
        let mut set = Self([0; WORDS]);

        // SAFETY: the kernel writes at most `size_of_val(&set.0)` bytes to `set.0`.
        let result = Errno::result(unsafe {
            libc::syscall(
                libc::SYS_sched_getaffinity,
                0,
                size_of_val(&set.0),
                set.0.as_mut_ptr(),
            )
        });

        if result.is_err() || set.count() == 0 {
            set = Self::first(online());
        }

        set
    }

    /// The first `n` processors of the machine.
    fn first(n: usize) -> Self {
        let mut set = Self([0; WORDS]);

        (0..n).for_each(|processor| set.add(processor));
        set
    }

    /// A set with the processor `processor` only.
    fn only(processor: usize) -> Self {
        let mut set = Self([0; WORDS]);

        set.add(processor);
        set
    }

    fn add(&mut self, processor: usize) {
        if let Some(word) = self.0.get_mut(processor / BITS) {
            *word |= 1 << (processor % BITS);
        }
    }

    fn has(&self, processor: usize) -> bool {
        let word = self.0.get(processor / BITS).copied().unwrap_or_default();

        word >> (processor % BITS) & 1 != 0
    }

    /// The number of processors in the set.
    pub fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The number of the processor with the index `n`, modulo the number of processors
    /// in the set; `None` if the set is empty.
    pub fn nth(&self, n: usize) -> Option<usize> {
        let index = n.checked_rem(self.count())?;

        (0..WORDS * BITS).filter(|&p| self.has(p)).nth(index)
    }
}

/// The number of processors that this process was allowed to use at the first call, at
/// least 1. A child process that restricts itself later gets the same number.
pub fn count_at_start() -> usize {
    static COUNT: OnceLock<usize> = OnceLock::new();

    *COUNT.get_or_init(|| Processors::allowed().count())
}

/// The number of processors of the machine, at least 1.
fn online() -> usize {
    // SAFETY: sysconf() accesses no memory of the caller.
    let n = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };

    usize::try_from(n).unwrap_or(1).max(1)
}

/// The number of processors that run, the variable `ngx_ncpu` of nginx's API. 0 if the
/// program has not set it.
pub fn ngx_ncpu() -> isize {
    unsafe extern "C" {
        /// C changes the variable before it has several processes.
        safe static ngx_ncpu: AtomicIsize;
    }

    ngx_ncpu.load(Relaxed)
}

/// Restricts this process to one processor, `sched_setaffinity(2)`.
pub fn bind_to(processor: usize) -> Result<(), Errno> {
    let Processors(set) = Processors::only(processor);

    // SAFETY: the kernel reads `set`, whose size is passed.
    Errno::result(unsafe {
        libc::syscall(
            libc::SYS_sched_setaffinity,
            0,
            size_of_val(&set),
            set.as_ptr(),
        )
    })
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::testing::{in_child, refuse};

    #[test]
    fn a_set_has_its_processors() {
        let mut set = Processors::only(3);

        set.add(1000);
        set.add(8191);
        // Linux has no such processor.
        set.add(8192);
        assert_eq!(set.count(), 3);
        assert_eq!(
            [0, 1, 2, 3].map(|n| set.nth(n)),
            [3, 1000, 8191, 3].map(Some)
        );
        assert_eq!(Processors::first(0).nth(5), None);
    }

    #[test]
    fn a_process_runs_on_one_processor() {
        in_child(|| {
            let all = Processors::allowed();
            let before = count_at_start();
            let last = all.nth(all.count() - 1).unwrap();

            bind_to(last).unwrap();
            assert_eq!(Processors::allowed(), Processors::only(last));
            assert_eq!(Processors::allowed().nth(7), Some(last));
            assert_eq!(count_at_start(), before);
        });
    }

    #[test]
    fn a_kernel_can_refuse_to_tell() {
        in_child(|| {
            refuse(libc::SYS_sched_getaffinity);
            assert_eq!(Processors::allowed(), Processors::first(online()));
        });
    }
}
