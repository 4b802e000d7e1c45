//! Tests of sockets.

use std::ffi::c_void;
use std::os::fd::{AsRawFd, IntoRawFd};
use std::sync::atomic::AtomicI32;
use std::sync::atomic::Ordering::Relaxed;

use super::*;
use crate::sys::fd::{duplicate, write};
use crate::sys::signal;
use crate::sys::testing::in_child;

fn bytes(text: &[u8]) -> Vec<MaybeUninit<u8>> {
    text.iter().copied().map(MaybeUninit::new).collect()
}

/// Sends a message, with a descriptor if `fd` is given. Returns the number of bytes.
fn send(
    sock: RawFd,
    bytes: &[MaybeUninit<u8>],
    fd: Option<RawFd>,
    wait: Wait,
) -> Result<usize, Errno> {
    match fd {
        Some(fd) => send_with(sock, bytes, fd, wait),
        None => super::send(sock, bytes, wait),
    }
    .result()
}

/// Receives a message into a buffer of 8 bytes. Returns the bytes.
fn receive(sock: RawFd) -> Result<(Received, Vec<u8>), Errno> {
    let mut memory = [MaybeUninit::zeroed(); 8];
    let mut buffer = Buffer::new(&mut memory);
    let received = recv(sock, &mut buffer, Wait::Never);

    assert_eq!(received.result()?, buffer.filled().len());

    Ok((received, buffer.filled().to_vec()))
}

fn set_option(sock: RawFd, option: c_int, value: c_int) -> Result<(), Errno> {
    // SAFETY: the kernel reads an int, which is local.
    Errno::result(unsafe {
        libc::setsockopt(
            sock,
            libc::SOL_SOCKET,
            option,
            (&raw const value).cast(),
            size_of_val(&value) as libc::socklen_t,
        )
    })
    .map(drop)
}

#[test]
fn the_flags_of_a_socket_are_read() {
    let pair = socketpair().unwrap();
    let stream = stream_pair().unwrap();
    let [sock, _] = pair.each_ref().map(AsRawFd::as_raw_fd);

    assert!(!is_blocking(sock) && !is_stream(sock));
    assert!(is_stream(stream[0].as_raw_fd()));
    assert!(!is_blocking(-1) && !is_stream(-1));

    for end in &pair {
        // SAFETY: F_GETFD accesses no memory.
        let flags = unsafe { libc::fcntl(end.as_raw_fd(), libc::F_GETFD) };

        assert_eq!(flags, libc::FD_CLOEXEC);
    }

    // SAFETY: F_SETFL accesses no memory.
    unsafe { libc::fcntl(sock, libc::F_SETFL, 0) };
    assert!(is_blocking(sock));

    set_option(sock, libc::SO_SNDBUF, 10_000).unwrap();
    assert_eq!(send_buffer(sock), Ok(20_000));
    assert_eq!(send_buffer(-1), Err(Errno::EBADF));
}

/// With `Wait::Never` a call on a blocking socket does not wait. It would wait for ever,
/// so the test runs in a child, which ends then.
#[test]
fn a_call_that_must_not_wait_does_not_wait() {
    in_child(|| {
        let pair = socketpair().unwrap();
        let [ours, theirs] = pair.each_ref().map(AsRawFd::as_raw_fd);

        for end in [ours, theirs] {
            // SAFETY: F_SETFL accesses no memory.
            unsafe { libc::fcntl(end, libc::F_SETFL, 0) };
        }

        assert_eq!(receive(ours).err(), Some(Errno::EAGAIN));

        let text = bytes(b"text");
        let is_full = (0..10_000).any(|_| send(theirs, &text, None, Wait::Never).is_err());

        assert!(is_full);
        assert_eq!(
            send(theirs, &bytes(b"text"), Some(ours), Wait::Never),
            Err(Errno::EAGAIN)
        );
    });
}

#[test]
fn the_end_comes_behind_the_last_message() {
    let [ours, theirs] = socketpair().unwrap();
    let sock = ours.as_raw_fd();

    assert!(!is_at_end(sock));
    send(theirs.as_raw_fd(), &bytes(b"text"), None, Wait::Never).unwrap();
    assert!(!is_at_end(sock));
    // A child of another test can have a copy of the descriptor.
    // SAFETY: the call has no pointers.
    unsafe { libc::shutdown(theirs.as_raw_fd(), libc::SHUT_RDWR) };
    assert!(!is_at_end(sock));
    assert!(receive(sock).is_ok_and(|(_, text)| text == b"text"));
    assert!(is_at_end(sock));
    assert!(receive(sock).is_ok_and(|(_, text)| text.is_empty()));
    assert_eq!(
        send(sock, &bytes(b"text"), None, Wait::Never),
        Err(Errno::EPIPE)
    );
}

#[test]
fn messages_carry_descriptors() {
    in_child(|| {
        let [ours, theirs] = socketpair().unwrap().map(IntoRawFd::into_raw_fd);

        for fd in [None, Some(ours)] {
            assert_eq!(send(theirs, &bytes(b"text"), fd, Wait::Never), Ok(4));

            let (received, text) = receive(ours).unwrap();

            assert_eq!(text, b"text");
            assert!(!received.is_truncated() && !received.is_longer());
            assert_eq!(received.fd.is_some(), fd.is_some());
        }

        assert_eq!(receive(ours).err(), Some(Errno::EAGAIN));
    });
}

#[test]
fn a_message_is_cut_if_the_buffer_is_too_small() {
    let [ours, theirs] = socketpair().unwrap();

    send(
        theirs.as_raw_fd(),
        &bytes(b"a long text"),
        None,
        Wait::Never,
    )
    .unwrap();

    let (received, text) = receive(ours.as_raw_fd()).unwrap();

    assert_eq!(text, b"a long t");
    assert!(received.is_truncated() && received.is_longer());
}

/// No descriptor is free in the receiver, so the kernel drops the one that arrives.
#[test]
fn a_descriptor_is_dropped_if_no_number_is_free() {
    in_child(|| {
        let [ours, theirs] = socketpair().unwrap().map(IntoRawFd::into_raw_fd);

        send(theirs, &bytes(b"text"), Some(ours), Wait::Never).unwrap();

        let limits = libc::rlimit {
            rlim_cur: 3,
            rlim_max: 3,
        };

        // SAFETY: the kernel reads `limits`, which is local.
        unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limits) };

        let (received, text) = receive(ours).unwrap();

        assert_eq!(text, b"text");
        assert!(received.is_truncated() && !received.is_longer());
        assert!(received.fd.is_none());
    });
}

/// The numbers are the lengths of the control data that `unix(7)` and `socket(7)`
/// list, on a system with 64 bits: 253 descriptors, credentials, a pidfd, a label of
/// 256 bytes, a time.
#[test]
fn the_buffer_has_room_for_all_control_data() {
    assert_eq!(
        CONTROL,
        (16 + 1016) + (16 + 16) + (16 + 8) + (16 + 256) + (16 + 16)
    );
}

#[test]
fn a_pidfd_is_not_the_descriptor_of_a_message() {
    /// `SO_PASSPIDFD` of `unix(7)`, a constant that the libc crate does not have.
    const SO_PASSPIDFD: c_int = 76;

    in_child(|| {
        let [ours, theirs] = socketpair().unwrap().map(IntoRawFd::into_raw_fd);

        if set_option(ours, SO_PASSPIDFD, 1).is_err() {
            // Linux has the option since version 6.5.
            return;
        }

        let next = duplicate(0).unwrap().as_raw_fd();

        for fd in [None, Some(ours)] {
            send(theirs, &bytes(b"text"), fd, Wait::Never).unwrap();

            let (received, _) = receive(ours).unwrap();

            assert_eq!(received.fd.is_some(), fd.is_some());
        }

        // No descriptor is left open.
        assert_eq!(duplicate(0).unwrap().as_raw_fd(), next);
    });
}

/// The writing end of the socket of the test, for the handler of SIGALRM.
static WRITER: AtomicI32 = AtomicI32::new(-1);

unsafe extern "C" fn write_later(_: c_int, _: *mut libc::siginfo_t, _: *mut c_void) {
    let sock = WRITER.load(Relaxed);
    let _ = write(sock, b"text");
}

#[test]
fn a_signal_does_not_end_a_call_on_a_connection() {
    in_child(|| {
        let [ours, theirs] = stream_pair().unwrap().map(IntoRawFd::into_raw_fd);
        let now = libc::timeval {
            tv_sec: 0,
            tv_usec: 0,
        };
        let soon = libc::itimerval {
            it_interval: now,
            it_value: libc::timeval {
                tv_sec: 0,
                tv_usec: 20_000,
            },
        };
        let mut text = [0u8; 8];

        // SAFETY: F_SETFL accesses no memory.
        unsafe { libc::fcntl(ours, libc::F_SETFL, 0) };
        WRITER.store(theirs, Relaxed);
        signal::handle(libc::SIGALRM, write_later).unwrap();
        // SAFETY: the kernel reads `soon`, which is local.
        unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const soon, ptr::null_mut()) };

        // SAFETY: `text` has 8 bytes.
        assert_eq!(unsafe { recv_bytes(ours, text.as_mut_ptr(), 8) }, Ok(4));
        assert_eq!(&text, b"text\0\0\0\0");
        // SAFETY: `text` has 8 bytes.
        assert_eq!(unsafe { send_bytes(ours, text.as_ptr(), 8) }, Ok(8));
    });
}
