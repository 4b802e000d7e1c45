//! Asks the system what it has, writes the headers, compiles `csrc/`.
//!
//! Results, in `OUT_DIR` and, if that is set, copied to `NGX_IPC_OUT`:
//!
//! - `probes.log`: each probe's answer; for each "no" the program and what
//!   the compiler said;
//! - `include/`: `ngx_auto_config.h` of the probes, and the headers that
//!   cbindgen makes of `src/abi/`.
//!
//! `NGX_HAVE_FEATURE=1` or `=0` in the environment answers a probe without
//! asking: for cross builds, where nothing can be run, and for tests.
//!
//! Without the feature "standalone" there are only the probes: nginx brings
//! its own headers and logger.

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::iter;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

#[cfg(feature = "standalone")]
#[path = "src/abi/headers.rs"]
mod headers;

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
    let out = PathBuf::from(env::var("OUT_DIR")?);

    let probed = probe_all(&out);
    copy_out(&out, &["probes.log"])?;

    let features = probed?;

    check_needed(&features)?;
    choose_backend(&features, &out)?;
    emit_cfgs(&features);

    #[cfg(feature = "standalone")]
    standalone(&out, &features)?;

    Ok(())
}

/// What C programs need: headers, and the functions that are in C.
#[cfg(feature = "standalone")]
fn standalone(out: &Path, features: &Features) -> Result {
    let include = out.join("include");

    fs::create_dir_all(&include)?;
    write(&include.join("ngx_auto_config.h"), &auto_config(features))?;

    println!("cargo::rerun-if-changed=src");

    for header in headers::HEADERS {
        let name = format!("ngx_{}.h", header.name);
        write(&include.join(&name), &header.render()?)?;
    }

    compile_csrc(&include);

    let names: Vec<_> = fs::read_dir(&include)?
        .map(|entry| Ok(format!("include/{}", entry?.file_name().display())))
        .collect::<Result<_>>()?;
    let names: Vec<_> = names.iter().map(String::as_str).collect();

    copy_out(out, &names)
}

/// Copies results to where the Makefile looks for them.
fn copy_out(out: &Path, names: &[&str]) -> Result {
    println!("cargo::rerun-if-env-changed=NGX_IPC_OUT");

    let Some(to) = env::var_os("NGX_IPC_OUT").map(PathBuf::from) else {
        return Ok(());
    };

    fs::create_dir_all(to.join("include"))?;

    // Should it be removed, it is written again.
    println!(
        "cargo::rerun-if-changed={}",
        to.join("probes.log").display()
    );

    for name in names {
        write(&to.join(name), &fs::read_to_string(out.join(name))?)?;
    }

    Ok(())
}

/// Writes a file, unless it says the same already: what is made of it would
/// be made again.
fn write(path: &Path, text: &str) -> Result {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }

    fs::write(path, text).map_err(|err| format!("{}: {err}", path.display()).into())
}

// Probes

/// A feature's name, and whether the system has it.
type Features = BTreeMap<String, bool>;

/// Runs every program in `probes/`; the transcript is written in any case.
fn probe_all(out: &Path) -> Result<Features> {
    println!("cargo::rerun-if-changed=probes");

    let mut sources: Vec<_> = fs::read_dir("probes")?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;

    sources.sort();

    let mut log = String::new();
    let features = sources
        .iter()
        .map(|source| probe(source, out, &mut log))
        .collect();

    write(&out.join("probes.log"), &log)?;

    features
}

fn probe(source: &Path, out: &Path, log: &mut String) -> Result<(String, bool)> {
    let name = source
        .file_stem()
        .and_then(|stem| stem.to_str())
        .ok_or("a probe's file name is its feature's name")?
        .to_owned();
    let program = fs::read_to_string(source)?;

    println!("cargo::rerun-if-env-changed={name}");

    if let Ok(answer) = env::var(&name) {
        let have = match answer.as_str() {
            "1" | "yes" => true,
            "0" | "no" => false,
            _ => return Err(format!("{name}={answer}: 1 or 0 is wanted").into()),
        };

        writeln!(log, "{name}: {}, given from outside", yes_or_no(have))?;

        return Ok((name, have));
    }

    let run = program.starts_with("/* run: ") && env::var("HOST")? == env::var("TARGET")?;

    match check(source, &out.join(&name), run) {
        Ok(()) => {
            writeln!(log, "{name}: yes")?;
            Ok((name, true))
        }
        Err(why) => {
            writeln!(log, "{name}: no\n{why}\n----------\n{program}----------")?;
            Ok((name, false))
        }
    }
}

/// Compiles a probe, and runs it if it is one to be run.
fn check(source: &Path, program: &Path, run: bool) -> std::result::Result<(), String> {
    let compiler = cc::Build::new()
        .cargo_metadata(false)
        .try_get_compiler()
        .map_err(|err| err.to_string())?;

    let mut compile = compiler.to_command();
    compile.arg(source).arg("-o").arg(program);
    succeed(&mut compile)?;

    if run {
        succeed(&mut Command::new(program))?;
    }

    Ok(())
}

fn succeed(command: &mut Command) -> std::result::Result<(), String> {
    let shown = iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ");
    let output = command.output().map_err(|err| format!("{shown}: {err}"))?;

    if output.status.success() {
        return Ok(());
    }

    let stderr = String::from_utf8_lossy(&output.stderr);

    Err(format!("{shown}: {}\n{stderr}", output.status))
}

fn yes_or_no(have: bool) -> &'static str {
    if have { "yes" } else { "no" }
}

/// What the library cannot do without, and why.
const NEEDED: [(&str, &str); 5] = [
    (
        "NGX_HAVE_MSGHDR_MSG_CONTROL",
        "descriptors are passed in msg_control; msg_accrights is not supported, \
         since Rust has no target with it",
    ),
    ("NGX_HAVE_SOCK_CLOEXEC", "channels are made close-on-exec"),
    (
        "NGX_HAVE_MSG_CMSG_CLOEXEC",
        "passed descriptors arrive close-on-exec",
    ),
    (
        "NGX_HAVE_FIOASYNC",
        "a master gets SIGIO when a channel has something to say",
    ),
    ("NGX_HAVE_EPOLL", "it is what the event loop waits with"),
];

/// Fails if one of [`NEEDED`] is missing.
fn check_needed(features: &Features) -> Result {
    for (name, why) in NEEDED {
        if !has(features, name)? {
            return Err(format!("{name}: no, but {why} (see probes.log)").into());
        }
    }

    Ok(())
}

fn has(features: &Features, name: &str) -> Result<bool> {
    features
        .get(name)
        .copied()
        .ok_or_else(|| format!("there is no probes/{name}.c").into())
}

// Shared memory

/// The backends of shared memory, the best first: a line `NAME FEATURE` for
/// `src/shmem/NAME.rs`, which needs `probes/FEATURE.c` to succeed.
const BACKENDS: &str = "src/shmem/backends";

/// Writes the part of `src/shmem/mod.rs` that depends on the probes.
fn choose_backend(features: &Features, out: &Path) -> Result {
    println!("cargo::rerun-if-changed={BACKENDS}");

    let list = fs::read_to_string(BACKENDS)?;
    let top = env::var("CARGO_MANIFEST_DIR")?;
    let mut chosen = None;
    let mut code = String::new();

    for line in list.lines() {
        let (name, feature) = line
            .split_once(' ')
            .ok_or_else(|| format!("{BACKENDS}: \"{line}\" is not \"NAME FEATURE\""))?;

        if chosen.is_none() && has(features, feature)? {
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
            "no shared memory: none of {} was found (see probes.log)",
            wanted.join(", ")
        )
        .into());
    };

    writeln!(code, "pub use {chosen}::{{alloc, free}};")?;
    write(&out.join("shmem_backends.rs"), &code)
}

fn emit_cfgs(features: &Features) {
    for (name, have) in features {
        let cfg = name.to_lowercase();

        println!("cargo::rustc-check-cfg=cfg({cfg})");

        if *have {
            println!("cargo::rustc-cfg={cfg}");
        }
    }
}

/// `ngx_auto_config.h`, in the way of nginx's.
#[cfg(feature = "standalone")]
fn auto_config(features: &Features) -> String {
    let pointer = env::var("CARGO_CFG_TARGET_POINTER_WIDTH").unwrap_or_default();
    let little = env::var("CARGO_CFG_TARGET_ENDIAN").is_ok_and(|endian| endian == "little");

    let mut text = String::from("/* Made by build.rs of what probes/ found. */\n");
    let mut define = |name: &str, value: usize| {
        let _ = write!(text, "\n#ifndef {name}\n#define {name}  {value}\n#endif\n");
    };

    for (name, have) in features {
        define(name, (*have).into());
    }

    define("NGX_HAVE_LITTLE_ENDIAN", little.into());
    define("NGX_PTR_SIZE", pointer.parse().unwrap_or(64) / 8);

    text
}

// csrc

#[cfg(feature = "standalone")]
fn compile_csrc(include: &Path) {
    println!("cargo::rerun-if-changed=csrc");
    println!("cargo::rerun-if-changed=include");

    cc::Build::new()
        .files(["csrc/ngx_log.c", "csrc/ngx_string.c"])
        .include(include)
        .include("include")
        .warnings(true)
        .extra_warnings(true)
        .warnings_into_errors(true)
        .compile("ngx_ipc_csrc");
}
