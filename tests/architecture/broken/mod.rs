//! Tests of the rules with small trees of files: each rule finds what breaks
//! it, and nothing else.

mod arrows;
mod code;

use std::fs;
use std::path::Path;

use crate::rules::{Rule, Violation, layers};
use crate::tree::Tree;

/// A tree that consists of these files. Each one is a path relative to `src/`,
/// and a text.
fn tree(files: &[(&str, &str)]) -> Tree {
    let own = |&(name, text): &(&str, &str)| (name.to_owned(), text.to_owned());

    Tree::new(files.iter().map(own).collect(), "")
}

/// The violations that a check finds in these files, each as a line of text.
fn found(check: fn(&Tree) -> Vec<Violation>, files: &[(&str, &str)]) -> Vec<String> {
    check(&tree(files)).iter().map(Violation::text).collect()
}

#[test]
fn a_package_on_disk_is_read() {
    let root = std::env::temp_dir().join(format!("ngx-ipc-architecture-{}", std::process::id()));

    fs::create_dir_all(root.join("src/sys")).unwrap();
    fs::write(
        root.join("build.rs"),
        "#[path = \"src/sys/list.rs\"] mod list;",
    )
    .unwrap();
    fs::write(root.join("src/lib.rs"), "mod sys;").unwrap();
    fs::write(root.join("src/sys/mod.rs"), "use crate::table::f;").unwrap();
    fs::write(root.join("src/sys/list.rs"), "use std::fs;").unwrap();
    fs::write(root.join("src/table.rs"), "").unwrap();

    let tree = Tree::read(Path::new(&root));
    fs::remove_dir_all(&root).unwrap();

    let rule = Rule {
        name: "layers",
        sentence: "A sentence.",
        check: layers::check,
    };
    let violations = (rule.check)(&tree.unwrap());

    assert_eq!(
        rule.message(&violations),
        "layers: A sentence. See docs/architecture.md.\n1 place(s) break this rule:\n  \
         src/table.rs is named by no mod\n"
    );
}
