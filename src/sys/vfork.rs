//! A child that shares the memory of its parent until it executes a program.

use std::ffi::{c_int, c_void};
use std::ptr::{self, NonNull};

use nix::errno::Errno;

use super::signal::Blocked;

/// The size of the stack, in bytes. A child needs most stack when it writes a
/// log line.
const STACK: usize = 256 * 1024;
/// The size of the guard below the stack, in bytes. The guard is not
/// accessible, so a child that needs more stack gets SIGSEGV.
const GUARD: usize = 64 * 1024;

/// The memory of a child's stack, with the guard below the stack.
struct Stack(NonNull<c_void>);

impl Stack {
    fn new() -> Result<Self, Errno> {
        // SAFETY: without MAP_FIXED the kernel chooses a free address.
        let base = unsafe {
            libc::mmap(
                ptr::null_mut(),
                GUARD + STACK,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_STACK | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };

        if base == libc::MAP_FAILED {
            return Err(Errno::last());
        }

        let stack = Self(NonNull::new(base).ok_or(Errno::ENOMEM)?);

        // SAFETY: the range lies within the new mapping, which no other code
        // uses yet.
        Errno::result(unsafe {
            libc::mprotect(
                base.byte_add(GUARD),
                STACK,
                libc::PROT_READ | libc::PROT_WRITE,
            )
        })?;

        Ok(stack)
    }

    /// The upper end of the stack, from which the stack grows down.
    /// Page-aligned.
    fn top(&self) -> *mut c_void {
        // SAFETY: the result points to the end of the mapping.
        unsafe { self.0.as_ptr().byte_add(GUARD + STACK) }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: `new` has made the mapping, and the child does not use it any
        // more: it has executed a program or exited.
        unsafe { libc::munmap(self.0.as_ptr(), GUARD + STACK) };
    }
}

/// Runs `child` in a new process, `clone(CLONE_VM|CLONE_VFORK)`. `child` must
/// execute a program or exit; this function returns when it has done so.
///
/// The kernel copies no page tables, so the time of the call does not depend on
/// the size of the caller's memory. The child shares the caller's memory, but
/// has its own descriptors and signal dispositions. The child begins with all
/// signals blocked. A handler in the child would change the caller's memory, so
/// the child must reset the handlers before it unblocks signals.
pub fn vfork<F: FnMut()>(mut child: F) -> Result<libc::pid_t, Errno> {
    extern "C" fn run<F: FnMut()>(child: *mut c_void) -> c_int {
        // SAFETY: the argument points to `child` of the caller, which waits
        // meanwhile.
        unsafe { (*child.cast::<F>())() };

        super::process::exit_now(0)
    }

    let stack = Stack::new()?;
    let _blocked = Blocked::all()?;

    // SAFETY: with CLONE_VFORK the kernel stops this thread until the child has
    // executed a program or exited; so the stack and `child` live as long as
    // the child uses them. `run` does not return.
    Errno::result(unsafe {
        libc::clone(
            run::<F>,
            stack.top(),
            libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD,
            (&raw mut child).cast(),
        )
    })
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;
    use std::sync::atomic::AtomicI32;
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;
    use crate::sys::process::{exit_now, getpid, pipe, reap_one};
    use crate::sys::testing::in_child;
    use crate::sys::time::pause;

    fn is_blocked(signo: c_int) -> bool {
        // SAFETY: an all-zero sigset is valid; the kernel writes it.
        unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();

            libc::sigprocmask(libc::SIG_BLOCK, ptr::null(), &raw mut set);
            libc::sigismember(&raw const set, signo) == 1
        }
    }

    #[test]
    fn a_child_shares_the_memory_and_the_parent_waits() {
        in_child(|| {
            let written = AtomicI32::new(0);
            let child = vfork(|| {
                // A parent that does not wait reads the number meanwhile.
                pause(50);
                written.store(
                    if is_blocked(libc::SIGTERM) {
                        getpid()
                    } else {
                        -1
                    },
                    Relaxed,
                );
                exit_now(0);
            })
            .unwrap();

            assert_eq!(written.load(Relaxed), child);
            assert!(!is_blocked(libc::SIGTERM));
            reap_one(child).unwrap();
        });
    }

    /// Whether the kernel can read the byte at `address`.
    fn is_readable(address: *const c_void) -> bool {
        let (_reader, writer) = pipe().unwrap();

        // SAFETY: write() fails with EFAULT if the byte cannot be read.
        unsafe { libc::write(writer.as_raw_fd(), address, 1) == 1 }
    }

    #[test]
    fn a_stack_has_a_guard_and_is_unmapped() {
        in_child(|| {
            let stack = Stack::new().unwrap();
            let top: *const u8 = stack.top().cast();
            let at = |below_top: usize| top.wrapping_sub(below_top).cast::<c_void>();
            let (first, last) = (256 * 1024, (256 + 64) * 1024);

            assert!(is_readable(at(1)) && is_readable(at(first)));
            assert!(!is_readable(at(first + 1)) && !is_readable(at(last)));
            assert_eq!(at(last), stack.0.as_ptr().cast_const());

            drop(stack);

            // SAFETY: the advice changes nothing, and fails if memory is not mapped.
            let is_mapped = |address: *const c_void| unsafe {
                libc::madvise(address.cast_mut(), 4096, libc::MADV_NORMAL) == 0
            };

            assert!(!is_mapped(at(4096)) && !is_mapped(at(first)) && !is_mapped(at(last)));
        });
    }
}
