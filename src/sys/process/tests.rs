//! Tests of processes with real children.

use std::os::fd::IntoRawFd;
use std::sync::atomic::AtomicI32;
use std::sync::atomic::Ordering::Relaxed;

use super::*;
use crate::sys::signal;
use crate::sys::testing::{in_child, refuse};

/// Starts a child that runs `run` and then exits with 7.
fn child(run: impl FnOnce()) -> libc::pid_t {
    match fork().unwrap() {
        Fork::Child => {
            run();
            exit_now(7)
        }
        Fork::Parent(pid) => pid,
    }
}

/// Starts a child that waits for signals.
fn waiting() -> libc::pid_t {
    child(|| {
        // SAFETY: pause() and alarm() access no memory. The alarm only ends a child
        // whose test has failed.
        unsafe {
            libc::alarm(60);
            libc::pause();
        }
    })
}

/// Waits for a change of the child `pid`, and does not reap the child.
fn wait_for(pid: libc::pid_t, change: c_int) {
    // SAFETY: an all-zero siginfo is valid, and the kernel writes it.
    Errno::result(unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();

        libc::waitid(
            libc::P_PID,
            pid.cast_unsigned(),
            &raw mut info,
            change | libc::WNOWAIT,
        )
    })
    .unwrap();
}

#[test]
fn a_child_is_reaped_once() {
    in_child(|| {
        let pid = waiting();

        assert_eq!(reap(pid), Ok(None));
        assert_eq!(reap(ANY), Ok(None));
        assert_eq!((zombie(pid), zombie(ANY)), (None, None));
        assert!(!is_gone(pid) && !is_no_child(pid));

        kill(pid, libc::SIGKILL).unwrap();
        wait_for(pid, libc::WEXITED);

        // The zombie is only looked at, so it is still there.
        for _ in 0..2 {
            assert_eq!((zombie(pid), zombie(ANY)), (Some(pid), Some(pid)));
            assert!(!is_gone(pid) && !is_no_child(pid));
        }

        let child = reap(ANY).unwrap().unwrap();

        assert_eq!((child.pid, child.status), (pid, libc::SIGKILL));
        assert_eq!(reap(pid), Err(Errno::ECHILD));
        assert_eq!(zombie(pid), None);
        assert!(is_gone(pid) && is_no_child(pid));
        assert_eq!(kill(pid, libc::SIGKILL), Err(Errno::ESRCH));
        assert_eq!(kill_child(pid, libc::SIGKILL, || true), Err(Errno::ESRCH));
    });
}

#[test]
fn the_end_of_a_child_is_awaited() {
    in_child(|| {
        let pid = child(|| ());

        reap_one(pid).unwrap();
        assert!(is_no_child(pid));
        assert_eq!(reap_one(pid), Err(Errno::ECHILD));
        assert!(is_no_child(getppid()) && !is_gone(getppid()));
    });
}

/// A filter of system calls can refuse calls that the functions prefer.
#[test]
fn children_are_found_without_waitid_and_pidfd_open() {
    in_child(|| {
        refuse(libc::SYS_waitid);
        refuse(libc::SYS_pidfd_open);

        let pid = waiting();

        assert!(!is_no_child(pid) && zombie(pid).is_none());
        assert_eq!(kill_child(pid, libc::SIGKILL, || false), Err(Errno::ESRCH));
        assert_eq!(kill_child(pid, libc::SIGKILL, || true), Ok(()));
        reap_one(pid).unwrap();
        assert!(is_no_child(pid));
    });
}

/// A child that has made this process its tracer stops at its next signal.
#[test]
fn a_traced_child_is_no_zombie_and_is_killed() {
    in_child(|| {
        let pid = child(|| {
            // SAFETY: PTRACE_TRACEME accesses no memory.
            unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) };
            signal::raise(libc::SIGUSR1);
        });

        wait_for(pid, libc::WSTOPPED);
        assert_eq!((zombie(pid), zombie(ANY)), (None, None));
        reap_one(pid).unwrap();
        assert!(is_no_child(pid));
    });
}

#[test]
fn only_a_child_that_is_ours_gets_a_signal() {
    in_child(|| {
        let pid = waiting();

        assert_eq!(kill_child(pid, libc::SIGKILL, || false), Err(Errno::ESRCH));
        assert_eq!(kill_child(pid, -1, || true), Err(Errno::EINVAL));
        assert_eq!(reap(pid), Ok(None));
        assert_eq!(kill_child(pid, libc::SIGKILL, || true), Ok(()));
        reap_one(pid).unwrap();
    });
}

#[test]
fn a_pidfd_is_readable_when_the_process_has_exited() {
    in_child(|| {
        let pid = child(|| ());
        let fd = pidfd(pid).unwrap();
        let mut poll = libc::pollfd {
            fd: fd.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };

        // SAFETY: the kernel reads and writes one pollfd, which is local.
        assert_eq!(unsafe { libc::poll(&raw mut poll, 1, -1) }, 1);
        assert_eq!(zombie(pid), Some(pid));
        reap_one(pid).unwrap();
        assert_eq!(pidfd(pid).err(), Some(Errno::ESRCH));
    });
}

#[test]
fn a_status_says_how_a_child_has_ended() {
    let killed = Ended::Signal {
        signo: libc::SIGKILL,
        core: false,
    };

    assert!(Ended::new(7 << 8) == Ended::Code(7));
    assert!(Ended::new(libc::SIGKILL) == killed);
    assert!(has_ended(7 << 8) && has_ended(libc::SIGKILL));
    // The status of a child that was stopped by SIGSTOP, and of one that continues.
    assert!(!has_ended((libc::SIGSTOP << 8) | 0x7f) && !has_ended(0xffff));
}

/// The writing end of the pipe of the test, for the handler of SIGALRM.
static WRITER: AtomicI32 = AtomicI32::new(-1);

unsafe extern "C" fn write_later(_: c_int, _: *mut libc::siginfo_t, _: *mut std::ffi::c_void) {
    // SAFETY: the test has stored the number of a descriptor without an owner.
    let pipe = unsafe { OwnedFd::from_raw_fd(WRITER.load(Relaxed)) };

    write_errno(&pipe, Errno::ENOEXEC);
}

#[test]
fn an_errno_goes_through_a_pipe() {
    in_child(|| {
        let (reader, writer) = pipe().unwrap();

        write_errno(&writer, Errno::ENOENT);
        assert_eq!(read_errno(&reader), Some(Errno::ENOENT));
        nix::unistd::write(&writer, b"12").unwrap();
        drop(writer);
        assert_eq!(read_errno(&reader), None);
        assert_eq!(read_errno(&reader), None);
    });
}

#[test]
fn a_signal_does_not_end_the_wait_for_an_errno() {
    in_child(|| {
        let (reader, writer) = pipe().unwrap();
        let soon = libc::itimerval {
            it_interval: libc::timeval {
                tv_sec: 0,
                tv_usec: 0,
            },
            it_value: libc::timeval {
                tv_sec: 0,
                tv_usec: 20_000,
            },
        };

        WRITER.store(writer.into_raw_fd(), Relaxed);
        signal::handle(libc::SIGALRM, write_later).unwrap();
        // SAFETY: the kernel reads `soon`, which is local.
        unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const soon, std::ptr::null_mut()) };

        assert_eq!(read_errno(&reader), Some(Errno::ENOEXEC));
    });
}

#[test]
fn a_program_that_is_not_there_is_an_error() {
    let argv = [c"x".as_ptr(), std::ptr::null()];
    // SAFETY: the arrays end with NULL, and live until the end of the test.
    let program = unsafe { Program::new(c"/nonexistent".as_ptr(), argv.as_ptr(), &argv[1]) };

    assert_eq!(program.exec(), Errno::ENOENT);
    // SAFETY: as above; `path` is NULL.
    let program = unsafe { Program::new(std::ptr::null(), argv.as_ptr(), &argv[1]) };

    assert_eq!(program.exec(), Errno::EFAULT);
}
