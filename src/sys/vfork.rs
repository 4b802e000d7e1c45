//! A child that borrows the caller's memory until it is another program.

use std::ffi::{c_int, c_void};
use std::ptr::{self, NonNull};

use nix::errno::Errno;

use super::signal::Blocked;

/// What a child may use of a stack of its own: a log line at most.
const STACK: usize = 256 * 1024;
/// Below it, so that what needs more does not go on unseen.
const GUARD: usize = 64 * 1024;

/// The stack of a child.
struct Stack(NonNull<c_void>);

impl Stack {
    fn new() -> Result<Self, Errno> {
        // SAFETY: without MAP_FIXED a new mapping disturbs no other.
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

        // SAFETY: the range is within the mapping, which is ours.
        Errno::result(unsafe {
            libc::mprotect(
                base.byte_add(GUARD),
                STACK,
                libc::PROT_READ | libc::PROT_WRITE,
            )
        })?;

        Ok(stack)
    }

    /// Where a stack that grows down begins, page-aligned.
    fn top(&self) -> *mut c_void {
        // SAFETY: the end of the mapping.
        unsafe { self.0.as_ptr().byte_add(GUARD + STACK) }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and the child has left it.
        unsafe { libc::munmap(self.0.as_ptr(), GUARD + STACK) };
    }
}

/// Runs `child` in a new process, which must execute a program or exit; the
/// caller goes on after that, `clone(CLONE_VM|CLONE_VFORK)`.
///
/// No page table is copied, so the time this takes does not grow with the
/// memory of the caller. The child shares that memory, but neither
/// descriptors nor signal dispositions; it begins with every signal blocked,
/// since the handlers are the caller's, and should have reset them before it
/// lets any in.
pub fn vfork<F: FnMut()>(mut child: F) -> Result<libc::pid_t, Errno> {
    extern "C" fn run<F: FnMut()>(child: *mut c_void) -> c_int {
        // SAFETY: `child` below, which lives while its caller waits.
        unsafe { (*child.cast::<F>())() };

        super::process::exit_now(0)
    }

    let stack = Stack::new()?;
    let _blocked = Blocked::all()?;

    // SAFETY: the stack is large enough and outlives its use, since CLONE_VFORK
    // has this thread wait; `run` does not return, and what it uses is alive.
    Errno::result(unsafe {
        libc::clone(
            run::<F>,
            stack.top(),
            libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD,
            (&raw mut child).cast(),
        )
    })
}
