//! A metric of Prometheus, and the lines before its values.

use super::printer::Print;
use crate::config::ngx_int_t;

/// A metric of Prometheus.
pub struct Metric {
    /// The name behind "ngx_ipc_".
    pub name: &'static str,
    /// The type of the metric.
    pub kind: &'static str,
    /// The text that explains the metric.
    pub help: &'static str,
}

/// Prints the two lines before the values of a metric.
pub fn head(print: Print<'_>, metric: &Metric) {
    let Metric { name, kind, help } = metric;

    print(format_args!("# HELP ngx_ipc_{name} {help}"));
    print(format_args!("# TYPE ngx_ipc_{name} {kind}"));
}

/// The greatest of some numbers; 0 if there is none.
pub fn greatest(numbers: impl Iterator<Item = ngx_int_t>) -> ngx_int_t {
    numbers.max().unwrap_or_default()
}
