//! Probes the system, generates the headers, compiles `csrc/`.
//!
//! The results are in the directory `OUT_DIR`. `include/generator/build.sh`
//! copies them to the directory in which C programs find them:
//!
//! - `probes.log`: the answer of each probe, and for each "no" the program and
//!   the compiler's messages;
//! - `include/`: all headers: `ngx_auto_config.h` with the probes' answers, the
//!   headers that cbindgen generates, and copies of those in `include/`;
//! - `symbols` and `ngx_ipc.map`: what the shared library exports;
//! - `shmem_backends.rs` and `numbers.rs`: parts of the library's source.
//!
//! An environment variable `NGX_HAVE_FEATURE=1` or `NGX_HAVE_FEATURE=0` sets
//! the result of a probe, whose program is not compiled then. Cross builds and
//! tests use this.
//!
//! Without the cargo feature "standalone", no headers are generated and `csrc/`
//! is not compiled, because nginx has its own.

#[path = "probes/backends.rs"]
mod backends;
#[path = "include/generator/c_text.rs"]
mod c_text;
#[cfg(feature = "standalone")]
#[path = "include/generator/headers.rs"]
mod headers;
#[path = "include/generator/numbers.rs"]
mod numbers;
#[path = "probes/probe.rs"]
mod probe;
#[cfg(feature = "standalone")]
#[path = "include/generator/symbols.rs"]
mod symbols;

use std::env;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            for line in err.to_string().lines() {
                println!("cargo::error={line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result {
    check_target()?;

    let out = PathBuf::from(env::var("OUT_DIR")?);
    let features = probe::probe_all(&out)?;

    features.check_needed()?;
    features.emit_cfgs();
    backends::choose(&features, &out)?;
    numbers::write(&out)?;

    #[cfg(feature = "standalone")]
    {
        let include = out.join("include");

        headers::write_all(&features, &include)?;
        symbols::write(&include, &out)?;
        compile_csrc(&include, &out)?;
    }

    Ok(())
}

/// Fails if the library cannot work on the target: its structures have nginx's sizes on
/// systems with addresses of 64 bits, and it calls functions of Linux.
fn check_target() -> Result {
    let target = env::var("TARGET")?;
    let width = env::var("CARGO_CFG_TARGET_POINTER_WIDTH")?;

    if width != "64" {
        return Err(format!("{target} has addresses of {width} bits, ngx_ipc needs 64").into());
    }

    if env::var("CARGO_CFG_TARGET_OS")? != "linux" {
        return Err(format!("{target} is not Linux, which ngx_ipc needs").into());
    }

    Ok(())
}

/// Compiles the functions of the library that are written in C.
#[cfg(feature = "standalone")]
fn compile_csrc(include: &std::path::Path, out: &std::path::Path) -> Result {
    println!("cargo::rerun-if-changed=csrc");

    let mut files = std::fs::read_dir("csrc")?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;

    // An editor can have left other files there.
    files.retain(|path| path.extension().is_some_and(|extension| extension == "c"));

    // Each build makes the same library, whatever the order of the directory is.
    files.sort();

    let mut build = cc::Build::new();

    for flag in path_maps(out) {
        // GCC has the option since version 8.
        build.flag_if_supported(flag);
    }

    build
        .files(files)
        .include(include)
        .flags(hardening())
        .warnings(true)
        .extra_warnings(true)
        .warnings_into_errors(true)
        .compile("ngx_ipc_csrc");

    Ok(())
}

/// Names for the directories of this machine in messages and debug information, as
/// `include/generator/build.sh` has them for Rust.
#[cfg(feature = "standalone")]
fn path_maps(out: &std::path::Path) -> [String; 2] {
    [
        format!("-ffile-prefix-map={}=ngx_ipc", env!("CARGO_MANIFEST_DIR")),
        format!("-ffile-prefix-map={}=target", out.display()),
    ]
}

/// The protections that distributions build with. `_FORTIFY_SOURCE` needs an
/// optimization, and the environment may have chosen another level of it.
#[cfg(feature = "standalone")]
fn hardening() -> Vec<&'static str> {
    let chosen =
        env::vars().any(|(name, value)| name.contains("CFLAGS") && value.contains("FORTIFY"));
    let optimized = env::var("OPT_LEVEL").is_ok_and(|level| level != "0");
    let mut flags = vec!["-fstack-protector-strong"];

    if optimized && !chosen {
        flags.extend(["-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"]);
    }

    flags
}
