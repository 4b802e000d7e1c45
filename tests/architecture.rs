//! Tests of the architecture of `src/`, which docs/architecture.md describes:
//! files import only from lower layers and not in circles, only `sys` makes
//! system calls, few files have `unsafe`, no allocation aborts, and files are
//! short.
//!
//! The test parses all files of `src/`, whatever their `cfg`, and follows their
//! `use` declarations and paths. It ignores unit tests. It cannot see what a
//! call of a method does.
//!
//!     cargo test --test architecture
//!     ARCH_ROOT=directory    checks the package in another directory

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "architecture/arrows.rs"]
mod arrows;
#[path = "architecture/broken/mod.rs"]
mod broken;
#[path = "architecture/names.rs"]
mod names;
#[path = "architecture/rules/mod.rs"]
mod rules;
#[path = "architecture/scan.rs"]
mod scan;
#[path = "architecture/tokens.rs"]
mod tokens;
#[path = "architecture/tree.rs"]
mod tree;

use std::env;
use std::path::PathBuf;

use rules::{Rule, abi, circles, files, kernel, layers, memory, safety, unsafe_code};
use tree::Tree;

/// The layers of `src/`, the lowest first. A layer consists of one or more
/// groups of names, and the groups of a layer do not import each other. A file
/// imports from its own group and from lower layers.
const LAYERS: &[&[&[&str]]] = &[
    &[&["sys"]],
    &[&["config", "status", "log"]],
    &[&["table"]],
    &[
        &["channel"],
        &["process"],
        &["shmem"],
        &["message"],
        &["zone"],
    ],
    &[&["process_cycle"], &["messaging"]],
    &[&["host"]],
    &[&["abi"], &["api"]],
];

/// Pairs of modules in one group that do not import each other, because a build
/// contains only one of the two.
const SEPARATE: &[[&str; 2]] = &[["host/standalone", "host/nginx"]];

/// The root of the crate. It can import from all layers.
const ROOT: &str = "lib.rs";

/// Checks one rule, and fails with a list of all places that break it.
fn check(rule: &Rule) {
    let root = env::var_os("ARCH_ROOT").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let root = PathBuf::from(root);
    let tree = Tree::read(&root).unwrap_or_else(|err| panic!("{}: {err}", root.display()));
    let violations = (rule.check)(&tree);

    assert!(violations.is_empty(), "{}", rule.message(&violations));
}

#[test]
fn layers() {
    check(&Rule {
        name: "layers",
        sentence: "A file imports from its own directory of src/ or from lower layers.",
        check: layers::check,
    });
}

#[test]
fn no_circles() {
    check(&Rule {
        name: "no_circles",
        sentence: "No file imports, through others, a file that imports it.",
        check: circles::check,
    });
}

#[test]
fn only_sys_calls_the_kernel() {
    check(&Rule {
        name: "only_sys_calls_the_kernel",
        sentence: "Only src/sys makes system calls; the others call its functions.",
        check: kernel::check,
    });
}

#[test]
fn unsafe_code() {
    check(&Rule {
        name: "unsafe_code",
        sentence: "Only src/sys, src/host, src/abi and src/api have unsafe code.",
        check: unsafe_code::check,
    });
}

#[test]
fn no_memory_is_an_error() {
    check(&Rule {
        name: "no_memory_is_an_error",
        sentence: "No code allocates memory in a way that aborts without memory, apart from \
                   src/api.",
        check: memory::check,
    });
}

#[test]
fn short_files() {
    check(&Rule {
        name: "short_files",
        sentence: "A file has at most 400 lines, unless a sentence of its first comment begins \
                   with \"This file is long because\".",
        check: files::check,
    });
}

#[test]
fn abi_is_small() {
    check(&Rule {
        name: "abi_is_small",
        sentence: "The Rust files of src/abi have at most 4,200 lines together.",
        check: abi::check_size,
    });
}

#[test]
fn abi_decides_nothing() {
    check(&Rule {
        name: "abi_decides_nothing",
        sentence: "src/abi converts arguments and results: it has no loops, and no match with \
                   more than two arms.",
        check: abi::check_decisions,
    });
}

#[test]
fn safety_comments() {
    check(&Rule {
        name: "safety_comments",
        sentence: "A SAFETY comment states what makes the block sound where it stands.",
        check: safety::check,
    });
}
