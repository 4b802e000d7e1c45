//! The interface to the kernel. This is the only directory that makes system
//! calls, with the crates `libc` and `nix`.
//!
//! A function that fails returns an [`Errno`](nix::errno::Errno) and logs
//! nothing; the caller decides what the failure means.

#![allow(unsafe_code)]

pub mod address;
pub mod alarm;
pub mod at_fork;
pub mod bell;
pub mod buffer;
mod control;
pub mod daemon;
pub mod datagram;
pub mod descriptors;
pub mod directory;
pub mod environment;
pub mod epoll;
pub mod errno;
pub mod fd;
pub mod file;
pub mod flock;
pub mod futex;
pub mod heap;
pub mod hook;
pub mod inherit;
pub mod listen;
pub mod lock;
pub mod log;
pub mod log_socket;
#[cfg(feature = "standalone")]
pub mod machine;
pub mod memory_file;
mod memory_map;
mod name_files;
mod name_service;
pub mod nested_epoll;
pub mod notify;
#[cfg(feature = "standalone")]
pub mod other_process;
pub mod panic;
pub mod parts;
pub mod path;
pub mod populate;
#[cfg(feature = "standalone")]
pub mod proc_maps;
pub mod proc_stat;
pub mod process;
pub mod processors;
pub mod published;
pub mod region;
pub mod shm;
pub mod signal;
pub mod socket;
#[cfg(feature = "standalone")]
pub mod stdout;
#[cfg(test)]
mod testing;
pub mod text;
pub mod time;
pub mod title;
pub mod trusted;
pub mod unix_socket;
pub mod usage;
pub mod user;
pub mod vfork;
#[cfg(feature = "standalone")]
pub mod wait;
pub mod words;
pub mod zone_file;
