//! The rules of the architecture. The check of a rule gets the tree of files
//! and returns the places that break the rule.

use crate::tree::Tree;

pub mod abi;
pub mod circles;
pub mod files;
pub mod kernel;
pub mod layers;
pub mod memory;
pub mod safety;
pub mod unsafe_code;

/// A place that breaks a rule.
#[derive(Debug)]
pub struct Violation {
    /// The file, as a path relative to `src/`.
    pub file: String,
    /// The line of the place, or 0 if the whole file breaks the rule.
    pub line: usize,
    pub what: String,
}

impl Violation {
    pub fn new(file: &str, line: usize, what: String) -> Self {
        let file = file.to_owned();

        Self { file, line, what }
    }

    /// The violation as text, such as `src/file.rs:12 imports …`.
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
    /// The name of the test that checks the rule.
    pub name: &'static str,
    /// The rule itself, in one sentence.
    pub sentence: &'static str,
    pub check: fn(&Tree) -> Vec<Violation>,
}

impl Rule {
    /// The message of a test that has found violations.
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
