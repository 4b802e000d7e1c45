//! Unix sockets, and the messages of nginx's channel.

use std::hint::spin_loop;

use super::process::{child, look_at, pin, time, time_each, wait};
use super::wake;

pub const SEQPACKET: i32 = libc::SOCK_SEQPACKET;
pub const STREAM: i32 = libc::SOCK_STREAM;

/// The size of nginx's `ngx_channel_t`.
const CHANNEL: usize = 32;

struct Pair([i32; 2]);

impl Pair {
    fn new(kind: i32) -> Self {
        let mut ends = [0; 2];

        // SAFETY: the kernel writes `ends`, which is local; the option is an int.
        unsafe {
            assert_eq!(
                libc::socketpair(
                    libc::AF_UNIX,
                    kind | libc::SOCK_NONBLOCK,
                    0,
                    ends.as_mut_ptr()
                ),
                0
            );
        }

        Self(ends)
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        // SAFETY: the descriptors belong to `self`.
        unsafe {
            libc::close(self.0[0]);
            libc::close(self.0[1]);
        }
    }
}

fn send(fd: i32, bytes: &[u8]) {
    let mut sent = 0;

    while sent < bytes.len() {
        let rest = &bytes[sent..];
        // SAFETY: the kernel reads `rest`.
        let n = unsafe { libc::send(fd, rest.as_ptr().cast(), rest.len(), libc::MSG_NOSIGNAL) };

        if n > 0 {
            sent += n as usize;
        } else {
            spin_loop();
        }
    }
}

fn receive(fd: i32, bytes: &mut [u8]) {
    let mut got = 0;

    while got < bytes.len() {
        let rest = &mut bytes[got..];
        // SAFETY: the kernel writes `rest`.
        let n = unsafe { libc::recv(fd, rest.as_mut_ptr().cast(), rest.len(), 0) };

        if n > 0 {
            got += n as usize;
        } else {
            spin_loop();
        }
    }
}

/// Sends as `ngx_write_channel()` does. Returns false if the socket is full.
fn nginx_send(fd: i32, bytes: &mut [u8; CHANNEL]) -> bool {
    let mut iov = libc::iovec {
        iov_base: bytes.as_mut_ptr().cast(),
        iov_len: CHANNEL,
    };
    // SAFETY: an all-zero msghdr is valid; `iov` describes `bytes`.
    unsafe {
        let mut msg: libc::msghdr = std::mem::zeroed();

        msg.msg_iov = &raw mut iov;
        msg.msg_iovlen = 1;

        libc::sendmsg(fd, &raw const msg, 0) == CHANNEL as isize
    }
}

/// Receives as `ngx_read_channel()` does. Returns false if the socket is empty.
fn nginx_receive(fd: i32, bytes: &mut [u8; CHANNEL]) -> bool {
    let mut control = [0_u64; 4];
    let mut iov = libc::iovec {
        iov_base: bytes.as_mut_ptr().cast(),
        iov_len: CHANNEL,
    };
    // SAFETY: an all-zero msghdr is valid; the other values are local.
    unsafe {
        let mut msg: libc::msghdr = std::mem::zeroed();

        msg.msg_iov = &raw mut iov;
        msg.msg_iovlen = 1;
        msg.msg_control = control.as_mut_ptr().cast();
        msg.msg_controllen = size_of_val(&control) as _;

        libc::recvmsg(fd, &raw mut msg, 0) == CHANNEL as isize
    }
}

pub fn one_way(n: usize, len: usize, kind: i32) -> f64 {
    pin(1);

    let pair = Pair::new(kind);
    let bytes = vec![7; len];
    let mut buffer = vec![0; len];
    let pid = child(|| {
        for _ in 0..=n {
            send(pair.0[0], &bytes);
        }
    });

    receive(pair.0[1], &mut buffer);

    let value = time(n, || {
        for _ in 0..n {
            receive(pair.0[1], &mut buffer);
            look_at(&buffer);
        }
    });

    wait(&[pid]);
    value
}

pub fn round_trip(n: usize) -> f64 {
    pin(1);

    let pair = Pair::new(SEQPACKET);
    let pid = child(|| {
        let mut bytes = [7; 64];

        for _ in 0..n {
            receive(pair.0[0], &mut bytes);
            look_at(&bytes);
            send(pair.0[0], &bytes);
        }
    });
    let mut bytes = [7; 64];
    let value = time_each(n, || {
        send(pair.0[1], &bytes);
        receive(pair.0[1], &mut bytes);
        look_at(&bytes);
    });

    wait(&[pid]);
    value
}

pub fn nginx_one_way(n: usize) -> f64 {
    pin(1);

    let pair = Pair::new(STREAM);
    let mut bytes = [7; CHANNEL];
    let pid = child(|| {
        for _ in 0..n {
            while !nginx_send(pair.0[0], &mut bytes) {
                spin_loop();
            }
        }
    });
    let value = time(n, || {
        let mut bytes = [0; CHANNEL];

        for _ in 0..n {
            while !nginx_receive(pair.0[1], &mut bytes) {
                spin_loop();
            }

            look_at(&bytes);
        }
    });

    wait(&[pid]);
    value
}

/// Writes a message to each of 500 channels. As in a worker, an epoll instance watches
/// the other end of each channel, but no process sleeps there.
pub fn nginx_broadcast(n: usize) -> f64 {
    const RECEIVERS: usize = 500;

    pin(1);

    let pairs: Vec<Pair> = (0..RECEIVERS).map(|_| Pair::new(STREAM)).collect();
    let watched = (libc::EPOLLIN | libc::EPOLLRDHUP) as u32;
    let epolls: Vec<i32> = pairs
        .iter()
        .map(|pair| wake::watch(pair.0[1], watched))
        .collect();
    let mut bytes = [7; CHANNEL];
    let mut total = 0.0;

    for _ in 0..n {
        total += time(n * RECEIVERS, || {
            for pair in &pairs {
                assert!(nginx_send(pair.0[0], &mut bytes));
            }
        });

        for pair in &pairs {
            assert!(nginx_receive(pair.0[1], &mut bytes));
        }
    }

    wake::close(&epolls);
    total
}
