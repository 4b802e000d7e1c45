//! Finds the module that a path leads to, as the compiler does.

use super::{Target, Tree, join};
use crate::names::{Path, Scope};

/// The number of re-exports through which a path is followed. The compiler
/// refuses re-exports that lead back to themselves; in a tree with such
/// re-exports, this limit ends the search.
const MAX_DEPTH: usize = 16;

impl Tree {
    /// Returns the targets of a path that is written in the module `at`.
    /// `blocks` are the blocks around the path, the innermost last.
    pub fn resolve(&self, at: &Path, blocks: &[Scope], path: &[String]) -> Vec<Target> {
        let name = &path[0];

        for block in blocks.iter().rev() {
            if block.items.contains(name) {
                return vec![inside(at, path)];
            }

            if let Some(imported) = block.names.get(name) {
                return self.renamed(at, imported, path, 0);
            }
        }

        self.resolve_in(at, path, 0)
    }

    fn resolve_in(&self, at: &Path, path: &[String], depth: usize) -> Vec<Target> {
        let (name, rest) = (&path[0], &path[1..]);

        if depth > MAX_DEPTH {
            return Vec::new();
        }

        match name.as_str() {
            "" => return vec![Target::Outside(rest.to_vec())],
            "crate" => return self.descend(Path::new(), rest, depth),
            "self" => return self.descend(at.clone(), rest, depth),
            "super" => return self.descend(at.clone(), path, depth),
            _ => {}
        }

        let Some(module) = self.modules.get(at) else {
            return Vec::new();
        };
        let is_child = self.is_child(at, name);

        // A module and an imported function can have the same name. A path with
        // several parts then means the module.
        if is_child && (path.len() > 1 || !module.scope.names.contains_key(name)) {
            return self.descend(at.clone(), path, depth);
        }

        if let Some(imported) = module.scope.names.get(name) {
            return self.renamed(at, imported, path, depth);
        }

        if module.scope.items.contains(name) {
            return vec![inside(at, path)];
        }

        self.through_globs(at, path, depth)
            .unwrap_or_else(|| vec![Target::Outside(path.to_vec())])
    }

    /// Returns the targets of a path whose first part is a name for one of the
    /// paths `imported`.
    fn renamed(&self, at: &Path, imported: &[Path], path: &[String], depth: usize) -> Vec<Target> {
        imported
            .iter()
            .flat_map(|import| {
                let whole = join(import, &path[1..]);

                // `use libc;` and `use log::log;` import from a crate of this
                // name.
                if import[0] == path[0] && !self.is_child(at, &import[0]) {
                    vec![Target::Outside(whole)]
                } else {
                    self.resolve_in(at, &whole, depth + 1)
                }
            })
            .collect()
    }

    fn through_globs(&self, at: &Path, path: &[String], depth: usize) -> Option<Vec<Target>> {
        let globs = &self.modules.get(at)?.scope.globs;

        globs
            .iter()
            .flat_map(|glob| self.resolve_in(at, glob, depth + 1))
            .find_map(|target| match target {
                Target::Inside { module, rest }
                    if rest.is_empty() && module != *at && self.has(&module, &path[0]) =>
                {
                    Some(self.descend(module, path, depth + 1))
                }
                _ => None,
            })
    }

    /// Returns the targets of a path that begins in the module `at`: the module
    /// that the longest possible beginning of the path leads to. If the rest of
    /// the path is a re-export, it is followed in two cases: in the root of the
    /// crate, because the root may import from all layers, and if it leads to
    /// another crate.
    fn descend(&self, mut at: Path, mut path: &[String], depth: usize) -> Vec<Target> {
        while let Some((first, rest)) = path.split_first() {
            if first == "super" {
                at.pop();
            } else if first != "self" && self.is_child(&at, first) {
                at.push(first.clone());
            } else if first != "self" {
                break;
            }

            path = rest;
        }

        let imported = path
            .first()
            .and_then(|name| self.modules.get(&at)?.scope.names.get(name));
        let mut found = vec![Target::Inside {
            module: at.clone(),
            rest: path.to_vec(),
        }];

        if let Some(imported) = imported
            && depth < MAX_DEPTH
        {
            let followed = self.renamed(&at, imported, path, depth + 1);

            if at.is_empty() {
                found = followed;
            } else {
                found.extend(
                    followed
                        .into_iter()
                        .filter(|target| matches!(target, Target::Outside(_))),
                );
            }
        }

        found
    }

    fn is_child(&self, at: &Path, name: &str) -> bool {
        self.modules.contains_key(&join(at, &[name.to_owned()]))
    }

    /// Returns true if the module contains something of this name.
    fn has(&self, module: &Path, name: &str) -> bool {
        self.is_child(module, name)
            || self.modules.get(module).is_some_and(|module| {
                module.scope.names.contains_key(name) || module.scope.items.contains(name)
            })
    }
}

fn inside(at: &Path, path: &[String]) -> Target {
    Target::Inside {
        module: at.clone(),
        rest: path.to_vec(),
    }
}
