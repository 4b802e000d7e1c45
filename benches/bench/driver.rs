//! Runs the drivers of `benches/c`, one round of each in turn.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The processor on which drivers run. This program itself can run on any
/// processor.
const CPU: &str = "1";

pub struct Driver {
    name: String,
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

/// A case of a driver: its name and its argument.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    pub name: &'a str,
    pub argument: usize,
    /// If true, the driver runs on one processor only. A case whose processes
    /// run in parallel needs several.
    pub pinned: bool,
}

impl Driver {
    pub fn new(program: &Path, case: Case<'_>) -> Self {
        Self::start(&mut Command::new(program), case)
    }

    /// Starts the driver with `command`, without the arguments of the case.
    pub fn start(command: &mut Command, case: Case<'_>) -> Self {
        command
            .arg(case.name)
            .arg(case.argument.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());

        if case.pinned {
            command.env("BENCH_CPU", CPU);
        }

        let mut child = command.spawn().expect("a driver");
        let to = child.stdin.take();
        let from = BufReader::new(child.stdout.take().expect("its output"));

        Self {
            name: format!("{command:?}"),
            child,
            to,
            from,
        }
    }

    /// Makes the driver repeat the operation `n` times. Returns the nanoseconds
    /// of one operation.
    pub fn round(&mut self, n: usize) -> f64 {
        self.numbers(n)[0]
    }

    /// Makes the driver repeat the operation `n` times. Returns the numbers that it
    /// prints, at least one.
    pub fn numbers(&mut self, n: usize) -> Vec<f64> {
        let mut line = String::new();

        if let Some(to) = &mut self.to {
            writeln!(to, "{n}").expect("a driver that listens");
        }

        self.from.read_line(&mut line).expect("an answer");

        let numbers: Result<Vec<f64>, _> = line.split_whitespace().map(str::parse).collect();

        numbers
            .ok()
            .filter(|numbers| !numbers.is_empty())
            .unwrap_or_else(|| panic!("{}: no answer", self.name))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.to.take());
        let _ = self.child.wait();
    }
}

/// Runs `rounds` rounds of `n` operations with each driver. The drivers take
/// turns, and each round begins with another driver, so that no driver always
/// runs first. Returns the results of each driver.
pub fn interleave(drivers: &mut [Driver], rounds: usize, n: usize) -> Vec<Vec<f64>> {
    let mut values = vec![Vec::new(); drivers.len()];

    // The first round is not measured: it fills caches and binds functions of
    // shared libraries.
    for driver in drivers.iter_mut() {
        driver.round(n.div_ceil(4));
    }

    for round in 0..rounds {
        for i in 0..drivers.len() {
            let i = (i + round) % drivers.len();

            values[i].push(drivers[i].round(n));
        }
    }

    values
}
