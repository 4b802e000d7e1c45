//! The page as metrics of Prometheus.
//!
//! No label changes at a reload, so no series begins anew: a process is known by its
//! role, its number and its name, not by its slot, its pid or its generation.

use std::fmt;

use super::escape::{EscapedText, Help};
use super::listed::is_partial;
use super::metric::{Metric, greatest, head};
use super::metrics_messages;
use super::page::{Page, places};
use super::printer::Print;
use super::zones;
use crate::config::ngx_int_t;
use crate::host::introspect::{self, ngx_ipc_process_t};
use crate::table::places::{Counter, Place};
use crate::table::role::Role;

/// The name of the master in a label.
const MASTER: &str = "role=\"master\",worker=\"-1\",name=\"master process\"";

const INFO: Metric = Metric {
    name: "program_info",
    kind: "gauge",
    help: "1; the labels are the versions of the program and of the library.",
};

const START: Metric = Metric {
    name: "start_time_seconds",
    kind: "gauge",
    help: "Time at which the program was started, in seconds since 1970.",
};

const PROCESSES: Metric = Metric {
    name: "processes",
    kind: "gauge",
    help: "Processes beside the master, by role and state.",
};

const CPU: Metric = Metric {
    name: "process_cpu_seconds_total",
    kind: "counter",
    help: "Processor time of the process and of its predecessors.",
};

const RSS: Metric = Metric {
    name: "process_resident_memory_bytes",
    kind: "gauge",
    help: "Resident memory. Memory that processes share is counted in each.",
};

const PROCESS_START: Metric = Metric {
    name: "process_start_time_seconds",
    kind: "gauge",
    help: "Time of the last start of the process, in seconds since 1970.",
};

const QUEUED_MAX: Metric = Metric {
    name: "control_messages_queued_max",
    kind: "gauge",
    help: "The most control messages that its queue has held at one time.",
};

/// The counters of places.
const COUNTERS: [(Counter, Metric); 4] = [
    (
        Counter::Respawns,
        Metric {
            name: "respawns_total",
            kind: "counter",
            help: "How often the process was started again.",
        },
    ),
    (
        Counter::Sent,
        Metric {
            name: "control_messages_sent_total",
            kind: "counter",
            help: "Control messages that the master has sent through its channel.",
        },
    ),
    (
        Counter::Queued,
        Metric {
            name: "control_messages_queued_total",
            kind: "counter",
            help: "Control messages that were queued because its channel was full.",
        },
    ),
    (
        Counter::Dropped,
        Metric {
            name: "control_messages_dropped_total",
            kind: "counter",
            help: "Control messages that were dropped because it had exited.",
        },
    ),
];

/// Prints the page.
pub fn print(page: &Page<'_>, print: Print<'_>) {
    print_info(page, print);
    print_processes(page, print);

    if !is_partial() {
        print_counted(page, print);
    }

    print_own(page, print);
    zones::print_metrics(&page.zones, print);
    metrics_messages::print(page, print);
}

/// Prints the metrics of what the master counts.
fn print_counted(page: &Page<'_>, print: Print<'_>) {
    head(print, &START);
    print(format_args!(
        "ngx_ipc_{} {}",
        START.name, page.program.started
    ));
    print_cpu(page, print);
    print_gauge(page, print, &RSS, Some(page.program.rss), |values| {
        values.map(|process| process.rss.max(0)).sum()
    });
    print_gauge(page, print, &PROCESS_START, None, |values| {
        greatest(values.map(|process| process.started as ngx_int_t))
    });

    for (counter, metric) in &COUNTERS {
        head(print, metric);

        for (_, place) in places() {
            print(format_args!(
                "ngx_ipc_{}{{{}}} {}",
                metric.name,
                Labels(place),
                place.get(*counter)
            ));
        }
    }

    print_gauge(page, print, &QUEUED_MAX, None, |values| {
        greatest(values.map(|process| process.queued_max.cast_signed()))
    });
}

/// The labels of a place.
struct Labels(&'static Place);

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(place) = self;
        let role = match place.role() {
            Role::Worker => "worker",
            Role::Helper => "helper",
            Role::Other => "other",
        };

        write!(
            f,
            "role=\"{role}\",worker=\"{}\",name=\"{}\"",
            place.worker(),
            EscapedText(introspect::name_of(place))
        )
    }
}

fn print_info(page: &Page<'_>, print: Print<'_>) {
    let program = &page.program;

    head(print, &INFO);
    print(format_args!(
        "ngx_ipc_{}{{version=\"{}\",library=\"{}\"}} 1",
        INFO.name,
        EscapedText(program.version()),
        EscapedText(program.library()),
    ));
}

fn print_processes(page: &Page<'_>, print: Print<'_>) {
    head(print, &PROCESSES);

    for role in ["worker", "helper", "other"] {
        for state in ["running", "exiting", "waiting"] {
            let is_counted = |process: &ngx_ipc_process_t| {
                introspect::role(process) == role && introspect::state(process) == state
            };
            let processes = page.processes.iter().map(|process| &process.data);

            print(format_args!(
                "ngx_ipc_{}{{role=\"{role}\",state=\"{state}\"}} {}",
                PROCESSES.name,
                processes.filter(|process| is_counted(process)).count()
            ));
        }
    }
}

fn print_cpu(page: &Page<'_>, print: Print<'_>) {
    let program = &page.program;
    let line = |labels: fmt::Arguments<'_>, mode: &str, milliseconds: usize| {
        print(format_args!(
            "ngx_ipc_{}{{{labels},mode=\"{mode}\"}} {}.{:03}",
            CPU.name,
            milliseconds / 1000,
            milliseconds % 1000
        ));
    };
    let known = |number: ngx_int_t| number.max(0).unsigned_abs();

    head(print, &CPU);
    line(format_args!("{MASTER}"), "user", known(program.cpu_user));
    line(
        format_args!("{MASTER}"),
        "system",
        known(program.cpu_system),
    );

    for (place, cpu) in &page.cpu {
        let labels = Labels(place);

        line(format_args!("{labels}"), "user", cpu.user);
        line(format_args!("{labels}"), "system", cpu.system);
    }
}

/// Prints a metric of the processes that have a place now, and its value for the
/// master, if it has one.
fn print_gauge(
    page: &Page<'_>,
    print: Print<'_>,
    metric: &Metric,
    of_master: Option<ngx_int_t>,
    value: impl Fn(&mut dyn Iterator<Item = &ngx_ipc_process_t>) -> ngx_int_t,
) {
    head(print, metric);

    if let Some(value) = of_master {
        print(format_args!(
            "ngx_ipc_{}{{{MASTER}}} {}",
            metric.name,
            value.max(0)
        ));
    }

    for (index, place) in places() {
        if page.at(index).next().is_some() {
            print(format_args!(
                "ngx_ipc_{}{{{}}} {}",
                metric.name,
                Labels(place),
                value(&mut page.at(index))
            ));
        }
    }
}

fn print_own(page: &Page<'_>, print: Print<'_>) {
    for metric in page.own.metrics() {
        let name = metric.name;

        print(format_args!("# HELP {name} {}", Help(metric.help)));
        print(format_args!("# TYPE {name} {}", metric.kind()));
        print(format_args!("{name} {}", metric.value));
    }
}
