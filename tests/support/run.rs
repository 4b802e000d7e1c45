//! Keeps several runs of these tests on one machine apart: each run has its own
//! files and ports.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::sync::OnceLock;

/// The largest number of runs at one time.
pub const RUNS: u16 = 50;

/// Returns the number of this run, from 0. No other run on this machine gets this
/// number before this process exits.
///
/// A listening socket with an abstract name reserves the number, `unix(7)`. The name
/// belongs to the network namespace, as ports do, and the kernel frees it when the
/// process exits.
pub fn number() -> u16 {
    static RESERVED: OnceLock<(u16, UnixListener)> = OnceLock::new();

    RESERVED
        .get_or_init(|| {
            (0..RUNS)
                .find_map(|number| Some((number, reserve(number)?)))
                .expect("a number for this run")
        })
        .0
}

fn reserve(number: u16) -> Option<UnixListener> {
    let name = format!("ngx-ipc tests {number}");
    let address = SocketAddr::from_abstract_name(name).expect("a short name");

    UnixListener::bind_addr(&address).ok()
}
