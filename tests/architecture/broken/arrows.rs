//! Tests of the resolver, which finds the file that a path leads to, and of the
//! rules about layers and circles.

use super::found;
use crate::rules::{circles, layers};

/// A tree of files for the tests of the resolver. The file `sys` contains
/// `text`. If a path in `text` leads to `table`, this breaks the rule about
/// layers.
fn sys_with(text: &str) -> Vec<String> {
    let files = [
        (
            "lib.rs",
            "mod sys; mod table; mod process; pub use table::Slot as Reexported;",
        ),
        ("sys/mod.rs", "pub mod fd;"),
        ("sys/fd.rs", text),
        ("table/mod.rs", "pub mod info; pub struct Slot;"),
        ("table/info.rs", "pub struct Info;"),
        ("process.rs", ""),
    ];

    found(layers::check, &files)
}

const TO_TABLE: &str = "(src/table/mod.rs): table is above sys";
const TO_INFO: &str = "(src/table/info.rs): table is above sys";

#[test]
fn a_path_leads_to_the_file_of_its_module() {
    for (text, arrow) in [
        ("use crate::table::Slot;", TO_TABLE),
        ("use crate::table::info::Info;", TO_INFO),
        ("use crate::table::info as other;", TO_INFO),
        (
            "use crate::{process, table::{info::{self, Info}}};",
            TO_INFO,
        ),
        ("use crate::table::*;", TO_TABLE),
        ("use super::super::table::Slot;", TO_TABLE),
        ("pub use crate::table::Slot;", TO_TABLE),
        ("use crate::Reexported;", TO_TABLE),
        ("fn f() { crate::table::info::f() }", TO_INFO),
        ("fn f(_: &crate::table::Slot) {}", TO_TABLE),
        ("struct S { s: Vec<crate::table::Slot> }", TO_TABLE),
        ("fn f() { use crate::table as t; t::info::f() }", TO_INFO),
        (
            "mod inner { use super::super::super::table::Slot; }",
            TO_TABLE,
        ),
        ("fn f() { g!(\"{}\", crate::table::info::SIZE) }", TO_INFO),
        (
            "fn f() { matches!(x, crate::table::Slot { .. } if true); }",
            TO_TABLE,
        ),
        (
            "macro_rules! m { () => { $crate::table::info::f() } }",
            TO_INFO,
        ),
        (
            "#[cfg(not(feature = \"x\"))] use crate::table::Slot;",
            TO_TABLE,
        ),
        ("#[cfg(not(test))] use crate::table::Slot;", TO_TABLE),
    ] {
        let found = sys_with(text);

        assert!(
            found
                .iter()
                .any(|line| line.starts_with("src/sys/fd.rs:1 imports ") && line.ends_with(arrow)),
            "{text}: {found:?}"
        );
    }
}

#[test]
fn other_mentions_are_no_arrows() {
    for text in [
        "#[cfg(test)] mod tests { use crate::table::Slot; }",
        "#[cfg(all(test, unix))] use crate::table::Slot;",
        "#[test] fn t() { crate::table::f() }",
        "impl X { #[cfg(test)] fn t() { crate::table::f() } }",
        "//! [`crate::table::Slot`]",
        "pub(in crate::table) fn f() {}",
        "mod table { pub fn f() {} } use table::f; fn g() { table::f() }",
        "fn f() { enum table { A } table::A; }",
        "use super::fd; use self::S; struct S;",
        "use std::mem; fn f() { mem::drop(1) }",
    ] {
        assert_eq!(sys_with(text), [""; 0], "{text}");
    }
}

#[test]
fn a_name_of_a_module_leads_on() {
    let text = "use crate::table;\nfn f() { table::info::f() }";

    assert_eq!(
        sys_with(text),
        [
            format!("src/sys/fd.rs:1 imports crate::table {TO_TABLE}"),
            format!("src/sys/fd.rs:2 imports table::info::f {TO_INFO}"),
        ]
    );
}

#[test]
fn a_path_attribute_and_an_include_name_files() {
    let files = [
        (
            "lib.rs",
            "mod sys; #[path = \"elsewhere/t.rs\"] mod table; mod shmem;",
        ),
        (
            "sys.rs",
            "use crate::table::Slot; use crate::shmem::map::f;",
        ),
        ("elsewhere/t.rs", ""),
        (
            "shmem/mod.rs",
            "include!(concat!(env!(\"OUT_DIR\"), \"/list.rs\"));",
        ),
        ("shmem/map.rs", ""),
    ];
    let found = found(layers::check, &files);

    assert!(
        found.contains(
            &"src/sys.rs:1 imports crate::shmem::map::f (src/shmem/map.rs): shmem is above sys"
                .to_owned()
        )
    );
    assert!(!found.iter().any(|line| line.contains("named by no mod")));
}

#[test]
fn groups_of_a_layer_do_not_import_each_other() {
    let files = [
        (
            "lib.rs",
            "mod channel; mod process; mod process_cycle; mod log; mod status;",
        ),
        ("log.rs", "use crate::status::Status;"),
        ("status.rs", ""),
        ("channel.rs", "use crate::log::Log;"),
        ("process.rs", "use crate::channel::write;"),
        (
            "process_cycle.rs",
            "use crate::channel::write; use crate::process::spawn;",
        ),
    ];

    assert_eq!(
        found(layers::check, &files),
        [
            "src/process.rs:1 imports crate::channel::write (src/channel.rs): both are in one \
          layer, which has them as separate groups"
        ]
    );
}

#[test]
fn hosts_do_not_import_each_other() {
    let files = [
        ("lib.rs", "mod host; mod new; mod abi;"),
        (
            "host/mod.rs",
            "pub mod standalone; pub mod nginx; pub use nginx::f;",
        ),
        ("host/standalone/mod.rs", "pub mod log;"),
        ("host/standalone/log.rs", "use crate::host::nginx;"),
        ("host/nginx/mod.rs", "use super::standalone::log;"),
        ("new/mod.rs", ""),
        ("new/part.rs", ""),
        ("abi.rs", "use crate::host::nginx::f;"),
    ];

    assert_eq!(
        found(layers::check, &files),
        [
            "src/new has no layer: the table LAYERS of tests/architecture.rs does not name it",
            "src/new/part.rs is named by no mod",
            "src/host/nginx/mod.rs:1 imports super::standalone::log \
             (src/host/standalone/log.rs): host/standalone and host/nginx are alternatives",
            "src/host/standalone/log.rs:1 imports crate::host::nginx (src/host/nginx/mod.rs): \
             host/standalone and host/nginx are alternatives",
        ]
    );
}

#[test]
fn a_shortest_circle_is_shown() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "use crate::b::x;\nuse crate::c;"),
        ("b.rs", "use crate::c::x;"),
        ("c.rs", "\nuse crate::a::x;"),
        ("d.rs", "use crate::a::x;"),
    ];

    assert_eq!(
        found(circles::check, &files),
        ["src/a.rs:2 imports crate::c (src/c.rs)\n    \
          src/c.rs:2 imports crate::a::x (src/a.rs)\n    \
          (3 files are in circles with these: a.rs b.rs c.rs)"]
    );
}

#[test]
fn a_parent_and_its_child_can_be_a_circle() {
    let files = |child| {
        [
            ("lib.rs", "mod a;"),
            ("a/mod.rs", "mod b; pub use b::f; pub struct S;"),
            ("a/b.rs", child),
        ]
    };

    assert_eq!(found(circles::check, &files("use super::S;")).len(), 1);
    assert_eq!(found(circles::check, &files("use super::*;")).len(), 1);
    assert_eq!(found(circles::check, &files("pub fn f() {}")), [""; 0]);
    let test = "#[cfg(test)] mod tests { use super::super::S; }";
    assert_eq!(found(circles::check, &files(test)), [""; 0]);
}
