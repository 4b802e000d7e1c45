//! Part of build.rs: finds the features that the system has. For each feature
//! there is a C program in `probes/`.
//!
//! A system has the feature if `probes/FEATURE.c` compiles and links. A program
//! that begins with "run:" must also exit with code 0.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::iter;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Result;

/// The features without which the library cannot be built, each with the
/// reason.
const NEEDED: [(&str, &str); 4] = [
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
    ("NGX_HAVE_EPOLL", "the event loop waits with epoll_wait()"),
];

/// The results of the probes: for each feature, whether the system has it.
pub struct Features {
    answers: BTreeMap<String, bool>,
    log: PathBuf,
}

impl Features {
    /// All features: the name of each, and whether the system has it.
    #[cfg(feature = "standalone")]
    pub fn iter(&self) -> impl Iterator<Item = (&str, bool)> {
        self.answers
            .iter()
            .map(|(name, &have)| (name.as_str(), have))
    }

    /// Whether the system has the feature `name`. Returns an error if there is
    /// no probe for the feature.
    pub fn has(&self, name: &str) -> Result<bool> {
        self.answers
            .get(name)
            .copied()
            .ok_or_else(|| format!("there is no probes/{name}.c").into())
    }

    /// The path of `probes.log`, which has the result of each probe.
    pub fn log(&self) -> impl std::fmt::Display {
        self.log.display()
    }

    /// Fails if the system lacks a feature that the library needs.
    pub fn check_needed(&self) -> Result {
        for (name, why) in NEEDED {
            if !self.has(name)? {
                return Err(format!("{name}: no, but {why} (see {})", self.log()).into());
            }
        }

        Ok(())
    }

    /// Sets a cfg for each feature that the system has, such as
    /// `ngx_have_epoll`, with which the library is compiled.
    pub fn emit_cfgs(&self) {
        for (name, have) in &self.answers {
            let cfg = name.to_lowercase();

            println!("cargo::rustc-check-cfg=cfg({cfg})");

            if *have {
                println!("cargo::rustc-cfg={cfg}");
            }
        }
    }
}

/// Runs all probes and writes `probes.log`. The file is written even if the
/// probes end with an error.
pub fn probe_all(out: &Path) -> Result<Features> {
    println!("cargo::rerun-if-changed=probes");

    let mut sources: Vec<_> = fs::read_dir("probes")?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;

    sources.retain(|path| path.extension().is_some_and(|extension| extension == "c"));
    sources.sort();

    let mut text = String::new();
    let answers = sources
        .iter()
        .map(|source| probe(source, out, &mut text))
        .collect::<Result<_>>();
    let log = out.join("probes.log");

    fs::write(&log, &text)?;

    Ok(Features {
        answers: answers?,
        log,
    })
}

/// Finds the result of one probe: from the environment variable with the name
/// of the feature, or else by compiling the program of the probe.
fn probe(source: &Path, out: &Path, log: &mut String) -> Result<(String, bool)> {
    let name = source
        .file_stem()
        .and_then(|stem| stem.to_str())
        .ok_or("the name of a probe is not UTF-8")?
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

/// Compiles the program of a probe, and runs the program if `run` is true.
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

/// Runs a command. An error has the text of the command, its exit status and
/// its stderr.
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
