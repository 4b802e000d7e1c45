//! Rule: `unsafe` occurs only in `sys`, in the hosts, in `abi` and in `api`.

use super::Violation;
use crate::tree::Tree;

/// The parts of `src/` in which `unsafe` is allowed.
const PARTS: &[&str] = &["sys", "host", "abi", "api"];

/// Files outside of these parts in which `unsafe` is allowed, each with the
/// reason.
const FILES: &[(&str, &str)] = &[];

/// Checks each file in which `unsafe` is not allowed.
pub fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();

    for (file, source) in tree.library() {
        let part = file.split('/').next().unwrap_or(file);

        if PARTS.contains(&part.trim_end_matches(".rs"))
            || FILES.iter().any(|(listed, _)| *listed == file)
        {
            continue;
        }

        for place in &source.facts.unsafe_code {
            let what = format!("has {}", place.what);

            found.push(Violation::new(file, place.line, what));
        }
    }

    found
}
