//! Tests that send and receive messages through socket pairs.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, RawFd};

use super::message::ngx_channel_t;
use super::read::read;
use super::write::{ALWAYS_WHOLE, BUFFER_MAX, BUFFER_OVERHEAD, write};
use crate::config::ngx_uint_t;
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::buffer::Buffer;
use crate::sys::log::RawLog;
use crate::sys::socket;
use crate::table::slots::CLOSED;

fn log() -> Log {
    Log::new(RawLog::none())
}

fn receive(sock: RawFd, size: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![MaybeUninit::new(0); size];

    read(log(), sock, &mut bytes)?;

    let mut buffer = Buffer::new(&mut bytes);

    #[allow(unsafe_code)]
    // SAFETY: `vec!` has initialised all `size` bytes.
    unsafe {
        buffer.advance(size);
    }

    Ok(buffer.filled().to_vec())
}

fn message(command: ngx_uint_t, size: usize) -> Vec<MaybeUninit<u8>> {
    let mut bytes = ngx_channel_t::command(command).bytes().to_vec();

    bytes.resize(size, MaybeUninit::new(7));

    bytes
}

#[test]
fn parts_are_put_together() {
    let [a, b] = socket::socketpair().unwrap();
    let sent = message(31, 64);

    for piece in sent.chunks(5) {
        assert_eq!(
            receive(b.as_raw_fd(), 64).unwrap_err(),
            Status::Again,
            "a message is returned only when it is complete"
        );
        socket::send(a.as_raw_fd(), piece, None).unwrap();
    }

    assert_eq!(receive(b.as_raw_fd(), 64).unwrap()[32..], [7; 32]);
    assert_eq!(receive(b.as_raw_fd(), 64).unwrap_err(), Status::Again);
}

#[test]
fn parts_of_a_closed_socket_are_dropped() {
    let [a, b] = socket::socketpair().unwrap();

    socket::send(a.as_raw_fd(), &message(31, 32)[..9], None).unwrap();
    assert_eq!(receive(b.as_raw_fd(), 32).unwrap_err(), Status::Again);

    // Another socket gets the number of `b`, and close_channel() is not called
    // for `b`.
    let [c, d] = socket::socketpair().unwrap();
    let number = b.as_raw_fd();

    #[allow(unsafe_code)]
    // SAFETY: dup2() accesses no memory; this test owns both descriptors.
    unsafe {
        libc::dup2(d.as_raw_fd(), number);
    }

    write(
        log(),
        c.as_raw_fd(),
        &message(32, 32),
        32,
        CLOSED,
        Level::Alert,
    )
    .unwrap();
    assert_eq!(receive(number, 32).unwrap()[0], 32);
}

#[test]
fn large_messages_are_sent_whole_or_not_at_all() {
    let [a, b] = socket::socketpair().unwrap();
    let mut sent = 0;

    while write(
        log(),
        a.as_raw_fd(),
        &message(31, BUFFER_MAX),
        31,
        CLOSED,
        Level::Alert,
    )
    .is_ok()
    {
        sent += 1;
    }

    assert!(sent > 1);

    for _ in 0..sent {
        assert_eq!(
            receive(b.as_raw_fd(), BUFFER_MAX).unwrap().len(),
            BUFFER_MAX
        );
    }

    assert_eq!(
        receive(b.as_raw_fd(), BUFFER_MAX).unwrap_err(),
        Status::Again,
        "no part of the message that did not fit was sent"
    );
    assert_eq!(
        write(
            log(),
            a.as_raw_fd(),
            &message(31, BUFFER_MAX + 1),
            31,
            CLOSED,
            Level::Alert
        ),
        Err(Status::Error)
    );
}

#[test]
fn a_small_send_buffer_lowers_the_limit() {
    let [a, _b] = socket::socketpair().unwrap();
    let size: libc::c_int = 1;

    #[allow(unsafe_code)]
    // SAFETY: the kernel reads `size`, which is local and has the length that
    // is passed.
    unsafe {
        libc::setsockopt(
            a.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_SNDBUF,
            (&raw const size).cast(),
            size_of_val(&size) as libc::socklen_t,
        );
    }

    let least = socket::send_buffer(a.as_raw_fd()).unwrap();

    assert!(least / 2 - BUFFER_OVERHEAD >= ALWAYS_WHOLE);
    write(
        log(),
        a.as_raw_fd(),
        &message(31, ALWAYS_WHOLE),
        31,
        CLOSED,
        Level::Alert,
    )
    .unwrap();
    assert_eq!(
        write(
            log(),
            a.as_raw_fd(),
            &message(31, least),
            31,
            CLOSED,
            Level::Alert
        ),
        Err(Status::Error)
    );
}
