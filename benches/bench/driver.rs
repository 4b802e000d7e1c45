//! Runs drivers, one round of each in turn.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The processor to which drivers are pinned. This program is not pinned.
const CPU: &str = "1";

pub struct Driver {
    name: String,
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

/// What a driver measures: the name of the case and its argument.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    pub name: &'a str,
    pub argument: usize,
    /// Whether the driver is pinned to one processor. A case whose processes
    /// run in parallel is not.
    pub pinned: bool,
}

impl Driver {
    pub fn new(program: &Path, case: Case<'_>) -> Self {
        let mut command = Command::new(program);

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
            name: format!("{} {} {}", program.display(), case.name, case.argument),
            child,
            to,
            from,
        }
    }

    /// Makes the driver repeat the operation `n` times; returns the nanoseconds
    /// of one operation.
    pub fn round(&mut self, n: usize) -> f64 {
        let mut line = String::new();

        if let Some(to) = &mut self.to {
            writeln!(to, "{n}").expect("a driver that listens");
        }

        self.from.read_line(&mut line).expect("an answer");

        line.trim()
            .parse()
            .unwrap_or_else(|_| panic!("{}: no answer", self.name))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.to.take());
        let _ = self.child.wait();
    }
}

/// Runs `rounds` rounds of `n` operations with each driver. The drivers take
/// turns, and each round begins with the next one. Returns the values of each
/// driver.
pub fn interleave(drivers: &mut [Driver], rounds: usize, n: usize) -> Vec<Vec<f64>> {
    let mut values = vec![Vec::new(); drivers.len()];

    // A warm-up: caches and lazily bound functions.
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
