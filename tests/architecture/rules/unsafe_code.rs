//! `unsafe` stays in `sys`, in the hosts and in `abi`.

use super::Violation;
use crate::tree::Tree;

/// Where `unsafe` is allowed.
const PARTS: &[&str] = &["sys", "host", "abi"];

/// Other files that need it, and why.
const FILES: &[(&str, &str)] = &[];

/// Checks each file in which it is not allowed.
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
