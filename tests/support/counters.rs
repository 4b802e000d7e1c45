//! Reads the counters of `nginx/status/ngx_counters_module.c` from the memory
//! of a process.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::process::Command;

use super::server::Server;

/// The counters that the tests use.
#[derive(Debug, PartialEq)]
pub struct Counters {
    pub accepted: u64,
    pub handled: u64,
    pub requests: u64,
    /// The sum over all slots.
    pub active: i64,
}

/// The value of `NGX_MAX_PROCESSES`.
const SLOTS: usize = 1024;
/// The number of words of a slot, `ngx_counters_slot_t`.
const WORDS: usize = 8;

impl Counters {
    /// Reads the counters in the memory of the process `pid`.
    pub fn read(server: &Server, pid: i32) -> Self {
        let memory = File::open(format!("/proc/{pid}/mem")).expect("memory");
        let word = |at: u64| -> u64 {
            let mut bytes = [0; 8];

            memory.read_exact_at(&mut bytes, at).expect("a word");
            u64::from_ne_bytes(bytes)
        };
        let counters = word(base(server, pid) + symbol(server, "ngx_counters"));
        let sum = |i: usize| {
            (0..SLOTS)
                .map(|slot| word(counters + 8 * (WORDS * slot + i) as u64))
                .fold(0, u64::wrapping_add)
        };

        Self {
            accepted: sum(0),
            handled: sum(1),
            requests: sum(2),
            active: sum(3).cast_signed(),
        }
    }
}

fn symbol(server: &Server, name: &str) -> u64 {
    let out = Command::new("nm").arg(&server.exe).output().expect("nm");
    let text = String::from_utf8(out.stdout).expect("text");
    let line = text
        .lines()
        .find(|line| line.ends_with(&format!(" {name}")))
        .expect("a symbol");

    u64::from_str_radix(line.split(' ').next().expect("an address"), 16).expect("a number")
}

/// The address at which the kernel has loaded the program in the process `pid`.
fn base(server: &Server, pid: i32) -> u64 {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("maps");
    let exe = server.exe.to_string_lossy();
    let line = maps
        .lines()
        .find(|line| line.ends_with(&*exe))
        .expect("the program");

    u64::from_str_radix(line.split('-').next().expect("an address"), 16).expect("a number")
}
