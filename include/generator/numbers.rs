//! Part of build.rs: makes Rust constants of the numbers and the bit-fields
//! that are written by hand in the headers, so that each is written once.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::{Result, c_text};

/// The headers by hand that define numbers or bit-fields that Rust needs.
const SOURCES: [&str; 6] = [
    "include/ngx_core.h",
    "include/generator/connection.h",
    "include/generator/event.h",
    "include/generator/log.h",
    "include/generator/module.h",
    "include/generator/process.h",
];

/// Writes `numbers.rs`, which `src/numbers.rs` includes: a constant for each
/// macro that is a number, and for each structure with bit-fields a module that
/// has the mask of each.
pub fn write(out: &Path) -> Result {
    let mut numbers = BTreeMap::new();
    let mut code = String::new();

    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");

        let text = fs::read_to_string(source)?;

        add_numbers(&text, &mut numbers);

        for statement in c_text::statements(&text) {
            write_bits(&statement, &mut code)?;
        }
    }

    for (name, value) in numbers {
        writeln!(code, "pub const {name}: i64 = {value};")?;
    }

    fs::write(out.join("numbers.rs"), code)?;

    Ok(())
}

/// Adds each `#define NAME NUMBER` and `#define NAME NAME`.
fn add_numbers(text: &str, numbers: &mut BTreeMap<String, i64>) {
    for line in c_text::without_comments(text).lines() {
        let mut words = line.split_whitespace();

        if words.next() != Some("#define") {
            continue;
        }

        if let (Some(name), Some(value), None) = (words.next(), words.next(), words.next())
            && let Some(value) = number(value).or_else(|| numbers.get(value).copied())
        {
            numbers.insert(name.to_owned(), value);
        }
    }
}

fn number(text: &str) -> Option<i64> {
    match text.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Writes the module of a structure. Bit-fields of one bit that follow each
/// other share an `unsigned`, whose lowest bit is the first of them.
fn write_bits(statement: &str, code: &mut String) -> Result {
    let (Some(name), Some((_, fields))) = (c_text::type_name(statement), statement.split_once('{'))
    else {
        return Ok(());
    };
    let bits: Vec<_> = fields
        .split(';')
        .filter_map(|field| field.trim().strip_prefix("unsigned ")?.strip_suffix(":1"))
        .map(str::trim)
        .collect();

    if bits.is_empty() {
        return Ok(());
    }

    writeln!(code, "pub mod {name} {{")?;

    for (i, bit) in bits.iter().enumerate() {
        writeln!(
            code,
            "    pub const {}: u32 = 1 << {i};",
            bit.to_uppercase()
        )?;
    }

    writeln!(code, "}}")?;

    Ok(())
}
