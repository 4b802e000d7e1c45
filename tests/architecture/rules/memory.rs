//! Rule: no code allocates memory in a way that aborts the process if there is
//! no memory.

use super::Violation;
use crate::scan::Facts;
use crate::tree::Tree;

/// Types of the standard library that allocate memory, and that abort the process
/// if there is no memory.
const TYPES: &[&str] = &[
    "Arc", "BTreeMap", "BTreeSet", "Box", "CString", "HashMap", "HashSet", "OsString", "PathBuf",
    "Rc", "String",
];

/// Macros that allocate memory.
const MACROS: &[&str] = &["format", "vec"];

/// Methods without arguments that allocate memory.
const METHODS: &[&str] = &[
    "collect",
    "into_owned",
    "to_owned",
    "to_path_buf",
    "to_string",
    "to_vec",
];

/// The part of `src/` in which these types are allowed: the interface for Rust
/// programs. Such a program uses the standard library, which aborts without memory, and
/// the closures that it passes are boxed. No C program calls this part.
const RUST: &str = "api/";

/// Checks each file. A `Vec` is allowed, since it has `try_reserve()`.
pub fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();

    for (file, source) in tree.library().filter(|(file, _)| !file.starts_with(RUST)) {
        check_file(file, &source.facts, &mut found);
    }

    found
}

fn check_file(file: &str, facts: &Facts, found: &mut Vec<Violation>) {
    let mut add = |line, what: String| {
        let what = format!("has {what}, which aborts without memory: see src/sys/heap.rs");

        found.push(Violation::new(file, line, what));
    };

    for mention in &facts.mentions {
        if let Some(name) = mention
            .path
            .iter()
            .find(|name| TYPES.contains(&name.as_str()))
        {
            add(mention.line, name.clone());
        }
    }

    for called in &facts.macros {
        if MACROS.contains(&called.what.as_str()) {
            add(called.line, format!("{}!", called.what));
        }
    }

    for called in &facts.bare_methods {
        if METHODS.contains(&called.what.as_str()) {
            add(called.line, format!(".{}()", called.what));
        }
    }
}
