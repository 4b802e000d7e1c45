//! Waits for one descriptor until it is ready or a signal ends the wait, and counts
//! the threads of this process.

use std::ffi::c_short;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use nix::errno::Errno;

use super::signal::Blocked;

/// What a caller waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// Data has arrived, or the other end is closed.
    Reading,
    /// The socket has room, or the other end is closed.
    Writing,
}

/// Waits until `fd` is ready, or until data has arrived on `also`, or its other end is
/// closed, `ppoll(2)`. Returns true if `fd` is ready.
///
/// `is_over` tells whether a signal handler has ended the wait: then the result is
/// EINTR. All signals are blocked from the call of `is_over` until the process waits,
/// so no signal is missed between the two.
pub fn wait(
    fd: BorrowedFd<'_>,
    what: For,
    also: Option<RawFd>,
    is_over: impl Fn() -> bool,
) -> Result<bool, Errno> {
    let events: c_short = match what {
        For::Reading => libc::POLLIN,
        For::Writing => libc::POLLOUT,
    };

    loop {
        let blocked = Blocked::all()?;

        if is_over() {
            return Err(Errno::EINTR);
        }

        // The kernel ignores a negative number.
        let mut places =
            [(fd.as_raw_fd(), events), (also.unwrap_or(-1), libc::POLLIN)].map(|(fd, events)| {
                libc::pollfd {
                    fd,
                    events,
                    revents: 0,
                }
            });

        // SAFETY: ppoll() reads and writes two pollfds, and reads the mask; they live
        // until the call returns. NULL means no time limit.
        let ready = Errno::result(unsafe {
            libc::ppoll(
                places.as_mut_ptr(),
                places.len() as libc::nfds_t,
                std::ptr::null(),
                blocked.before(),
            )
        });
        let [place, _] = places;

        match ready {
            Err(Errno::EINTR) => {}
            Err(err) => return Err(err),
            Ok(_) => return Ok(place.revents != 0),
        }
    }
}

/// Returns the number of threads of this process, which is the number of directories
/// in `/proc/self/task`, `proc(5)`.
pub fn threads() -> Result<u64, Errno> {
    let task = nix::sys::stat::stat("/proc/self/task")?;

    // A directory has one link for itself, one in its parent, and one in each
    // directory in it.
    #[allow(clippy::unnecessary_cast)] // needed on some platforms
    Ok((task.st_nlink as u64).saturating_sub(2))
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::super::socket;
    use super::*;

    #[test]
    fn the_wait_ends_when_data_arrives_or_it_is_over() {
        let [a, b] = socket::socketpair().unwrap();

        let [c, d] = socket::socketpair().unwrap();
        let (fd, also) = (b.as_fd(), Some(d.as_raw_fd()));

        assert_eq!(wait(fd, For::Reading, also, || true), Err(Errno::EINTR));
        assert_eq!(wait(a.as_fd(), For::Writing, None, || false), Ok(true));

        drop(c);
        assert_eq!(wait(fd, For::Reading, also, || false), Ok(false));
        socket::send_byte(a.as_raw_fd()).unwrap();
        assert_eq!(wait(fd, For::Reading, also, || false), Ok(true));
    }

    #[test]
    fn a_thread_is_counted() {
        std::thread::scope(|scope| {
            let (stop, stopped) = std::sync::mpsc::channel::<()>();

            scope.spawn(move || stopped.recv());
            assert!(threads().unwrap() >= 2);
            drop(stop);
        });
    }
}
