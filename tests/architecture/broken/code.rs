//! Tests of the rules about system calls, `unsafe`, the length of files, the
//! size of `abi`, and SAFETY comments.

use super::found;
use crate::rules::{abi, files, kernel, memory, safety, unsafe_code};

/// The violations that the rule about system calls finds in a file outside of
/// `sys` with this text.
fn core_with(text: &str) -> Vec<String> {
    let files = [
        ("lib.rs", "mod sys; mod process;"),
        (
            "sys.rs",
            "pub use libc as kernel; fn f() { libc::kill(1, 2); std::fs::read(p); }",
        ),
        ("process.rs", text),
    ];

    found(kernel::check, &files)
}

#[test]
fn system_calls_outside_of_sys_are_found() {
    for text in [
        "use std::fs;",
        "use std::{env, fmt};",
        "fn f() { std::process::exit(1) }",
        "use std::os::unix::net::UnixStream;",
        "use std::io; fn f() { io::stderr(); }",
        "fn f() { let now = std::time::Instant::now(); }",
        "fn f() { println!(\"x\") }",
        "fn f() { unsafe { libc::kill(1, 2) }; }",
        "use libc as c; fn f() { unsafe { c::kill(1, 2) }; }",
        "use libc::kill; fn f() { unsafe { kill(1, 2) }; }",
        "use libc::*;",
        "use crate::sys::kernel; fn f() { unsafe { kernel::kill(1, 2) }; }",
        "const CLOSE: F = libc::close;",
        "fn f() { assert!(unsafe { libc::close(1) } == 0) }",
        "macro_rules! m { () => { libc::close(1) } }",
        "use nix::unistd::Pid;",
        "use nix::errno::Errno; fn f() { Errno::last(); }",
        "use nix::errno::Errno; fn f() { Errno::EINVAL.set(); }",
    ] {
        let found = core_with(text);

        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].starts_with("src/process.rs:1 has "), "{found:?}");
    }
}

#[test]
fn names_of_the_kernel_are_allowed() {
    for text in [
        "use nix::errno::Errno; fn f() -> Errno { Errno::EINVAL }",
        "const Q: i32 = libc::SIGQUIT; static T: libc::time_t = 0;",
        "fn f(s: i32) -> bool { libc::WIFEXITED(s) && libc::uid_t::MAX > 0 }",
        "fn f() { std::process::abort() }",
        "fn f(t: &Slot) { t.set(Flag::Exited, true) }",
        "#[cfg(test)] mod tests { use std::fs; }",
        "use std::{fmt, io, sync::Mutex}; use std::os::fd::OwnedFd;",
        "use std::time::Duration;",
    ] {
        assert_eq!(core_with(text), [""; 0], "{text}");
    }
}

#[test]
fn unsafe_code_in_the_core_is_found() {
    let in_file = |file, text| {
        let files = [("lib.rs", "mod sys; mod process;"), (file, text)];

        found(unsafe_code::check, &files)
    };

    for text in [
        "fn f() { unsafe { g() } }",
        "unsafe fn f() {}",
        "unsafe impl Sync for S {}",
        "unsafe trait T {}",
        "unsafe extern \"C\" { fn f(); }",
        "#![allow(unsafe_code)]",
        "#[allow(dead_code, unsafe_code)] fn f() {}",
        "#[unsafe(no_mangle)] static X: i32 = 0;",
        "macro_rules! m { () => { unsafe { f() } } }",
        "fn f() { debug!(\"{}\", unsafe { g() }) }",
    ] {
        let found = in_file("process.rs", text);

        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].starts_with("src/process.rs:1 has "), "{found:?}");
        assert_eq!(in_file("sys.rs", text), [""; 0], "{text}");
    }

    for text in [
        "type F = unsafe extern \"C\" fn(i32);",
        "#![deny(unsafe_code)]",
        "#[cfg(test)] mod tests { fn f() { unsafe { g() } } }",
        "macro_rules! m { () => { type F = unsafe extern \"C\" fn(); } }",
    ] {
        assert_eq!(in_file("process.rs", text), [""; 0], "{text}");
    }
}

#[test]
fn a_long_file_says_why() {
    let lines = |head: &str, count: usize| {
        let text = format!("{head}\n{}", "//\n".repeat(count - 1));

        found(files::check, &[("lib.rs", &text)])
    };

    assert_eq!(lines("", 400), [""; 0]);
    assert_eq!(lines("", 401), ["src/lib.rs has 401 lines"]);
    assert_eq!(
        lines("//! Not: \"This file is long because\".", 401).len(),
        1
    );
    assert_eq!(
        lines(
            "//! All of it.\n//! This file is\n//! long because it lists.",
            500
        ),
        [""; 0]
    );
}

#[test]
fn abi_is_thin() {
    let decides = |text: &str| {
        found(
            abi::check_decisions,
            &[("lib.rs", "mod abi;"), ("abi/mod.rs", text)],
        )
    };
    let small = |text: &str| {
        found(
            abi::check_size,
            &[("lib.rs", "mod abi;"), ("abi/mod.rs", text)],
        )
    };

    for text in [
        "fn f() { for x in y {} }",
        "fn f() { while x {} }",
        "fn f() { loop {} }",
        "fn f() { match x { 1 => 2, 3 => 4, _ => 5 } }",
    ] {
        assert_eq!(decides(text).len(), 1, "{text}");
    }

    assert_eq!(
        decides("fn f() { match x { Ok(_) => 0, Err(_) => -1 } }"),
        [""; 0]
    );
    assert_eq!(
        decides("const X: i32 = match Y { 1 => 2, 3 => 4, _ => 5 };"),
        [""; 0]
    );
    assert_eq!(small(&"//\n".repeat(4200)), [""; 0]);
    assert_eq!(small(&"//\n".repeat(4201)).len(), 1);
}

#[test]
fn allocations_that_abort_are_found() {
    let found = |text: &str| found(memory::check, &[("lib.rs", text)]);

    for text in [
        "fn f() { let x = Box::new(1); }",
        "fn f() { String::new(); }",
        "use std::collections::BTreeMap;",
        "fn f(x: &str) { g(&format!(\"{x}\")); }",
        "fn f() -> Vec<u8> { vec![0; 9] }",
        "fn f(x: &str) { g(x.to_owned()); }",
        "fn f() { let x: Vec<_> = (0..9).collect(); }",
    ] {
        assert_eq!(found(text).len(), 1, "{text}");
    }

    for text in [
        "fn f(x: &mut Vec<u8>) { if x.try_reserve(1).is_ok() { x.push(1); } }",
        "fn f(x: &str) { g(format_args!(\"{x}\")); }",
        "#[cfg(test)] mod tests { fn f() { let x = Box::new(1); } }",
    ] {
        assert_eq!(found(text), [""; 0], "{text}");
    }
}

#[test]
fn a_safety_comment_that_points_elsewhere_is_found() {
    let says = |comment: &str| {
        let text = format!("fn f() {{\n    {comment}\n    unsafe {{ g() }}\n}}\n");

        found(safety::check, &[("lib.rs", &text)])
    };

    for comment in [
        "// SAFETY: promised by the caller.",
        "// SAFETY: The same",
        "// SAFETY: `x` is valid; promised\n    // by the caller.",
        "// SAFETY: as stated.",
        "// SAFETY: the same as above.",
    ] {
        assert_eq!(says(comment).len(), 1, "{comment}");
    }

    for comment in [
        "// SAFETY: both pointers are to the same static array.",
        "// SAFETY: the slot was there.",
        "// promised by the caller",
    ] {
        assert_eq!(says(comment), [""; 0], "{comment}");
    }
}
