//! Control data of messages, `cmsg(3)`: the descriptors that a message carries.

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// `SCM_PIDFD` of `unix(7)`, a constant that the libc crate does not have. With
/// SO_PASSPIDFD each message carries a descriptor that refers to the sending
/// process.
pub(super) const SCM_PIDFD: c_int = 4;

/// The size in bytes of a `cmsghdr` with `bytes` bytes of data, `cmsg(3)`.
pub(super) const fn cmsg_space(bytes: usize) -> usize {
    // SAFETY: CMSG_SPACE only calculates a size and accesses no memory.
    unsafe { libc::CMSG_SPACE(bytes as libc::c_uint) as usize }
}

/// `SCM_MAX_FD` of the kernel: the largest number of descriptors that one
/// message carries.
const MAX_FDS: usize = 253;

/// The size in bytes of all control data that a message can carry: the
/// descriptors, and the data that SO_PASSCRED, SO_PASSPIDFD, SO_PASSSEC and
/// SO_TIMESTAMP add. If the buffer were smaller, the kernel would drop a part
/// of the data (`D16`, `D19`).
pub(super) const CONTROL: usize = cmsg_space(MAX_FDS * size_of::<c_int>())
    + cmsg_space(size_of::<libc::ucred>())
    + cmsg_space(size_of::<c_int>())
    + cmsg_space(256)
    + cmsg_space(size_of::<libc::timespec>());

/// A buffer for control data, aligned for `cmsghdr`.
#[repr(C, align(8))]
pub(super) struct Control<const N: usize>(pub(super) [MaybeUninit<u8>; N]);

/// Control data that consists of one descriptor, which is the usual case.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct OneDescriptor {
    header: libc::cmsghdr,
    fd: c_int,
}

const _: () = assert!(size_of::<OneDescriptor>() == cmsg_space(size_of::<c_int>()));

/// The descriptor, if the control data of `msg` consists of one descriptor;
/// else `None`.
#[inline(always)]
#[allow(clippy::unnecessary_cast)] // needed with some C libraries
pub(super) fn only_descriptor(msg: &libc::msghdr, control: &Control<CONTROL>) -> Option<RawFd> {
    const LEN: usize = size_of::<libc::cmsghdr>() + size_of::<c_int>();

    if msg.msg_controllen as usize != size_of::<OneDescriptor>() {
        return None;
    }

    // SAFETY: `control` is aligned for `OneDescriptor` and at least as large,
    // and the kernel has written all bytes of it except padding.
    let one = unsafe { (&raw const *control).cast::<OneDescriptor>().read() };

    (one.header.cmsg_len as usize == LEN
        && one.header.cmsg_level == libc::SOL_SOCKET
        && one.header.cmsg_type == libc::SCM_RIGHTS
        && one.fd >= 0)
        .then_some(one.fd)
}

/// Takes the descriptors out of a received message: returns the first
/// descriptor and closes the others. Other control data is ignored (`D19`).
///
/// # Safety
///
/// recvmsg() has written `msg`, and the descriptors in its control data have no
/// owner yet.
#[inline(never)]
pub(super) unsafe fn take_control(msg: &libc::msghdr) -> Option<OwnedFd> {
    let mut first = None;

    // SAFETY: as this function demands, the kernel has written valid headers up
    // to `msg_controllen`.
    let mut cm = unsafe { libc::CMSG_FIRSTHDR(msg) };

    while !cm.is_null() {
        // SAFETY: `cm` is a header that the kernel has written, and each header
        // is passed once.
        unsafe { take_header(cm, &mut first) };

        // SAFETY: `cm` is a header that the kernel has written, within the
        // control data of `msg`.
        cm = unsafe { libc::CMSG_NXTHDR(msg, cm) };
    }

    first
}

/// Takes the descriptors that one header of control data carries. SCM_RIGHTS:
/// `first` gets the first descriptor, and the other descriptors are closed.
/// SCM_PIDFD: the descriptor is closed.
///
/// # Safety
///
/// The kernel has written the header and its data, and the descriptors in the
/// data have no owner yet.
#[allow(clippy::unnecessary_cast)] // needed with some C libraries
unsafe fn take_header(cm: *const libc::cmsghdr, first: &mut Option<OwnedFd>) {
    // SAFETY: as this function demands, the kernel has written the header.
    let header = unsafe { cm.read() };

    if header.cmsg_level != libc::SOL_SOCKET
        || !matches!(header.cmsg_type, libc::SCM_RIGHTS | SCM_PIDFD)
    {
        return;
    }

    // SAFETY: CMSG_LEN only calculates a size and accesses no memory.
    let len = (header.cmsg_len as usize).saturating_sub(unsafe { libc::CMSG_LEN(0) } as _);

    // SAFETY: the data of both types are descriptors, which have no owner, as
    // this function demands.
    let fd = unsafe { take_descriptors(cm, len / size_of::<c_int>()) };

    if header.cmsg_type == libc::SCM_RIGHTS {
        *first = first.take().or(fd);
    }
}

/// Returns the first of the `n` descriptors in the data of `cm`, and closes the
/// others.
///
/// # Safety
///
/// The data of `cm` consists of `n` descriptors, which have no owner.
unsafe fn take_descriptors(cm: *const libc::cmsghdr, n: usize) -> Option<OwnedFd> {
    let mut first = None;

    for i in 0..n {
        // SAFETY: `i` is less than `n`, so as this function demands there is a
        // descriptor at this place, which has no owner. The read does not need
        // alignment.
        let fd = unsafe {
            let fds = libc::CMSG_DATA(cm).cast::<c_int>();
            take_fd(fds.add(i).read_unaligned())
        };

        first = first.or(fd);
    }

    first
}

/// Becomes the owner of a descriptor that the kernel has written. `None` if the
/// number is negative: the kernel writes a negative errno in place of a
/// SCM_PIDFD descriptor that it could not make.
///
/// # Safety
///
/// `fd` is negative, or open and without an owner.
pub(super) unsafe fn take_fd(fd: RawFd) -> Option<OwnedFd> {
    // SAFETY: `fd` is not negative, so as this function demands it has no
    // owner.
    (fd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(fd) })
}
