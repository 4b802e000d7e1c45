//! Rule: a file has few lines, because it has only one subject.

use super::Violation;
use crate::tree::{Source, Tree};

/// The number of lines that a file may have.
const MAX_LINES: usize = 400;

/// The beginning of a sentence that gives the reason why a file is longer.
const REASON: &str = "This file is long because";

/// Checks each file of `src/`, also unit tests and files of `build.rs`.
pub fn check(tree: &Tree) -> Vec<Violation> {
    tree.files
        .iter()
        .filter_map(|(file, source)| {
            let lines = source.text.lines().count();

            (lines > MAX_LINES && !is_explained(source))
                .then(|| Violation::new(file, 0, format!("has {lines} lines")))
        })
        .collect()
}

/// Returns true if the first `//!` comment of a file gives the reason why the
/// file is long.
fn is_explained(source: &Source) -> bool {
    let head: Vec<&str> = source
        .text
        .lines()
        .skip_while(|line| line.trim().is_empty())
        .map_while(|line| line.strip_prefix("//!"))
        .map(str::trim)
        .collect();
    let head = head.join(" ");

    head.match_indices(REASON)
        .any(|(at, _)| at == 0 || head[..at].trim_end().ends_with(['.', ':', '?', '!']))
}
