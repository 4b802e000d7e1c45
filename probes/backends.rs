//! Part of build.rs: chooses the backend for shared memory: the way in which
//! the library gets it from the kernel.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::Result;
use super::probe::Features;

/// The file that lists the backends, the best first. A line is `NAME FEATURE`:
/// the backend `src/shmem/NAME.rs` needs the feature for which
/// `probes/FEATURE.c` is the probe.
const BACKENDS: &str = "src/shmem/backends";

/// Writes `shmem_backends.rs`, which `src/shmem/mod.rs` includes. It has a
/// `mod` for each backend, and a `pub use` of the functions of the backend that
/// is used.
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
