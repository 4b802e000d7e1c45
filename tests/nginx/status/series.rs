//! Tests of the series of the metrics, which must not become more at each reload.

use std::collections::BTreeSet;

use super::messages::{broadcast, received, with_messages};
use super::{json, number, workers};
use crate::nginx::{Nginx, body, times};
use crate::support::metrics::{assert_promtool_agrees, metrics};
use crate::support::wait_until;

/// The names of all series, with their labels.
fn series(nginx: &Nginx) -> BTreeSet<String> {
    metrics(body(&nginx.get("/prometheus")))
        .into_keys()
        .collect()
}

/// Each generation of workers sends and receives messages. Whatever the number of reloads,
/// the series are those of the first generation.
#[test]
fn reloads_add_no_series() {
    let nginx = with_messages("status_series");

    broadcast(&nginx, 1);
    received(&nginx, 6);

    let first = series(&nginx);

    for round in 1..=times(100, 20) as i64 {
        nginx.signal(libc::SIGHUP);
        wait_until("three workers of the next generation", || {
            let status = json(&nginx);
            let all = workers(&status);

            assert!(series(&nginx).is_subset(&first), "{:?}", series(&nginx));
            status["processes"].as_array().map(Vec::len) == Some(3)
                && all.len() == 3
                && all
                    .values()
                    .all(|worker| number(worker, "generation") == round + 1)
        });
        nginx.settled(3);
        broadcast(&nginx, 1);
        received(&nginx, 6 * (round + 1));
        assert_eq!(series(&nginx), first, "reload {round}");
    }

    assert_promtool_agrees(body(&nginx.get("/prometheus")));
    nginx.quit(&[]);
}
