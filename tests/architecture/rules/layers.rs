//! Rule: a file imports from its own group of `src/` or from lower layers.

use std::collections::BTreeSet;

use super::Violation;
use crate::arrows::{Arrow, arrows};
use crate::tree::{Kind, Tree};
use crate::{LAYERS, ROOT, SEPARATE};

/// Checks all imports, and checks that the table of layers contains each part
/// of `src/`.
pub fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = unknown_parts(tree);

    for (file, source) in &tree.files {
        if source.kind == Kind::Unused {
            found.push(Violation::new(file, 0, "is named by no mod".to_owned()));
        }
    }

    for arrow in arrows(tree) {
        if let Some(why) = forbidden(&arrow) {
            let what = format!("{}: {why}", arrow.text());

            found.push(Violation::new(arrow.from, arrow.line, what));
        }
    }

    found
}

/// The parts of `src/` that are missing in the table of layers.
fn unknown_parts(tree: &Tree) -> Vec<Violation> {
    let parts: BTreeSet<&str> = tree
        .library()
        .map(|(file, _)| file)
        .filter(|&file| file != ROOT && place(file).is_none())
        .map(part)
        .collect();

    parts
        .into_iter()
        .map(|part| {
            let what = "has no layer: the table LAYERS of tests/architecture.rs does not name it";

            Violation::new(part, 0, what.to_owned())
        })
        .collect()
}

/// The reason why the layers forbid an import; `None` if they allow it.
fn forbidden(arrow: &Arrow<'_>) -> Option<String> {
    for [one, other] in SEPARATE {
        let between = |from: &str, to: &str| is_within(arrow.from, from) && is_within(arrow.to, to);

        if between(one, other) || between(other, one) {
            return Some(format!("{one} and {other} are alternatives"));
        }
    }

    let (from, to) = (place(arrow.from)?, place(arrow.to)?);

    if to == from || to.0 < from.0 {
        None
    } else if to.0 == from.0 {
        Some("both are in one layer, which has them as separate groups".to_owned())
    } else {
        Some(format!("{} is above {}", part(arrow.to), part(arrow.from)))
    }
}

/// The number of a file's layer, and the number of its group in this layer.
fn place(file: &str) -> Option<(usize, usize)> {
    LAYERS.iter().enumerate().find_map(|(layer, groups)| {
        groups
            .iter()
            .position(|group| group.contains(&part(file)))
            .map(|group| (layer, group))
    })
}

/// The part of `src/` that a file belongs to. The part `process` consists of
/// `process.rs` and of all files in `process/`.
fn part(file: &str) -> &str {
    file.split('/')
        .next()
        .map_or(file, |first| first.trim_end_matches(".rs"))
}

/// Returns true if a file is the module `path` or a module below it.
fn is_within(file: &str, path: &str) -> bool {
    file.trim_end_matches(".rs")
        .strip_prefix(path)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
