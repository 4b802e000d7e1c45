//! A file has one subject, and few lines.

use super::Violation;
use crate::tree::{Source, Tree};

/// How many lines a file may have.
const MAX_LINES: usize = 400;

/// How the sentence begins with which a longer file explains itself.
const REASON: &str = "This file is long because";

/// Checks each file, tests and those of `build.rs` included.
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

/// Whether a sentence of the first `//!` comment gives the reason.
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
