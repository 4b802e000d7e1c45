//! Part of build.rs: lists the headers that build.rs generates, each with the
//! files from which it is generated.

/// A generated header, `ngx_NAME.h`. The declarations come from
/// `src/abi/NAME.rs` or, if there is no such file, from
/// `src/host/standalone/NAME.rs`. The file `include/generator/NAME.h`, if there
/// is one, has the part that is written by hand.
pub struct Header {
    pub name: &'static str,
    /// The subject of the header, for its first comment.
    pub title: &'static str,
    /// More Rust files whose functions, types and constants the header
    /// declares.
    pub and: &'static [&'static str],
    /// The headers that this header includes.
    pub includes: &'static [&'static str],
    /// Whether a header that `ngx_core.h` includes needs the structures of this
    /// header, and not only pointers to them. Then `ngx_core.h` is included before
    /// the guard, so that it includes this header at its place.
    pub complete: bool,
    /// Whether the header defines structures as `struct NAME`, because
    /// `ngx_core.h` has the typedef.
    pub tagged: bool,
    /// Whether the declarations need types of the part that is written by hand. Then this
    /// part is the first.
    pub needs_by_hand: bool,
    /// Types that the header declares although no function of the header uses
    /// them.
    pub types: &'static [&'static str],
    /// Items of the Rust files that the header does not declare, because
    /// another header declares them or they are not for C.
    pub exclude: &'static [&'static str],
}

const BASIC: &[&str] = &["ngx_config.h", "ngx_core.h"];

const fn header(name: &'static str, title: &'static str) -> Header {
    Header {
        name,
        title,
        and: &[],
        includes: BASIC,
        complete: false,
        tagged: true,
        needs_by_hand: false,
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
            "ngx_shmem.h",
        ],
        and: &["src/host/standalone/debug_point.rs", "src/host/shm_zone.rs"],
        types: &["ngx_core_conf_s", "ngx_cycle_s", "ngx_shm_zone_s"],
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
            "src/host/program.rs",
            "src/host/status/mod.rs",
            "src/host/status/own.rs",
            "src/host/status/printer.rs",
            "src/host/standalone/worker.rs",
        ],
        includes: &["ngx_config.h", "ngx_core.h", "ngx_event.h", "ngx_channel.h"],
        tagged: false,
        ..header("ipc", "functions that nginx does not have")
    },
    Header {
        and: &["src/zone/counters.rs"],
        tagged: false,
        ..header("ipc_counters", "counters to which many processes add")
    },
    Header {
        and: &[
            "src/abi/ipc_message_fds.rs",
            "src/abi/ipc_message_place.rs",
            "src/abi/message_counts.rs",
            "src/host/messages/types.rs",
            "src/host/messages/counts.rs",
        ],
        includes: &["ngx_config.h", "ngx_core.h"],
        tagged: false,
        types: &["ngx_ipc_gap_t"],
        ..header("ipc_message", "messages between processes")
    },
    Header {
        and: &[
            "src/abi/ipc_zone_give.rs",
            "src/abi/ipc_zone_structures.rs",
            "src/abi/ipc_zone_tree.rs",
            "src/host/standalone/given_zones.rs",
            "src/host/zone_structures.rs",
            "src/host/zone_type.rs",
        ],
        tagged: false,
        ..header("ipc_zone", "typed zones and transactions")
    },
    Header {
        types: &[
            "ngx_log_handler_pt",
            "ngx_log_writer_pt",
            "ngx_open_file_s",
            "ngx_log_s",
        ],
        complete: true,
        ..header("log", "logs and log lines")
    },
    Header {
        types: &["ngx_module_s"],
        ..header("module", "modules and their hooks")
    },
    Header {
        and: &["src/host/standalone/palloc.rs"],
        types: &["ngx_pool_s", "ngx_pool_cleanup_pt", "ngx_pool_cleanup_s"],
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
    header("rwlock", "locks of processes that read or write"),
    header("setproctitle", "process titles"),
    Header {
        and: &["src/host/shmem.rs"],
        complete: true,
        tagged: false,
        ..header("shmem", "shared memory")
    },
    Header {
        complete: true,
        needs_by_hand: true,
        ..header("shmtx", "locks in shared memory")
    },
    Header {
        and: &["src/host/slab_evict.rs", "src/zone/slab/usage.rs"],
        tagged: false,
        needs_by_hand: true,
        ..header("slab", "pools: allocates pieces of a zone")
    },
    Header {
        tagged: false,
        types: &["ngx_time_t"],
        ..header("times", "the cached time")
    },
];
