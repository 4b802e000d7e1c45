//! The log of a server.

use std::fs;

use super::server::Server;
use super::{find, proc, wait_until};

impl Server {
    pub fn log(&self) -> String {
        let path = self.logfile();

        // A test may have replaced the log by a FIFO. To read it would not end.
        if !path.is_file() {
            return String::new();
        }

        fs::read_to_string(path).unwrap_or_default()
    }

    /// The lines of the log that contain `text`.
    pub fn lines(&self, text: &str) -> Vec<String> {
        self.log()
            .lines()
            .filter(|line| line.contains(text))
            .map(str::to_string)
            .collect()
    }

    /// Waits until at least `n` lines of the log contain `text`; returns these
    /// lines.
    pub fn wait_for_lines(&self, n: usize, text: &str) -> Vec<String> {
        find(&format!("{n} lines with \"{text}\""), || {
            let lines = self.lines(text);

            (lines.len() >= n).then_some(lines)
        })
    }

    pub fn wait_for_line(&self, text: &str) {
        self.wait_for_lines(1, text);
    }

    /// Waits until all processes write to the new log file. The line "reopening
    /// logs" does not show this, because a process writes the line before it
    /// closes the old file.
    pub fn wait_for_new_log(&self) {
        let log = self.logfile().to_string_lossy().into_owned();

        wait_until("the new log in all processes", || {
            self.processes()
                .iter()
                .all(|&pid| proc::descriptors(pid).values().any(|what| *what == log))
        });
    }

    /// Checks the log as [`check_lines`] does.
    pub fn check_log(&self, allowed: &[&str]) {
        check_lines(&self.log(), allowed);
    }
}

/// Checks each line of a log that has level crit or above, or is about a bad file
/// descriptor: the line must contain one of the texts `allowed`.
pub fn check_lines(log: &str, allowed: &[&str]) {
    let bad: Vec<&str> = log
        .lines()
        .filter(|line| {
            ["[alert]", "[emerg]", "[crit]", "Bad file descriptor"]
                .iter()
                .any(|bad| line.contains(bad))
                && !allowed.iter().any(|text| line.contains(text))
        })
        .collect();

    assert!(bad.is_empty(), "{bad:#?}");
}
