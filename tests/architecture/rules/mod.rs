//! The rules. Each one takes the tree and returns the places that break it.

use crate::tree::Tree;

pub mod abi;
pub mod circles;
pub mod files;
pub mod kernel;
pub mod layers;
pub mod safety;
pub mod unsafe_code;

/// A place that breaks a rule.
#[derive(Debug)]
pub struct Violation {
    /// Relative to `src/`.
    pub file: String,
    /// 0 for the file as a whole.
    pub line: usize,
    pub what: String,
}

impl Violation {
    pub fn new(file: &str, line: usize, what: String) -> Self {
        let file = file.to_owned();

        Self { file, line, what }
    }

    /// `src/file.rs:12 imports …`.
    pub fn text(&self) -> String {
        let Self { file, line, what } = self;

        match line {
            0 => format!("src/{file} {what}"),
            _ => format!("src/{file}:{line} {what}"),
        }
    }
}

/// A rule of docs/architecture.md.
pub struct Rule {
    /// The name of its test.
    pub name: &'static str,
    /// What it demands, in one sentence.
    pub sentence: &'static str,
    pub check: fn(&Tree) -> Vec<Violation>,
}

impl Rule {
    /// What a test says that finds violations.
    pub fn message(&self, violations: &[Violation]) -> String {
        let mut message = format!(
            "{}: {} See docs/architecture.md.\n{} place(s) break this rule:\n",
            self.name,
            self.sentence,
            violations.len()
        );

        for violation in violations {
            message.push_str("  ");
            message.push_str(&violation.text());
            message.push('\n');
        }

        message
    }
}
