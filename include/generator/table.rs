//! Part of build.rs: which headers there are, and what each is generated from.

/// `ngx_NAME.h`. It is generated from `src/abi/NAME.rs`, or else from
/// `src/host/standalone/NAME.rs`, and from what is written by hand in
/// `include/generator/NAME.h`, as far as there are such files.
pub struct Header {
    pub name: &'static str,
    /// For the header's first comment.
    pub title: &'static str,
    /// More Rust files whose functions, types and constants it declares.
    pub and: &'static [&'static str],
    /// The headers that it includes.
    pub includes: &'static [&'static str],
    /// Whether it defines `struct NAME`, since `ngx_core.h` has the typedef.
    pub tagged: bool,
    /// Types that cbindgen must export, although no function here names them.
    pub types: &'static [&'static str],
    /// Items of the Rust files that C does not know, or has in another header.
    pub exclude: &'static [&'static str],
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

/// All headers that are generated.
pub const HEADERS: &[Header] = &[
    Header {
        and: &["src/channel/message.rs"],
        includes: &["ngx_config.h", "ngx_core.h", "ngx_event.h"],
        tagged: false,
        ..header("channel", "channels: messages between processes")
    },
    Header {
        and: &["src/host/standalone/listening.rs"],
        types: &[
            "ngx_recv_pt",
            "ngx_send_pt",
            "ngx_connection_handler_pt",
            "ngx_listening_s",
        ],
        ..header("connection", "connections and listening sockets")
    },
    Header {
        includes: &[
            "ngx_config.h",
            "ngx_core.h",
            "ngx_log.h",
            "ngx_process_cycle.h",
        ],
        and: &["src/host/standalone/debug_point.rs"],
        types: &["ngx_core_conf_s", "ngx_cycle_s"],
        ..header("cycle", "the configuration and the state of a program")
    },
    header("errno", "error numbers and their texts"),
    Header {
        includes: &["ngx_config.h", "ngx_core.h", "ngx_event_timer.h"],
        ..header("event", "the event loop")
    },
    header("event_timer", "timers"),
    Header {
        and: &[
            "src/channel/command.rs",
            "src/table/state.rs",
            "src/abi/introspect.rs",
            "src/host/introspect.rs",
        ],
        includes: &["ngx_config.h", "ngx_core.h", "ngx_event.h", "ngx_channel.h"],
        tagged: false,
        ..header("ipc", "functions that nginx does not have")
    },
    Header {
        types: &[
            "ngx_log_handler_pt",
            "ngx_log_writer_pt",
            "ngx_open_file_s",
            "ngx_log_s",
        ],
        ..header("log", "logs and log lines")
    },
    Header {
        types: &["ngx_module_s"],
        ..header("module", "modules and their hooks")
    },
    Header {
        and: &["src/host/standalone/palloc.rs"],
        types: &["ngx_pool_cleanup_pt", "ngx_pool_cleanup_s"],
        ..header("palloc", "memory pools")
    },
    Header {
        and: &[
            "src/table/slot.rs",
            "src/process/mode.rs",
            "src/host/call.rs",
        ],
        tagged: false,
        exclude: &["ngx_os_signal_process"],
        ..header("process", "spawning processes, signals, the process table")
    },
    Header {
        and: &["src/channel/command.rs", "src/table/role.rs"],
        types: &["ngx_cache_manager_ctx_s"],
        ..header(
            "process_cycle",
            "commands, roles, and the flags that signals set",
        )
    },
    header("setproctitle", "process titles"),
    Header {
        tagged: false,
        ..header("shmem", "shared memory")
    },
    Header {
        tagged: false,
        types: &["ngx_time_t"],
        ..header("times", "the cached time")
    },
];
