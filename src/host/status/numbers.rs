//! The numbers of the page. A row is a number in all formats.

use std::borrow::Borrow;
use std::fmt;

use super::listed::is_partial;
use super::metric::Metric;
use crate::config::ngx_int_t;
use crate::host::introspect::ngx_ipc_process_t;
use crate::host::messages::counts::{ngx_ipc_message_counts_t, ngx_ipc_message_pair_t};
use crate::host::messages::statistics::Room;
use crate::host::program::ngx_ipc_program_t;
use crate::zone::slab::usage::ngx_slab_usage_t;

/// A number of a `T`.
pub struct Number<T: 'static> {
    /// The name in text and JSON, which is that of the field in C.
    pub name: &'static str,
    /// Reads the number.
    pub get: fn(&T) -> ngx_int_t,
}

/// How numbers are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// ` name:value`
    Text,
    /// `,"name":value`
    Json,
}

/// Writes numbers of a `T`, one behind the other.
pub struct Numbers<'a, T: 'static, N>(pub Style, pub &'a [N], pub &'a T);

impl<T, N: Borrow<Number<T>>> fmt::Display for Numbers<'_, T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(style, numbers, of) = self;

        for number in *numbers {
            let Number { name, get } = number.borrow();
            let value = get(of);

            match style {
                Style::Text => write!(f, " {name}:{value}")?,
                Style::Json => write!(f, ",\"{name}\":{value}")?,
            }
        }

        Ok(())
    }
}

/// A number of messages that is in text and JSON, and also a metric.
pub struct Measured {
    /// The number.
    pub number: Number<ngx_ipc_message_counts_t>,
    /// The metric.
    pub metric: Metric,
}

/// A number of a zone that is in text and JSON, and also a metric.
pub struct OfZone {
    /// The number.
    pub number: Number<ngx_slab_usage_t>,
    /// The metric.
    pub metric: Metric,
}

impl Borrow<Number<ngx_slab_usage_t>> for OfZone {
    fn borrow(&self) -> &Number<ngx_slab_usage_t> {
        &self.number
    }
}

macro_rules! numbers {
    ($of:ty: $($field:ident),+ $(,)?) => {
        [$(number!($of, $field)),+]
    };
}

macro_rules! number {
    ($of:ty, $field:ident) => {
        Number {
            name: stringify!($field),
            get: |of: &$of| of.$field as ngx_int_t,
        }
    };
}

macro_rules! measured {
    ($field:ident, $name:literal, $kind:literal, $help:literal) => {
        Measured {
            number: number!(ngx_ipc_message_counts_t, $field),
            metric: Metric {
                name: $name,
                kind: $kind,
                help: $help,
            },
        }
    };
}

/// The numbers of the program and its master.
static OF_PROGRAM: [Number<ngx_ipc_program_t>; 6] = numbers![ngx_ipc_program_t:
    master, started, uptime, cpu_user, cpu_system, rss,
];

/// The numbers of [`OF_PROGRAM`] that are known if the master counts nothing.
static OF_PART_OF_PROGRAM: [Number<ngx_ipc_program_t>; 4] = numbers![ngx_ipc_program_t:
    master, cpu_user, cpu_system, rss,
];

/// The numbers of a process that are known if the master counts nothing.
static OF_PART_OF_PROCESS: [Number<ngx_ipc_process_t>; 3] = numbers![ngx_ipc_process_t:
    cpu_user, cpu_system, rss,
];

/// The numbers of a process.
static OF_PROCESS: [Number<ngx_ipc_process_t>; 9] = numbers![ngx_ipc_process_t:
    started, respawns, cpu_user, cpu_system, rss, sent, queued, queued_max, dropped,
];

/// The numbers of the program that are known.
pub fn of_program() -> &'static [Number<ngx_ipc_program_t>] {
    if is_partial() {
        &OF_PART_OF_PROGRAM
    } else {
        &OF_PROGRAM
    }
}

/// The numbers of a process that are known.
pub fn of_process() -> &'static [Number<ngx_ipc_process_t>] {
    if is_partial() {
        &OF_PART_OF_PROCESS
    } else {
        &OF_PROCESS
    }
}

/// The numbers of a process about its messages.
pub const OF_MESSAGES: [Number<ngx_ipc_process_t>; 7] = numbers![ngx_ipc_process_t:
    messages_sent, messages_refused, messages_received, messages_waiting, messages_deepest,
    messages_lost, messages_unknown,
];

/// The numbers of the memory for the messages of a process.
pub const OF_ROOM: [Number<Room>; 2] = numbers![Room: messages_size, messages_used];

/// The numbers of a type of messages that some processes have counted.
pub const OF_SOME: [Measured; 5] = [
    measured!(
        sent,
        "messages_sent_total",
        "counter",
        "Messages of the type that the processes have sent."
    ),
    measured!(
        refused,
        "messages_refused_total",
        "counter",
        "Messages that they could not send, because a receiver was full."
    ),
    measured!(
        received,
        "messages_received_total",
        "counter",
        "Messages that they have received."
    ),
    measured!(
        unknown,
        "messages_unknown_total",
        "counter",
        "Messages that they have dropped, because they had no handler."
    ),
    measured!(
        lost,
        "messages_lost_total",
        "counter",
        "Messages to them that were lost."
    ),
];

/// The numbers of a type of messages that are not of some processes only.
pub const OF_TYPE: [Measured; 2] = [
    measured!(
        waiting,
        "messages_waiting",
        "gauge",
        "Messages of the type that wait."
    ),
    measured!(
        deepest,
        "messages_deepest",
        "gauge",
        "The most messages of the type that waited at one time."
    ),
];

macro_rules! of_zone {
    ($field:ident, $name:literal, $help:literal) => {
        OfZone {
            number: number!(ngx_slab_usage_t, $field),
            metric: Metric {
                name: $name,
                kind: "gauge",
                help: $help,
            },
        }
    };
}

/// The numbers of a zone.
pub const OF_ZONE: [OfZone; 8] = [
    of_zone!(size, "zone_size_bytes", "Size of the zone."),
    of_zone!(pages, "zone_pages", "Pages of the zone."),
    of_zone!(free, "zone_free_pages", "Free pages of the zone."),
    of_zone!(
        runs,
        "zone_free_runs",
        "Runs that the free pages of the zone form."
    ),
    of_zone!(
        longest,
        "zone_longest_free_run_pages",
        "Pages of the longest free run of the zone."
    ),
    of_zone!(
        fragmentation,
        "zone_fragmentation_percent",
        "Share of the free pages that are not in the longest free run."
    ),
    of_zone!(
        chunks,
        "zone_chunks_bytes",
        "Size of all chunks of the zone."
    ),
    of_zone!(
        used,
        "zone_used_chunks_bytes",
        "Size of the chunks of the zone that are in use."
    ),
];

/// The times of a type of messages.
pub const OF_TIMES: [Number<ngx_ipc_message_counts_t>; 2] =
    numbers![ngx_ipc_message_counts_t: timed, time];

/// The numbers of a pair of processes.
pub const OF_PAIR: [Number<ngx_ipc_message_pair_t>; 6] = numbers![ngx_ipc_message_pair_t:
    sent, refused, received, waiting, deepest, lost,
];
