//! Rule: only `sys` makes system calls.

use super::Violation;
use crate::names::Path;
use crate::scan::{Facts, Mention, Role};
use crate::tree::{Target, Tree};

/// The parts of the standard library that make system calls.
const STD: &[&str] = &[
    "env",
    "fs",
    "io::copy",
    "io::stderr",
    "io::stdin",
    "io::stdout",
    "net",
    "os::linux",
    "os::unix::fs",
    "os::unix::io",
    "os::unix::net",
    "os::unix::process",
    "os::unix::thread",
    "process",
    "thread",
    "time::Instant",
    "time::SystemTime",
    "arch",
];

/// Functions of these parts that any file may use, each with the reason.
const ALLOWED: &[(&str, &str)] = &[(
    "process::abort",
    "ends this process for a debug point; there is nothing for sys to check",
)];

/// Macros that write to a standard stream, or that can contain a system call.
const MACROS: &[&str] = &[
    "asm",
    "dbg",
    "eprint",
    "eprintln",
    "global_asm",
    "print",
    "println",
];

/// The functions of `Errno` that read or set the `errno` of the thread.
const ERRNO: &[&str] = &["clear", "last", "last_raw", "result", "set", "set_raw"];

/// Checks each file that is not in `sys`.
pub fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();

    for (file, source) in tree.library() {
        if !file.starts_with("sys/") && file != "sys.rs" {
            check_file(file, &source.facts, &mut found);
        }
    }

    found
}

fn check_file(file: &str, facts: &Facts, found: &mut Vec<Violation>) {
    for mention in &facts.mentions {
        let why = mention.targets.iter().find_map(|target| match target {
            Target::Outside(path) => forbidden(mention, path),
            Target::Inside { .. } => None,
        });

        if let Some(why) = why {
            let what = format!("has {}: {why}", mention.path.join("::"));

            found.push(Violation::new(file, mention.line, what));
        }
    }

    for called in &facts.macros {
        if MACROS.contains(&called.what.as_str()) {
            let what = format!("has {}!: only sys reads and writes files", called.what);

            found.push(Violation::new(file, called.line, what));
        }
    }

    // `set` of an `Errno` is the only method `set` without arguments, so a call
    // of such a method sets `errno`.
    for method in facts
        .bare_methods
        .iter()
        .filter(|called| called.what == "set")
    {
        let what = "has .set(): only sys sets errno".to_owned();

        found.push(Violation::new(file, method.line, what));
    }
}

/// The reason why a file that is not in `sys` may not use a path of another
/// crate; `None` if the file may use it.
fn forbidden(mention: &Mention, path: &Path) -> Option<String> {
    let imported = &path[..path.len().saturating_sub(mention.path.len() - 1)];
    let why = reason(mention.role, path)?;

    // The rule has already reported the `use` declaration that imports the
    // name.
    let is_reported = !matches!(mention.role, Role::Use | Role::Glob)
        && imported != &path[..1]
        && mention.path[0] != path[0]
        && reason(Role::Use, imported).is_some();

    (!is_reported).then_some(why)
}

fn reason(role: Role, path: &[String]) -> Option<String> {
    let (name, rest) = path.split_first()?;

    match name.as_str() {
        "std" | "core" | "alloc" => of_std(&rest.join("::")),
        "libc" => of_libc(role, rest),
        "nix" => of_nix(role, rest),
        _ => None,
    }
}

fn of_std(path: &str) -> Option<String> {
    if ALLOWED.iter().any(|(allowed, _)| *allowed == path) {
        return None;
    }

    STD.iter()
        .find(|forbidden| {
            path.strip_prefix(**forbidden)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        })
        .map(|forbidden| format!("only sys uses std::{forbidden}"))
}

/// The reason why a path of libc is forbidden. Constants, types and the macros
/// of waitpid(2) are allowed.
fn of_libc(role: Role, path: &[String]) -> Option<String> {
    if role == Role::Glob {
        return Some("import the names of libc one by one".to_owned());
    }

    // A path with several parts, such as `libc::uid_t::MAX`, begins with a
    // type.
    let [name] = path else {
        return None;
    };
    let is_constant = !name.contains(|letter: char| letter.is_ascii_lowercase());
    let is_function = match role {
        Role::Call => !(is_constant && name.starts_with('W')),
        Role::Value => !is_constant,
        Role::Use | Role::Glob | Role::Other => false,
    };

    is_function.then(|| "only sys calls functions of libc".to_owned())
}

/// The reason why a path of nix is forbidden. `nix::errno::Errno` is allowed as
/// the type of an error.
fn of_nix(role: Role, path: &[String]) -> Option<String> {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();

    match &names[..] {
        ["errno", "Errno", function, ..] if ERRNO.contains(function) => {
            Some("only sys reads and sets errno".to_owned())
        }
        ["errno", "Errno", ..] if role != Role::Glob => None,
        _ => Some("only sys uses more of nix than nix::errno::Errno".to_owned()),
    }
}
