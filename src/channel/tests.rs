//! Tests that send and receive messages through socket pairs.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;

use super::message::ngx_channel_t;
use super::read::read;
use super::turn::{TURN, Turn};
use super::write::{ALWAYS_WHOLE, BUFFER_MAX, BUFFER_OVERHEAD, write};
use crate::config::ngx_uint_t;
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::log::RawLog;
use crate::sys::socket::{self, Wait};

fn log() -> Log {
    Log::new(RawLog::none())
}

fn receive(sock: RawFd, size: usize) -> Result<Vec<u8>> {
    receive_in(&Turn::of_one_message(), sock, size)
}

fn receive_in(turn: &Turn, sock: RawFd, size: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![MaybeUninit::new(0); size];

    read(log(), sock, &mut bytes, Some(turn), || false).map(<[u8]>::to_vec)
}

fn message(command: ngx_uint_t, size: usize) -> Vec<MaybeUninit<u8>> {
    let mut bytes = ngx_channel_t::command(command).bytes().to_vec();

    bytes.resize(size, MaybeUninit::new(7));

    bytes
}

fn send(sock: RawFd, bytes: &[MaybeUninit<u8>]) {
    socket::send(sock, bytes, Wait::Never).result().unwrap();
}

fn put(sock: RawFd, bytes: &[MaybeUninit<u8>]) -> Result {
    let ch = ngx_channel_t::command(31);

    write(log(), sock, bytes, &ch, Level::Alert, || false)
}

#[test]
fn messages_of_another_size_are_dropped() {
    let [a, b] = socket::socketpair().unwrap();

    for size in [0, 1, 5, 31, 33, 64, 5000] {
        send(a.as_raw_fd(), &message(31, size));
    }

    put(a.as_raw_fd(), &message(32, 32)).unwrap();
    send(a.as_raw_fd(), &message(31, 0));

    assert_eq!(receive(b.as_raw_fd(), 32).unwrap()[0], 32);
    assert_eq!(receive(b.as_raw_fd(), 32).unwrap_err(), Status::Again);

    put(a.as_raw_fd(), &message(33, 32)).unwrap();
    assert_eq!(receive(b.as_raw_fd(), 32).unwrap()[0], 33);
}

#[test]
fn a_turn_ends() {
    let [a, b] = socket::socketpair().unwrap();
    let size: libc::c_int = 1 << 20;

    set_send_buffer(a.as_raw_fd(), size);

    let mut sent = 0;

    while sent < TURN + 1
        && socket::send(a.as_raw_fd(), &[], Wait::Never)
            .result()
            .is_ok()
    {
        sent += 1;
    }

    put(a.as_raw_fd(), &message(32, 32)).unwrap();

    let mut calls = 1;

    while receive(b.as_raw_fd(), 32).is_err() {
        calls += 1;
    }

    assert_eq!(calls, 1 + sent / TURN);
}

/// The message is the last one of a turn, or the first one of the next turn.
#[test]
fn a_message_at_the_end_of_a_turn_is_not_lost() {
    for bad in [TURN - 1, TURN] {
        let [a, b] = socket::socketpair().unwrap();

        set_send_buffer(a.as_raw_fd(), 1 << 20);

        for _ in 0..bad {
            send(a.as_raw_fd(), &[]);
        }

        put(a.as_raw_fd(), &message(32, 32)).unwrap();

        let first = receive(b.as_raw_fd(), 32);

        assert_eq!(first.is_err(), bad == TURN);
        assert_eq!(
            first.or_else(|_| receive(b.as_raw_fd(), 32)).unwrap()[0],
            32
        );
    }
}

#[test]
fn dropped_messages_and_others_share_a_turn() {
    let [a, b] = socket::socketpair().unwrap();
    let turn = Turn::start();
    let (mut received, mut turns) = (0, 0);

    set_send_buffer(a.as_raw_fd(), 1 << 20);

    // A sibling refills the channel with bad messages between good ones as fast
    // as they are read.
    while turns < 3 {
        while socket::send(a.as_raw_fd(), &[], Wait::Never)
            .result()
            .is_ok()
            && socket::send(a.as_raw_fd(), &message(31, 32), Wait::Never)
                .result()
                .is_ok()
        {}

        if turn.take() && receive_in(&turn, b.as_raw_fd(), 32).is_ok() {
            received += 1;
        } else {
            turn.end();
            turns += 1;
            assert!(
                received <= turns * TURN / 2 + turns,
                "{received} in {turns}"
            );
        }
    }

    assert!(received >= TURN, "{received}");
}

#[test]
fn messages_before_the_end_are_received() {
    let [a, b] = socket::socketpair().unwrap();

    // `a` has not read all data, so the kernel reports ECONNRESET once, unix(7).
    put(b.as_raw_fd(), &message(31, 32)).unwrap();
    send(a.as_raw_fd(), &[]);
    put(a.as_raw_fd(), &message(32, 32)).unwrap();
    send(a.as_raw_fd(), &[]);
    send(a.as_raw_fd(), &[]);
    drop(a);

    assert_eq!(receive(b.as_raw_fd(), 32).unwrap()[0], 32);
    assert_eq!(receive(b.as_raw_fd(), 32).unwrap_err(), Status::Error);
    assert_eq!(receive(b.as_raw_fd(), 32).unwrap_err(), Status::Error);
}

#[test]
fn a_part_of_a_stream_is_an_error() {
    let [a, b] = socket::stream_pair().unwrap();

    for size in [1, 31, 40] {
        send(a.as_raw_fd(), &message(31, size));
        assert_eq!(receive(b.as_raw_fd(), 64).unwrap_err(), Status::Error);
    }

    put(a.as_raw_fd(), &message(32, 64)).unwrap();
    assert_eq!(receive(b.as_raw_fd(), 64).unwrap()[32..], [7; 32]);
    assert_eq!(receive(b.as_raw_fd(), 64).unwrap_err(), Status::Again);
    drop(a);
    assert_eq!(receive(b.as_raw_fd(), 64).unwrap_err(), Status::Error);
}

fn set_send_buffer(sock: RawFd, size: libc::c_int) {
    #[allow(unsafe_code)]
    // SAFETY: `size` is readable; the kernel keeps it within its bounds.
    unsafe {
        libc::setsockopt(
            sock,
            libc::SOL_SOCKET,
            libc::SO_SNDBUF,
            (&raw const size).cast(),
            size_of_val(&size) as libc::socklen_t,
        );
    }
}

#[test]
fn large_messages_are_sent_whole_or_not_at_all() {
    let [a, b] = socket::socketpair().unwrap();
    let mut sent = 0;

    while put(a.as_raw_fd(), &message(31, BUFFER_MAX)).is_ok() {
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
        put(a.as_raw_fd(), &message(31, BUFFER_MAX + 1)),
        Err(Status::Error)
    );
}

#[test]
fn a_small_send_buffer_lowers_the_limit() {
    let [a, _b] = socket::socketpair().unwrap();

    set_send_buffer(a.as_raw_fd(), 1);

    let least = socket::send_buffer(a.as_raw_fd()).unwrap();

    assert!(least / 2 - BUFFER_OVERHEAD >= ALWAYS_WHOLE);
    put(a.as_raw_fd(), &message(31, ALWAYS_WHOLE)).unwrap();
    assert_eq!(put(a.as_raw_fd(), &message(31, least)), Err(Status::Error));
}

/// On a stream socket the kernel cuts a message that does not fit into one of its
/// buffers. The size of this buffer is less than half of SO_SNDBUF. The library
/// does not send such a message.
#[test]
fn a_message_of_the_largest_size_is_not_cut() {
    let (a, b) = UnixStream::pair().unwrap();

    a.set_nonblocking(true).unwrap();
    b.set_nonblocking(true).unwrap();
    set_send_buffer(a.as_raw_fd(), 8192);

    // The kernel's own limit, from unix_stream_sendmsg(); the library's constants
    // are not used here.
    let half = socket::send_buffer(a.as_raw_fd()).unwrap() / 2;
    let largest = half - 64;
    let put = |size| put(a.as_raw_fd(), &message(31, size));

    assert!(largest < BUFFER_MAX);

    for size in largest + 1..=half {
        assert_eq!(put(size), Err(Status::Error), "{size} bytes");
    }

    assert_eq!(receive(b.as_raw_fd(), half).unwrap_err(), Status::Again);

    let mut sent = 0;
    let full = loop {
        match put(largest) {
            Ok(()) => sent += 1,
            full => break full,
        }
    };

    assert!(sent > 0);
    assert_eq!(full, Err(Status::Again));

    for _ in 0..sent {
        assert_eq!(receive(b.as_raw_fd(), largest).unwrap().len(), largest);
    }

    assert_eq!(
        receive(b.as_raw_fd(), largest).unwrap_err(),
        Status::Again,
        "no part of the message that did not fit was sent"
    );
}
