//! Tests a changed copy of the library. `make mutants` calls cargo-mutants, which makes
//! one change after the other and runs `cargo test` with this program.
//! `c-tests/run/mutant.sh` does the work.

use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let passed = Command::new("sh")
        .arg("c-tests/run/mutant.sh")
        .status()
        .is_ok_and(|status| status.success());

    if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
