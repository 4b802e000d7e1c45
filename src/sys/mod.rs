//! The only place that calls the kernel and reads what C owns.
//!
//! Every function hands back an [`Errno`](nix::errno::Errno); whether it is
//! worth a log line is decided by the caller.

#![allow(unsafe_code)]

pub mod alarm;
pub mod buffer;
pub mod daemon;
pub mod environment;
pub mod epoll;
pub mod errno;
pub mod fd;
pub mod file;
pub mod heap;
pub mod listen;
pub mod lock;
pub mod log;
pub mod process;
pub mod shm;
pub mod signal;
pub mod socket;
pub mod text;
pub mod time;
pub mod user;
pub mod vfork;
