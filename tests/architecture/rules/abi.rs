//! Rules: `abi` is small, and its functions decide nothing.

use super::Violation;
use crate::tree::Tree;

/// The number of lines that all Rust files of `abi` together may have.
const MAX_LINES: usize = 4200;

/// Checks the number of lines of `abi`.
pub fn check_size(tree: &Tree) -> Vec<Violation> {
    let lines: usize = tree
        .library()
        .filter(|(file, _)| file.starts_with("abi/"))
        .map(|(_, source)| source.text.lines().count())
        .sum();

    if lines > MAX_LINES {
        let what = format!("has {lines} lines, {MAX_LINES} are allowed");

        vec![Violation::new("abi/", 0, what)]
    } else {
        Vec::new()
    }
}

/// Checks that `abi` has no loop and no `match` with more than two cases.
pub fn check_decisions(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();

    for (file, source) in tree.library().filter(|(file, _)| file.starts_with("abi/")) {
        for place in source.facts.loops.iter().chain(&source.facts.matches) {
            let what = format!("has {}", place.what);

            found.push(Violation::new(file, place.line, what));
        }
    }

    found.sort_by(|one, other| (&one.file, one.line).cmp(&(&other.file, other.line)));
    found
}
