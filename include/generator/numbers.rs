//! Part of build.rs: generates Rust constants from the numbers and bit-fields
//! in the headers that are written by hand. So each number is written only
//! once.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::{Result, c_text};

/// The headers, written by hand, with the numbers and bit-fields that Rust
/// needs.
const SOURCES: [&str; 6] = [
    "include/ngx_core.h",
    "include/generator/connection.h",
    "include/generator/event.h",
    "include/generator/log.h",
    "include/generator/module.h",
    "include/generator/process.h",
];

/// Writes `numbers.rs`, which `src/numbers.rs` includes. It has a constant for
/// each macro that is a number, and a module for each structure with
/// bit-fields. The module has a mask for each bit-field.
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

/// Adds the macros of a header whose value is a number or another macro:
/// `#define NAME NUMBER` and `#define NAME NAME`.
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

/// Writes the module for a structure with bit-fields. Bit-fields of one bit
/// that follow each other share an `unsigned`; the first bit-field is the
/// lowest bit.
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
