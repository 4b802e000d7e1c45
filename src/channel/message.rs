//! The message that processes send through a channel.

use std::mem::{MaybeUninit, offset_of};

use crate::config::{ngx_fd_t, ngx_int_t, ngx_pid_t, ngx_uint_t};
use crate::sys::buffer::copy;
use crate::table::slots::CLOSED;

/// The message of nginx's channels. A program can send longer messages of its
/// own, which begin with these fields.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ngx_channel_t {
    /// The command: NGX_CMD_OPEN_CHANNEL and so on, or a number that the
    /// program has chosen.
    pub command: ngx_uint_t,
    /// The process that the message is about.
    pub pid: ngx_pid_t,
    /// The slot of the process that the message is about.
    pub slot: ngx_int_t,
    /// The descriptor that the message carries, or -1.
    pub fd: ngx_fd_t,
}

/// The size of the shortest message, in bytes.
pub const MIN_SIZE: usize = size_of::<ngx_channel_t>();

/// Whether a message can have `size` bytes: it is not shorter than
/// [`MIN_SIZE`], and not longer than any object of Rust or C.
#[inline(always)]
pub fn is_possible(size: usize) -> bool {
    size.cast_signed() >= MIN_SIZE.cast_signed()
}

impl ngx_channel_t {
    /// A message that is only a command: it names no process and carries no
    /// descriptor.
    pub fn command(command: ngx_uint_t) -> Self {
        Self {
            command,
            pid: 0,
            slot: 0,
            fd: CLOSED,
        }
    }

    /// Reads the fields from the first bytes of a message. Fields that a short
    /// message does not contain are zero.
    pub fn from_bytes(message: &[u8]) -> Self {
        fn get<const N: usize>(message: &[u8], at: usize) -> [u8; N] {
            let value = message.get(at..).and_then(|rest| rest.first_chunk());

            value.copied().unwrap_or([0; N])
        }

        Self {
            command: usize::from_ne_bytes(get(message, offset_of!(Self, command))),
            pid: ngx_pid_t::from_ne_bytes(get(message, offset_of!(Self, pid))),
            slot: ngx_int_t::from_ne_bytes(get(message, offset_of!(Self, slot))),
            fd: ngx_fd_t::from_ne_bytes(get(message, offset_of!(Self, fd))),
        }
    }

    /// The message as the bytes that are sent. The padding between the fields
    /// is zero.
    pub fn bytes(&self) -> [MaybeUninit<u8>; MIN_SIZE] {
        let mut bytes = [MaybeUninit::new(0); MIN_SIZE];
        let mut put = |at: usize, value: &[u8]| {
            copy(bytes.get_mut(at..).unwrap_or_default(), value);
        };

        put(offset_of!(Self, command), &self.command.to_ne_bytes());
        put(offset_of!(Self, pid), &self.pid.to_ne_bytes());
        put(offset_of!(Self, slot), &self.slot.to_ne_bytes());
        put(offset_of!(Self, fd), &self.fd.to_ne_bytes());

        bytes
    }
}
