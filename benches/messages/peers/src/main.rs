//! Measures one other library once, for `benches/messages/main.rs`:
//!
//!     messages-peers WAY N LEN
//!
//! Prints the nanoseconds of one message or of one round trip. For round trips the
//! nanoseconds of each trip follow, one a line. Each library is used as its
//! documentation recommends for its fastest way.

mod iceoryx;
mod ipc_channel;
// The file is the same for both programs, and not each of them uses all of it.
#[allow(dead_code)]
#[path = "../../process.rs"]
mod process;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, way, n, len] = arguments.as_slice() else {
        panic!("usage: messages-peers WAY N LEN");
    };
    let n = n.parse().expect("a number of messages");
    let len = len.parse().expect("a length in bytes");
    let value = match way.as_str() {
        "iceoryx2-one-way" => iceoryx::one_way(n, len),
        "iceoryx2-round-trip" => iceoryx::round_trip(n, len, false),
        "iceoryx2-asleep" => iceoryx::round_trip(n, len, true),
        "ipc-channel-one-way" => ipc_channel::one_way(n, len),
        "ipc-channel-round-trip" => ipc_channel::round_trip(n, len, false),
        "ipc-channel-asleep" => ipc_channel::round_trip(n, len, true),
        other => panic!("there is no way {other:?}"),
    };

    println!("{value}");

    for trip in process::take_trips() {
        println!("{trip}");
    }
}
