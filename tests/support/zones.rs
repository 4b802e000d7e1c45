//! The program `ngx-ipc-zone`, and changes of the memory of another process.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::process::{Command, Output};

/// The program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_ngx-ipc-zone");

/// Runs the program.
pub fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM)
        .args(arguments)
        .output()
        .expect("a program that runs")
}

/// Runs the program for a process. Returns its exit code and its standard output.
pub fn look(options: &[&str], pid: i32, zone: Option<&str>) -> (i32, String) {
    let pid = pid.to_string();
    let out = run(&[options, &[&pid], zone.as_slice()].concat());
    let text = String::from_utf8(out.stdout).expect("UTF-8");

    (out.status.code().expect("an exit code"), text)
}

/// The bytes of a zone.
pub fn dump(pid: i32, zone: &str) -> Vec<u8> {
    let out = run(&["-d", &pid.to_string(), zone]);

    assert_eq!(out.status.code(), Some(0), "{out:?}");
    assert!(out.stderr.is_empty(), "{out:?}");
    out.stdout
}

/// The value of a line `name: value`.
pub fn value<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.strip_prefix(name));

    line.and_then(|rest| rest.strip_prefix(':'))
        .unwrap_or_else(|| panic!("no {name} in {text}"))
        .trim()
}

/// The numbers of the chunks of a size: all, used, requests, failures.
pub fn chunks(text: &str, size: usize) -> [usize; 4] {
    let numbers = text.lines().find_map(|line| {
        let mut words = line.split_whitespace().map(str::parse);
        let is_size = words.next() == Some(Ok(size));

        is_size.then(|| words.collect::<Result<Vec<_>, _>>().ok())?
    });

    numbers
        .and_then(|numbers| numbers.try_into().ok())
        .unwrap_or_else(|| panic!("no size {size} in {text}"))
}

/// The address of a zone.
pub fn address(pid: i32, zone: &str) -> u64 {
    let (_, text) = look(&[], pid, Some(zone));
    let digits = value(&text, "address").trim_start_matches("0x");

    u64::from_str_radix(digits, 16).expect("an address")
}

/// A word in the memory of another process.
pub struct Word {
    memory: File,
    address: u64,
}

impl Word {
    pub fn new(pid: i32, address: u64) -> Self {
        let memory = OpenOptions::new()
            .read(true)
            .write(true)
            .open(format!("/proc/{pid}/mem"))
            .expect("the memory of a process");

        Self { memory, address }
    }

    pub fn get(&self) -> u64 {
        let mut word = [0; 8];

        self.memory
            .read_exact_at(&mut word, self.address)
            .expect("a word");
        u64::from_ne_bytes(word)
    }

    pub fn set(&self, value: u64) {
        self.memory
            .write_all_at(&value.to_ne_bytes(), self.address)
            .expect("a word");
    }
}
