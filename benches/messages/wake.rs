//! Bare wake-ups: two processes that sleep in `epoll_wait(2)`.

use super::process::{child, pin, time, time_each, wait};

/// An epoll instance that watches one descriptor.
pub fn watch(fd: i32, events: u32) -> i32 {
    let mut event = libc::epoll_event { events, u64: 0 };

    // SAFETY: the kernel reads `event`, which is local.
    unsafe {
        let epoll = libc::epoll_create1(0);

        assert_eq!(
            libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, fd, &raw mut event),
            0
        );
        epoll
    }
}

pub fn sleep(epoll: i32) {
    let mut event = libc::epoll_event { events: 0, u64: 0 };

    // SAFETY: the kernel writes `event`, which is local.
    unsafe { libc::epoll_wait(epoll, &raw mut event, 1, -1) };
}

pub fn close(fds: &[i32]) {
    for &fd in fds {
        // SAFETY: the caller has opened the descriptors.
        unsafe { libc::close(fd) };
    }
}

fn ping_pong(n: usize, fds: [[i32; 2]; 2], events: u32, bytes: usize, reads: bool) -> f64 {
    pin(1);

    let one = 1_u64.to_ne_bytes();
    let side = |write: i32, read: i32, first: bool| {
        let epoll = watch(read, events);
        let mut buffer = [0_u8; 8];
        // SAFETY: the kernel reads and writes local buffers.
        let ring = || unsafe { libc::write(write, one.as_ptr().cast(), bytes) };

        time_each(n, || {
            if first {
                ring();
            }

            sleep(epoll);

            if reads {
                // SAFETY: as above, `buffer` is local.
                unsafe { libc::read(read, buffer.as_mut_ptr().cast(), bytes) };
            }

            if !first {
                ring();
            }
        });

        close(&[epoll]);
    };
    let [there, back] = fds;
    let pid = child(|| side(back[0], there[1], false));
    let value = time(n, || side(there[0], back[1], true));

    wait(&[pid]);
    value
}

pub fn eventfd(n: usize) -> f64 {
    // SAFETY: eventfd() accesses no memory.
    let fds = [(); 2].map(|()| unsafe { libc::eventfd(0, libc::EFD_NONBLOCK) });
    let edge = (libc::EPOLLIN | libc::EPOLLET) as u32;
    let value = ping_pong(n, fds.map(|fd| [fd, fd]), edge, 8, false);

    close(&fds);
    value
}

pub fn socketpair(n: usize) -> f64 {
    let mut ends = [0; 2];

    // SAFETY: the kernel writes `ends`, which is local.
    unsafe {
        libc::socketpair(
            libc::AF_UNIX,
            libc::SOCK_STREAM | libc::SOCK_NONBLOCK,
            0,
            ends.as_mut_ptr(),
        )
    };

    let fds = [[ends[0], ends[1]], [ends[1], ends[0]]];
    let value = ping_pong(n, fds, libc::EPOLLIN as u32, 1, true);

    close(&ends);
    value
}
