//! The commands of the master, in a process that does not run its event loop: it waits
//! in [`Channel::recv`](super::Channel::recv).

use std::os::fd::RawFd;
use std::sync::atomic::Ordering::Relaxed;

use super::thread;
use crate::channel::message::ngx_channel_t;
use crate::host::globals::{GLOBALS, ngx_channel};
use crate::host::standalone::channel::{obey as obey_message, read_channel};
use crate::host::standalone::cycle::Cycle;
use crate::host::standalone::variables::{ngx_quit, ngx_terminate};
use crate::process_cycle::init_channel::forget_channel;
use crate::status::Status;
use crate::table::own_slot;
use crate::table::slots::CLOSED;

/// Returns the descriptor on which the master sends commands; `None` if this process
/// has no master, or in a thread that does not use the library.
pub fn descriptor() -> Option<RawFd> {
    (thread::is_owner() && own_slot::is_child(&GLOBALS))
        .then(|| ngx_channel.load(Relaxed))
        .filter(|&fd| fd != CLOSED)
}

/// Returns true if this process must exit: a signal or the master has told it to exit,
/// or the master has exited.
pub fn is_told_to_exit() -> bool {
    ngx_quit.load(Relaxed) != 0
        || ngx_terminate.load(Relaxed) != 0
        || own_slot::is_child(&GLOBALS) && ngx_channel.load(Relaxed) == CLOSED
}

/// Reads the commands that have arrived, and does what they ask for.
pub fn obey() {
    let log = Cycle::log_of(Cycle::current());

    while let Some(fd) = descriptor() {
        let mut buffer = ngx_channel_t::command(0).bytes();

        match read_channel(&GLOBALS, log, fd, &mut buffer) {
            Ok(_) => {
                // SAFETY: read_channel() has filled the whole buffer, because it
                // returns complete messages only.
                let message = unsafe { buffer.as_ptr().cast::<ngx_channel_t>().read_unaligned() };

                // SAFETY: the message has just been received, so no other code uses the
                // descriptor that came with it.
                unsafe { obey_message(Some(&message), log) };
            }
            Err(Status::Again) => return,
            // The master has exited. The event loop closes the descriptor when it
            // finds the same.
            Err(Status::Error) => forget_channel(&GLOBALS, fd),
        }
    }
}
