//! Part of build.rs: makes `ngx_NAME.h` of `src/abi/NAME.rs` with cbindgen, and
//! of `src/abi/NAME.h`, which says what cbindgen cannot.

use std::fmt::Write as _;
use std::fs;

use super::Result;

/// A header that is made of `src/abi/NAME.rs` and `src/abi/NAME.h`.
pub struct Header {
    pub name: &'static str,
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

/// All of them.
pub const HEADERS: &[Header] = &[
    Header {
        and: &["src/channel/mod.rs"],
        includes: &["ngx_config.h", "ngx_core.h", "ngx_event.h"],
        tagged: false,
        ..header("channel", "messages between processes")
    },
    Header {
        and: &["src/host/standalone/listening.rs"],
        types: &[
            "ngx_recv_pt",
            "ngx_send_pt",
            "ngx_connection_handler_pt",
            "ngx_listening_s",
        ],
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
        and: &["src/host/standalone/conf.rs"],
        types: &["ngx_core_conf_s", "ngx_cycle_s"],
        ..header("cycle", "the configuration, and what a program runs with")
    },
    header("errno", "texts of errors"),
    Header {
        includes: &["ngx_config.h", "ngx_core.h", "ngx_event_timer.h"],
        ..header("event", "the event loop")
    },
    header("event_timer", "the event loop's timers"),
    Header {
        and: &[
            "src/abi/introspect.rs",
            "src/host/standalone/main.rs",
            "src/host/standalone/worker.rs",
        ],
        includes: &["ngx_config.h", "ngx_core.h", "ngx_event.h", "ngx_channel.h"],
        tagged: false,
        ..header("ipc", "what this library adds to nginx's functions")
    },
    Header {
        types: &[
            "ngx_log_handler_pt",
            "ngx_log_writer_pt",
            "ngx_open_file_s",
            "ngx_log_s",
        ],
        ..header("log", "the logger")
    },
    Header {
        types: &["ngx_module_s"],
        ..header("module", "modules, whose hooks the host calls")
    },
    Header {
        types: &["ngx_pool_cleanup_pt", "ngx_pool_cleanup_s"],
        ..header("palloc", "memory that is freed all at once")
    },
    Header {
        and: &["src/host/call.rs"],
        tagged: false,
        exclude: &["ngx_os_signal_process"],
        ..header("process", "spawning processes, signals, the process table")
    },
    Header {
        and: &[
            "src/host/standalone/variables.rs",
            "src/host/standalone/master.rs",
            "src/host/standalone/single.rs",
        ],
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

/// The file with the structures of all headers.
const TYPES: &str = "src/host/standalone/types.rs";

/// What it declares; each is in the header that lists it in `types`.
const SHARED: &[&str] = &[
    "Block",
    "Timer",
    "ngx_cache_manager_ctx_s",
    "ngx_connection_handler_pt",
    "ngx_connection_s",
    "ngx_core_conf_s",
    "ngx_cycle_s",
    "ngx_event_s",
    "ngx_listening_s",
    "ngx_log_handler_pt",
    "ngx_log_s",
    "ngx_log_writer_pt",
    "ngx_module_s",
    "ngx_open_file_s",
    "ngx_pool_cleanup_pt",
    "ngx_pool_cleanup_s",
    "ngx_pool_s",
    "ngx_recv_pt",
    "ngx_send_pt",
];

impl Header {
    /// The whole header.
    pub fn render(&self) -> Result<String> {
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

    /// The Rust files that declare what is in the header.
    fn sources(&self) -> Vec<String> {
        let name = self.name;
        let own = [
            format!("src/abi/{name}.rs"),
            format!("src/host/standalone/{name}.rs"),
        ];

        self.and
            .iter()
            .map(|&source| source.to_owned())
            .chain(
                own.into_iter()
                    .filter(|path| fs::exists(path).unwrap_or(false)),
            )
            .chain([TYPES.to_owned()])
            .collect()
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
            .chain(SHARED.iter().filter(|name| !self.types.contains(name)))
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

        for source in self.sources() {
            builder = builder.with_src(source);
        }

        let mut text = Vec::new();

        builder.generate()?.write(&mut text);

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
