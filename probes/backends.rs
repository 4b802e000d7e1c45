//! Part of build.rs: chooses the backend of shared memory.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::Result;
use super::probe::Features;

/// The backends, the best first: a line `NAME FEATURE` for `src/shmem/NAME.rs`,
/// which needs the feature that `probes/FEATURE.c` looks for.
const BACKENDS: &str = "src/shmem/backends";

/// Writes `shmem_backends.rs`, which `src/shmem/mod.rs` includes: a `mod` for
/// each backend, and a `pub use` of the functions of the chosen one.
pub fn choose(features: &Features, out: &Path) -> Result {
    println!("cargo::rerun-if-changed={BACKENDS}");

    let list = fs::read_to_string(BACKENDS)?;
    let top = env::var("CARGO_MANIFEST_DIR")?;
    let mut chosen = None;
    let mut code = String::new();

    for line in list.lines() {
        let (name, feature) = line
            .split_once(' ')
            .ok_or_else(|| format!("{BACKENDS}: \"{line}\" is not \"NAME FEATURE\""))?;

        if chosen.is_none() && features.has(feature)? {
            chosen = Some(name);
        }

        if chosen != Some(name) {
            writeln!(code, "#[allow(dead_code, unused_imports)]")?;
        }

        writeln!(code, "#[path = \"{top}/src/shmem/{name}.rs\"]\nmod {name};")?;
    }

    let Some(chosen) = chosen else {
        let wanted: Vec<_> = list.split_whitespace().skip(1).step_by(2).collect();

        return Err(format!(
            "no shared memory: none of {} was found (see {})",
            wanted.join(", "),
            features.log()
        )
        .into());
    };

    writeln!(code, "pub use {chosen}::{{alloc, free}};")?;
    fs::write(out.join("shmem_backends.rs"), code)?;

    Ok(())
}
