//! The metrics of messages.

use std::fmt;

use super::escape::EscapedArray;
use super::messages::of_some;
use super::metric::{Metric, greatest, head};
use super::numbers::{OF_SOME, OF_TYPE};
use super::page::{Page, Process};
use super::printer::Print;
use crate::config::ngx_int_t;
use crate::host::introspect::{ngx_ipc_process_t, role};
use crate::host::messages::counts::ngx_ipc_message_counts_t;
use crate::host::messages::statistics;

/// The buckets of Prometheus are the times less than 2^10 ns, 2^11 ns and so on to
/// 2^34 ns, which are 17 seconds.
const BUCKETS: std::ops::RangeInclusive<usize> = 10..=34;

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// Prints nanoseconds as seconds. The number has 64 bits on each machine, because the
/// largest bucket needs more than 32.
struct Seconds(u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}", self.0 / SECOND, self.0 % SECOND)
    }
}

const LATENCY: Metric = Metric {
    name: "messages_latency_seconds",
    kind: "histogram",
    help: "Measured times from the function that sends to the handler.",
};

const WAITING: Metric = Metric {
    name: "process_messages_waiting",
    kind: "gauge",
    help: "Messages that wait for the processes.",
};

const DEEPEST: Metric = Metric {
    name: "process_messages_deepest",
    kind: "gauge",
    help: "The most messages of one sender that waited for one of them.",
};

/// Prints the metrics, if the program has a type of messages.
pub fn print(page: &Page<'_>, print: Print<'_>) {
    if statistics::types().next().is_none() {
        return;
    }

    print_receivers(page, print, &WAITING, |values| {
        values
            .map(|process| process.messages_waiting.cast_signed())
            .sum()
    });
    print_receivers(page, print, &DEEPEST, |values| {
        greatest(values.map(|process| process.messages_deepest.cast_signed()))
    });

    for measured in &OF_SOME {
        let name = measured.metric.name;

        head(print, &measured.metric);
        of_some(&mut |role, counts| {
            print(format_args!(
                "ngx_ipc_{name}{{type=\"{}\",role=\"{role}\",worker=\"{}\"}} {}",
                EscapedArray(&counts.name),
                counts.worker,
                (measured.number.get)(counts)
            ));
        });
    }

    for measured in &OF_TYPE {
        head(print, &measured.metric);

        for counts in statistics::types() {
            print(format_args!(
                "ngx_ipc_{}{{type=\"{}\"}} {}",
                measured.metric.name,
                EscapedArray(&counts.name),
                (measured.number.get)(&counts)
            ));
        }
    }

    head(print, &LATENCY);

    for counts in statistics::types() {
        print_histogram(print, &counts);
    }
}

/// Prints a metric of the processes with the same role and number.
fn print_receivers(
    page: &Page<'_>,
    print: Print<'_>,
    metric: &Metric,
    value: impl Fn(&mut dyn Iterator<Item = &ngx_ipc_process_t>) -> ngx_int_t,
) {
    let identity = |process: &Process| (process.data.role, process.data.worker);

    head(print, metric);

    for (i, process) in page.processes.iter().enumerate() {
        let is_same = |other: &&Process| identity(other) == identity(process);

        if page.processes.iter().take(i).any(|other| is_same(&other)) {
            continue;
        }

        let mut same = page
            .processes
            .iter()
            .filter(is_same)
            .map(|other| &other.data);

        print(format_args!(
            "ngx_ipc_{}{{role=\"{}\",worker=\"{}\"}} {}",
            metric.name,
            role(&process.data),
            process.data.worker,
            value(&mut same)
        ));
    }
}

/// Prints the lines of the histogram of a type. Prometheus adds the buckets up.
fn print_histogram(print: Print<'_>, counts: &ngx_ipc_message_counts_t) {
    let name = LATENCY.name;
    let of = EscapedArray(&counts.name);
    let mut sum = 0;

    for (k, n) in counts.times.iter().enumerate().take(BUCKETS.end() + 1) {
        sum += n;

        if BUCKETS.contains(&k) {
            print(format_args!(
                "ngx_ipc_{name}_bucket{{type=\"{of}\",le=\"{}\"}} {sum}",
                Seconds(1 << k)
            ));
        }
    }

    print(format_args!(
        "ngx_ipc_{name}_bucket{{type=\"{of}\",le=\"+Inf\"}} {}",
        counts.timed
    ));
    print(format_args!(
        "ngx_ipc_{name}_sum{{type=\"{of}\"}} {}",
        Seconds(counts.time as u64)
    ));
    print(format_args!(
        "ngx_ipc_{name}_count{{type=\"{of}\"}} {}",
        counts.timed
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_bucket_is_printed_in_full() {
        assert_eq!(Seconds(1 << BUCKETS.start()).to_string(), "0.000001024");
        assert_eq!(Seconds(1 << BUCKETS.end()).to_string(), "17.179869184");
    }
}
