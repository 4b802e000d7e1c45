//! A child in which a unit test runs.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::process::{Fork, exit_now, fork};

/// The time limit of a test in a child, in seconds. It only ends a test that hangs.
const LIMIT: libc::c_uint = 30;

/// The exit code of a child whose test has panicked.
const PANICKED: i32 = 101;

/// Runs `test` in a child, because `test` changes its process: signals,
/// descriptors, the user. Panics if `test` panics.
///
/// The child has one thread. So the numbers of its descriptors, and its free
/// addresses, change only when `test` changes them.
pub fn in_child(test: impl FnOnce()) {
    let run = || {
        test();
        0
    };

    assert_eq!(exit_code(run), 0, "the test in the child");
}

/// Runs `run` in a child, which exits with the result. Returns the exit code of the
/// child.
pub fn exit_code(run: impl FnOnce() -> i32) -> i32 {
    match fork().unwrap() {
        Fork::Child => exit_now(code_of(run)),
        Fork::Parent(pid) => {
            let mut status = 0;

            // SAFETY: the kernel writes `status`, which is local.
            assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
            assert!(libc::WIFEXITED(status), "status {status:#x}");

            libc::WEXITSTATUS(status)
        }
    }
}

/// Returns the result of `run`. If `run` panics, writes the message to stderr:
/// the messages of tests are kept in memory, which ends with the child.
fn code_of(run: impl FnOnce() -> i32) -> i32 {
    // SAFETY: alarm() accesses no memory.
    unsafe { libc::alarm(LIMIT) };

    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        let line = format!("{}\n", text.unwrap_or("a panic"));
        let _ = super::fd::write(libc::STDERR_FILENO, line.as_bytes());

        PANICKED
    })
}

/// Makes the kernel refuse the system call `number` with ENOSYS in this process,
/// `seccomp(2)`, as an older kernel does.
pub fn refuse(number: libc::c_long) {
    const LOAD_NUMBER: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const IS_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

    let step = |code, jf, k| libc::sock_filter { code, jt: 0, jf, k };
    let mut filter = [
        step(LOAD_NUMBER, 0, 0),
        step(IS_EQUAL, 1, number as u32),
        step(RETURN, 0, libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32),
        step(RETURN, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog {
        len: filter.len() as u16,
        filter: filter.as_mut_ptr(),
    };

    // SAFETY: the kernel reads `program` and `filter`, which are local.
    let refused = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(
                libc::PR_SET_SECCOMP,
                libc::SECCOMP_MODE_FILTER,
                &raw const program,
            ) == 0
    };

    assert!(refused, "the filter of system calls");
}
