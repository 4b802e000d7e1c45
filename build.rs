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

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::iter;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

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
    let include = out.join("include");

    fs::create_dir_all(&include)?;

    let probed = probe_all(&out);
    copy_out(&out, &["probes.log"])?;

    let features = probed?;
    let backend = backend(&features)?;

    emit_cfgs(&features, backend);
    write(&include.join("ngx_auto_config.h"), &auto_config(&features))?;

    println!("cargo::rerun-if-changed=src/abi");

    for header in HEADERS {
        let name = format!("ngx_{}.h", header.name);
        write(&include.join(&name), &header.render()?)?;
    }

    compile_csrc(&include);

    let names: Vec<_> = fs::read_dir(&include)?
        .map(|entry| Ok(format!("include/{}", entry?.file_name().display())))
        .collect::<Result<_>>()?;
    let names: Vec<_> = names.iter().map(String::as_str).collect();

    copy_out(&out, &names)
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

/// The ways to shared memory, the best first.
const BACKENDS: [(&str, &str); 3] = [
    ("NGX_HAVE_MAP_ANON", "map_anon"),
    ("NGX_HAVE_MAP_DEVZERO", "map_devzero"),
    ("NGX_HAVE_SYSVSHM", "sysvshm"),
];

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

fn backend(features: &Features) -> Result<&'static str> {
    let have = |name: &str| features.get(name).copied().unwrap_or_default();

    for (name, why) in NEEDED {
        if !have(name) {
            return Err(format!("{name}: no, but {why} (see probes.log)").into());
        }
    }

    BACKENDS
        .iter()
        .find(|(name, _)| have(name))
        .map(|&(_, backend)| backend)
        .ok_or_else(|| {
            "no shared memory: none of NGX_HAVE_MAP_ANON (mmap(MAP_ANON|MAP_SHARED)), \
             NGX_HAVE_MAP_DEVZERO (mmap(\"/dev/zero\")) and NGX_HAVE_SYSVSHM (shmget()) \
             was found (see probes.log)"
                .into()
        })
}

fn emit_cfgs(features: &Features, backend: &str) {
    let backends = BACKENDS
        .map(|(_, backend)| format!("{backend:?}"))
        .join(", ");

    println!("cargo::rustc-check-cfg=cfg(ngx_shmem, values({backends}))");
    println!("cargo::rustc-cfg=ngx_shmem={backend:?}");

    for (name, have) in features {
        let cfg = name.to_lowercase();

        println!("cargo::rustc-check-cfg=cfg({cfg})");

        if *have {
            println!("cargo::rustc-cfg={cfg}");
        }
    }
}

/// `ngx_auto_config.h`, in the way of nginx's.
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

// Headers

/// A header that is made of `src/abi/NAME.rs` and `src/abi/NAME.h`.
struct Header {
    name: &'static str,
    title: &'static str,
    /// More files that it is made of.
    and: &'static [&'static str],
    includes: &'static [&'static str],
    /// Structs go by `struct NAME`, since nginx's typedef of it comes first.
    tagged: bool,
    /// Types that no function names, or only by nginx's typedef.
    types: &'static [&'static str],
    /// Not declared here: another header does, or C must not know.
    exclude: &'static [&'static str],
}

const BASIC: &[&str] = &["ngx_config.h", "ngx_core.h"];

const fn header(name: &'static str, title: &'static str) -> Header {
    Header {
        name,
        title,
        and: &[],
        includes: BASIC,
        tagged: true,
        types: &[],
        exclude: &[],
    }
}

const HEADERS: &[Header] = &[
    Header {
        and: &["src/channel/mod.rs"],
        includes: &["ngx_config.h", "ngx_core.h", "ngx_event.h"],
        tagged: false,
        ..header("channel", "messages between processes")
    },
    Header {
        and: &["src/abi/listening.rs"],
        types: &["ngx_recv_pt", "ngx_send_pt", "ngx_listening_s"],
        exclude: &["ngx_connection_s"],
        ..header(
            "connection",
            "a descriptor and its events, and where programs listen",
        )
    },
    Header {
        includes: &[
            "ngx_config.h",
            "ngx_core.h",
            "ngx_log.h",
            "ngx_process_cycle.h",
        ],
        and: &["src/abi/conf.rs"],
        types: &["ngx_core_conf_s", "ngx_cycle_s"],
        ..header("cycle", "the configuration, and what a program runs with")
    },
    header("errno", "texts of errors"),
    Header {
        includes: &["ngx_config.h", "ngx_core.h", "ngx_event_timer.h"],
        exclude: &["ngx_event_s", "Timer"],
        ..header("event", "the event loop")
    },
    header("event_timer", "the event loop's timers"),
    Header {
        and: &[
            "src/abi/introspect.rs",
            "src/abi/main.rs",
            "src/abi/worker.rs",
        ],
        includes: &["ngx_config.h", "ngx_core.h", "ngx_event.h", "ngx_channel.h"],
        tagged: false,
        ..header("ipc", "what this library adds to nginx's functions")
    },
    Header {
        types: &["ngx_open_file_s", "ngx_log_s"],
        ..header("log", "the logger")
    },
    Header {
        types: &["ngx_module_s"],
        ..header("module", "modules, whose hooks the host calls")
    },
    Header {
        types: &["ngx_pool_cleanup_s"],
        ..header("palloc", "memory that is freed all at once")
    },
    Header {
        tagged: false,
        exclude: &["ngx_os_signal_process"],
        ..header("process", "spawning processes, signals, the process table")
    },
    Header {
        and: &["src/abi/master.rs", "src/abi/single.rs"],
        types: &["ngx_cache_manager_ctx_s"],
        ..header(
            "process_cycle",
            "commands, roles, and the flags that signals set",
        )
    },
    header("setproctitle", "what ps shows"),
    Header {
        tagged: false,
        ..header("shmem", "shared memory")
    },
    Header {
        tagged: false,
        types: &["ngx_time_t"],
        exclude: &["CachedTime", "CachedText"],
        ..header("times", "the time, kept at hand")
    },
];

/// Rust's names of types that C knows by others.
const RENAME: [(&str, &str); 1] = [("time_t", "time_t")];

/// Types that are declared by hand in `ngx_core.h`.
const BY_HAND: [&str; 15] = [
    "ngx_cache_manager_ctx_t",
    "ngx_command_t",
    "ngx_connection_t",
    "ngx_core_conf_t",
    "ngx_cycle_t",
    "ngx_event_handler_pt",
    "ngx_event_t",
    "ngx_listening_t",
    "ngx_log_t",
    "ngx_module_t",
    "ngx_open_file_t",
    "ngx_pool_cleanup_t",
    "ngx_pool_s",
    "ngx_pool_t",
    "ngx_process_t",
];

impl Header {
    fn render(&self) -> Result<String> {
        let Self { name, title, .. } = self;
        let guard = format!("_NGX_{}_H_INCLUDED_", name.to_uppercase());
        let by_hand = format!("src/abi/{name}.h");

        let mut text = format!(
            "/*\n * ngx_{name}.h: {title}.\n * Part of ngx-ipc; the names are nginx's.\n *\n \
             * Made by build.rs of src/abi/{name}.rs: edit that, then \"make headers\".\n */\n\n\
             #ifndef {guard}\n#define {guard}\n\n\n"
        );

        for include in self.includes {
            writeln!(text, "#include <{include}>")?;
        }

        write!(text, "\n#ifdef __cplusplus\nextern \"C\" {{\n#endif\n\n\n")?;
        text += self.declarations()?.trim();

        if let Ok(by_hand) = fs::read_to_string(by_hand) {
            write!(text, "\n\n\n{}", by_hand.trim())?;
        }

        write!(
            text,
            "\n\n\n#ifdef __cplusplus\n}}\n#endif\n\n#endif /* {guard} */\n"
        )?;

        Ok(text)
    }

    fn declarations(&self) -> Result<String> {
        let mut config = cbindgen::Config {
            language: cbindgen::Language::C,
            style: if self.tagged {
                cbindgen::Style::Tag
            } else {
                cbindgen::Style::Type
            },
            no_includes: true,
            usize_is_size_t: true,
            tab_width: 4,
            line_length: 79,
            documentation_style: cbindgen::DocumentationStyle::C,
            ..Default::default()
        };

        config.export.exclude = BY_HAND
            .iter()
            .chain(self.exclude)
            .map(|&s| s.into())
            .collect();
        config.export.include = self.types.iter().map(|&s| s.into()).collect();
        config.export.rename = RENAME.map(|(a, b)| (a.into(), b.into())).into();
        config.export.item_types = vec![
            cbindgen::ItemType::Constants,
            cbindgen::ItemType::Structs,
            cbindgen::ItemType::Typedefs,
            cbindgen::ItemType::Functions,
        ];

        let mut builder = cbindgen::Builder::new().with_config(config);

        for source in self.and {
            println!("cargo::rerun-if-changed={source}");
            builder = builder.with_src(source);
        }

        let mut text = Vec::new();

        builder
            .with_src(format!("src/abi/{}.rs", self.name))
            .generate()?
            .write(&mut text);

        Ok(tidy_comments(&String::from_utf8(text)?))
    }
}

/// Turns cbindgen's comments into nginx's, and rustdoc's headings into words.
fn tidy_comments(text: &str) -> String {
    let mut tidy = String::new();
    let mut comment: Option<Vec<&str>> = None;

    for line in text.lines() {
        match (&mut comment, line.trim()) {
            (None, "/*") => comment = Some(Vec::new()),
            (None, _) => {
                tidy += line;
                tidy.push('\n');
            }
            (Some(lines), "*/") => {
                let indent = " ".repeat(line.len() - line.trim_start().len() - 1);

                tidy += &render_comment(&indent, lines);
                comment = None;
            }
            (Some(lines), words) => lines.push(words),
        }
    }

    tidy
}

fn render_comment(indent: &str, lines: &[&str]) -> String {
    if let [line] = lines {
        return format!("{indent}/* {} */\n", line.replace('`', ""));
    }

    let mut text = format!("{indent}/*\n");
    let mut heading = "";

    for line in lines {
        match (line.strip_prefix("# "), line.is_empty()) {
            (Some(title), _) => heading = title,
            (None, true) if !heading.is_empty() => {}
            (None, true) => {
                let _ = writeln!(text, "{indent} *");
            }
            (None, false) => {
                let words = line.replace('`', "");
                let _ = match heading {
                    "" => writeln!(text, "{indent} * {words}"),
                    _ => writeln!(text, "{indent} * {heading}: {words}"),
                };
                heading = "";
            }
        }
    }

    text + indent + " */\n"
}

// csrc

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
