//! Other libraries, which a program of its own measures: `benches/messages/peers`.

use std::process::Command;
use std::sync::OnceLock;

use super::process;

static PROGRAM: OnceLock<String> = OnceLock::new();

/// Sets the program.
pub fn set(program: &str) {
    PROGRAM.set(program.to_owned()).unwrap();
}

/// Whether there is a program.
pub fn exist() -> bool {
    PROGRAM.get().is_some()
}

/// Runs the program once. Returns the nanoseconds of one message or round trip.
pub fn measure(way: &str, n: usize, len: usize) -> f64 {
    let id = std::process::id().to_string();
    let output = Command::new(PROGRAM.get().unwrap())
        .args([way, &n.to_string(), &len.to_string()])
        // Another run of this program has other names.
        .env("PEERS_ID", id)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();

    assert!(output.status.success(), "{way}: {}", output.status);

    let mut lines = text.lines();
    let value = lines.next().unwrap().parse().unwrap();

    for line in lines {
        process::add_trip(line.parse().unwrap());
    }

    value
}
