//! Part of build.rs: lists the symbols that the shared library exports. They
//! are the functions and variables that the public headers declare.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::{Result, c_text};

/// Variables that are exported although no header declares them. nginx defines
/// these variables without declaring them in a header, so a module that uses
/// one has its own `extern` declaration.
const UNDECLARED: [&str; 2] = ["ngx_noaccepting", "ngx_restart"];

/// Writes the exported names to two files: `symbols`, with one name in each
/// line, and `ngx_ipc.map`, the version script for the linker.
pub fn write(include: &Path, out: &Path) -> Result {
    let symbols = declared(include)?;
    let mut list = String::new();
    let mut map = String::from("NGX_IPC_1 {\nglobal:\n");

    for symbol in &symbols {
        writeln!(list, "{symbol}")?;
        writeln!(map, "    {symbol};")?;
    }

    map += "local:\n    *;\n};\n";

    fs::write(out.join("symbols"), list)?;
    fs::write(out.join("ngx_ipc.map"), map)?;

    Ok(())
}

fn declared(include: &Path) -> Result<BTreeSet<String>> {
    let mut symbols = BTreeSet::from(UNDECLARED.map(str::to_owned));

    for entry in fs::read_dir(include)? {
        let text = fs::read_to_string(entry?.path())?;

        for statement in c_text::statements(&text) {
            symbols.extend(c_text::symbol_name(&statement).map(str::to_owned));
        }
    }

    Ok(symbols)
}
