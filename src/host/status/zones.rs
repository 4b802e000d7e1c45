//! The zones of the program.

use nix::errno::Errno;

use super::escape::Escaped;
use super::metric::{Metric, head};
use super::numbers::{Number, OF_ZONE};
use super::printer::Print;
use crate::config::ngx_int_t;
#[cfg(not(feature = "standalone"))]
use crate::host::nginx::zones::each;
#[cfg(feature = "standalone")]
use crate::host::standalone::zones::each;
use crate::sys::heap;
use crate::zone::owner::pid_of;
use crate::zone::slab::pool::Pool;
use crate::zone::slab::usage::{ngx_slab_usage_t, usage};

/// A zone.
pub struct Zone {
    name: Vec<u8>,
    /// How much of its pool is in use. If the pool is damaged, all numbers but the size are 0.
    pub usage: ngx_slab_usage_t,
    /// The pid of the process that holds the lock; 0 if it is free.
    pub holder: ngx_int_t,
}

impl Zone {
    /// The name.
    pub fn name(&self) -> Escaped<'_> {
        Escaped(&self.name)
    }
}

/// Reads the zones. The locks are not taken, so a process that has stopped with a lock does not
/// stop this one, and the numbers can be of different moments. Returns ENOMEM if there is no
/// memory.
pub fn read() -> Result<Vec<Zone>, Errno> {
    let mut zones = Vec::new();
    let mut result = Ok(());

    each(&mut |name, words| {
        let mut read = || {
            let zone = Zone {
                name: heap::collect(name.iter().copied())?,
                usage: usage(&Pool::new(words)).unwrap_or(ngx_slab_usage_t {
                    size: words.size(),
                    ..Default::default()
                }),
                // The word of the lock is the first one of a zone.
                holder: words
                    .field(0)
                    .map_or(0, |word| pid_of(word as u64) as ngx_int_t),
            };

            heap::push(&mut zones, zone)
        };

        if result.is_ok() {
            result = read();
        }
    });

    result.map(|()| zones)
}

const LOCKED: Metric = Metric {
    name: "zone_lock_holder_pid",
    kind: "gauge",
    help: "Pid of the process that holds the lock of the zone; 0 if it is free.",
};

/// Prints the metrics, if the program has a zone.
pub fn print_metrics(zones: &[Zone], print: Print<'_>) {
    if zones.is_empty() {
        return;
    }

    for row in &OF_ZONE {
        let Number { get, .. } = row.number;

        print_metric(zones, print, &row.metric, |zone| get(&zone.usage));
    }

    print_metric(zones, print, &LOCKED, |zone| zone.holder);
}

fn print_metric(
    zones: &[Zone],
    print: Print<'_>,
    metric: &Metric,
    value: impl Fn(&Zone) -> ngx_int_t,
) {
    head(print, metric);

    for zone in zones {
        print(format_args!(
            "ngx_ipc_{}{{zone=\"{}\"}} {}",
            metric.name,
            zone.name(),
            value(zone)
        ));
    }
}
