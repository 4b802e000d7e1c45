//! Tests of `src/api/`, the interface for Rust programs.
//!
//! A test forks, so it needs a process with one thread, which the usual test harness
//! does not have. So each test is a program of its own: this program, called with the
//! argument `--case NAME`. The output is that of the usual harness.
//!
//!     cargo test --test rust_api [TEXT]    runs the tests whose names contain TEXT

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "rust_api/channels.rs"]
mod channels;
#[path = "rust_api/example.rs"]
mod example;
#[path = "rust_api/kept.rs"]
mod kept;
#[path = "rust_api/leaks.rs"]
mod leaks;
#[path = "rust_api/messages.rs"]
mod messages;
#[path = "rust_api/processes.rs"]
mod processes;
#[path = "rust_api/refused.rs"]
mod refused;
#[path = "rust_api/server.rs"]
mod server;
#[path = "rust_api/started.rs"]
mod started;

use std::env;
use std::process::{Command, ExitCode};

/// The seconds after which a test fails. One test builds an example.
const TIMEOUT: &str = "300";

type Case = (&'static str, fn());

fn cases() -> impl Iterator<Item = Case> {
    [
        processes::CASES,
        kept::CASES,
        channels::CASES,
        messages::CASES,
        refused::CASES,
        server::CASES,
        example::CASES,
    ]
    .into_iter()
    .flatten()
    .copied()
}

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();

    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--case", name] => run_case(name),
        ["--serve", address] => server::serve(address),
        ["--print"] => processes::print(),
        ["--list", ..] => cases().for_each(|(name, _)| println!("{name}: test")),
        _ => return run_all(args.iter().find(|arg| !arg.starts_with('-'))),
    }

    ExitCode::SUCCESS
}

fn run_case(name: &str) {
    let (_, case) = cases().find(|(known, _)| *known == name).expect("a test");

    case();
}

/// Runs each test whose name contains `text` in a process of its own.
fn run_all(text: Option<&String>) -> ExitCode {
    let mut failed = Vec::new();
    let chosen: Vec<Case> = cases()
        .filter(|(name, _)| text.is_none_or(|text| name.contains(text.as_str())))
        .collect();

    println!("\nrunning {} tests", chosen.len());

    for (name, _) in &chosen {
        let output = Command::new("timeout")
            .args([TIMEOUT, env::current_exe().unwrap().to_str().unwrap()])
            .args(["--case", name])
            .output()
            .expect("timeout(1)");

        if output.status.success() {
            println!("test {name} ... ok");
        } else {
            println!("test {name} ... FAILED");
            failed.push((name, output));
        }
    }

    for (name, output) in &failed {
        println!("\n---- {name} stdout ----\n{}", output.status);
        print!("{}", String::from_utf8_lossy(&output.stdout));
        print!("{}", String::from_utf8_lossy(&output.stderr));
    }

    let result = if failed.is_empty() { "ok" } else { "FAILED" };

    println!(
        "\ntest result: {result}. {} passed; {} failed; 0 ignored; 0 measured; {} filtered out",
        chosen.len() - failed.len(),
        failed.len(),
        cases().count() - chosen.len()
    );

    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
