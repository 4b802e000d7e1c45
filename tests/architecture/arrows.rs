//! The imports between files of `src/`. An arrow leads from the file that
//! imports to the file that is imported.

use std::collections::BTreeSet;

use crate::scan::{Mention, Role};
use crate::tree::{Target, Tree};

/// An import of one file by another file.
pub struct Arrow<'a> {
    pub from: &'a str,
    pub line: usize,
    pub to: &'a str,
    /// The path, as it is written in the file.
    pub path: String,
}

impl Arrow<'_> {
    /// The import as text, such as `imports crate::sys (src/sys.rs)`.
    pub fn text(&self) -> String {
        format!("imports {} (src/{})", self.path, self.to)
    }
}

/// All imports between files. A path whose first part was imported by a `use`
/// declaration counts as an import only if it leads to another file than the
/// declaration.
pub fn arrows(tree: &Tree) -> Vec<Arrow<'_>> {
    let mut found = Vec::new();

    for (from, source) in tree.library() {
        let mentions = &source.facts.mentions;
        let (direct, indirect): (Vec<&Mention>, Vec<&Mention>) =
            mentions.iter().partition(|mention| is_direct(mention));

        let first = found.len();
        add(tree, from, &direct, &mut found);

        let known: BTreeSet<&str> = found[first..].iter().map(|arrow| arrow.to).collect();
        let start = found.len();
        add(tree, from, &indirect, &mut found);

        let rest = found.split_off(start);
        found.extend(rest.into_iter().filter(|arrow| !known.contains(arrow.to)));
    }

    found
}

fn is_direct(mention: &Mention) -> bool {
    matches!(mention.role, Role::Use | Role::Glob)
        || matches!(mention.path[0].as_str(), "crate" | "self" | "super")
}

fn add<'a>(tree: &'a Tree, from: &'a str, mentions: &[&Mention], found: &mut Vec<Arrow<'a>>) {
    for mention in mentions {
        for target in &mention.targets {
            let Target::Inside { module, .. } = target else {
                continue;
            };
            let to = tree.file_of(module);

            if to != from {
                found.push(Arrow {
                    from,
                    line: mention.line,
                    to,
                    path: mention.path.join("::"),
                });
            }
        }
    }
}
