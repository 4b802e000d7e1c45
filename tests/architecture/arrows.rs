//! The arrows between the files of `src/`: which file imports which.

use std::collections::BTreeSet;

use crate::scan::{Mention, Role};
use crate::tree::{Target, Tree};

/// One file imports another one.
pub struct Arrow<'a> {
    pub from: &'a str,
    pub line: usize,
    pub to: &'a str,
    /// The path as it is written.
    pub path: String,
}

impl Arrow<'_> {
    /// What the line does.
    pub fn text(&self) -> String {
        format!("imports {} (src/{})", self.path, self.to)
    }
}

/// All arrows. A path that begins with a name of a `use` declaration is one
/// only where it leads to another file than the declaration.
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
