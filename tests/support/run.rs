//! What two runs of these tests on one machine must not share: files and ports.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::sync::OnceLock;

/// The most runs at one time.
pub const RUNS: u16 = 50;

/// The number of this run, from 0: no other run on this machine has it before
/// this process exits.
///
/// A listening socket with an abstract name reserves it, `unix(7)`: the name
/// belongs to the network namespace, as ports do, and goes with the process.
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
