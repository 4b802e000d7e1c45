//! Tests of the numbers of messages in the status.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use super::{json, nginx, number};
use crate::messages::{main_with, wait_for_handled};
use crate::nginx::{Nginx, Which, body};
use crate::support::build::root;
use crate::support::metrics::{assert_continued, assert_promtool_agrees, metrics};
use crate::support::{find, sys, wait_until};

const HTTP: &str = "limit_req_zone $arg_a zone=limit:64k rate=1r/s;
    server {
        listen 127.0.0.1:PORT;
        location / { messages; }
        location /text { ngx_ipc_status; }
        location /json { ngx_ipc_status json; }
        location /prometheus { ngx_ipc_status prometheus; }
    }";
/// The type of the module's messages.
const TYPE: &str = "messages_test";

/// An nginx with 3 workers whose module sends messages.
pub(super) fn with_messages(test: &str) -> Nginx {
    let main = main_with(
        Which::Ipc,
        &format!("load_module {};", Nginx::status_module().display()),
    );
    let nginx = Nginx::new(test, Which::Ipc, &main, HTTP);

    nginx.spawn(&[]);
    nginx.settled(3);
    nginx
}

/// The numbers of the type; `worker` is -2 for those of all processes.
fn of_type(status: &Value, worker: i64) -> Value {
    let messages = &status["messages"];
    let list = if worker == -2 {
        &messages["types"]
    } else {
        &messages["processes"]
    };

    list.as_array()
        .expect("an array")
        .iter()
        .find(|counts| {
            counts["type"] == TYPE
                && (worker == -2
                    || counts["role"] == "worker" && number(counts, "worker") == worker)
        })
        .cloned()
        .unwrap_or_default()
}

/// Makes each worker broadcast `n` messages to the two others.
pub(super) fn broadcast(nginx: &Nginx, n: usize) {
    for &worker in &nginx.workers() {
        let answer = nginx.get_from(worker, &format!("/?n={n}"));

        assert!(body(&answer).starts_with(&format!("sent:{} ", 2 * n)));
    }
}

/// Waits until so many messages were received. Returns the status.
pub(super) fn received(nginx: &Nginx, count: i64) -> Value {
    find("messages that were received", || {
        let status = json(nginx);
        let counts = of_type(&status, -2);

        (counts["sent"] == count && counts["received"] == count).then_some(status)
    })
}

#[test]
fn messages_are_counted() {
    let nginx = with_messages("status_messages");

    broadcast(&nginx, 100);

    let status = received(&nginx, 600);
    let all = of_type(&status, -2);

    for name in ["refused", "unknown", "lost", "waiting"] {
        assert_eq!(number(&all, name), 0, "{name}: {all}");
    }

    // Each worker measures the 1st and the 62nd broadcast, for both receivers.
    let times = all["times"].as_array().expect("an array");
    let sum: i64 = times.iter().filter_map(Value::as_i64).sum();

    assert_eq!(number(&all, "timed"), 12);
    assert_eq!((sum, times.len()), (12, 40));
    assert!(number(&all, "time") > 0);

    for worker in 0..3 {
        let counts = of_type(&status, worker);

        assert_eq!(
            (number(&counts, "sent"), number(&counts, "received")),
            (200, 200)
        );
    }

    // The senders publish the numbers of pairs about each second.
    wait_until("all pairs", || {
        let status = json(&nginx);
        let pairs = status["messages"]["pairs"].as_array().expect("an array");
        let is_complete = |pair: &Value| {
            assert_eq!(number(pair, "received"), 100, "{pair}");
            assert_ne!(pair["from"], pair["to"]);
            number(pair, "sent") == 100
        };

        pairs.len() == 6 && pairs.iter().all(is_complete)
    });

    nginx.quit(&[]);
}

/// The value of a metric of the type.
fn metric(values: &BTreeMap<String, f64>, name: &str, labels: &str) -> f64 {
    let name = format!("ngx_ipc_messages_{name}{{type=\"{TYPE}\"{labels}}}");

    *values.get(&name).unwrap_or_else(|| panic!("{name}"))
}

#[test]
fn formats_agree_about_messages() {
    let nginx = with_messages("status_messages_formats");

    broadcast(&nginx, 70);

    let status = received(&nginx, 420);
    let all = of_type(&status, -2);
    let text = nginx.get("/text");
    let page = nginx.get("/prometheus");
    let values = metrics(body(&page));

    assert_promtool_agrees(body(&page));

    for worker in 0..3 {
        let counts = of_type(&status, worker);
        let labels = format!(",role=\"worker\",worker=\"{worker}\"");

        for name in ["sent", "refused", "received", "unknown", "lost"] {
            let value = metric(&values, &format!("{name}_total"), &labels);

            assert_eq!(value as i64, number(&counts, name), "{name}");
        }

        let line = format!("\ntype:\"{TYPE}\" worker:{worker} sent:140 refused:0 received:140 ");
        assert!(body(&text).contains(&line), "{text}");
    }

    for name in ["waiting", "deepest"] {
        assert_eq!(metric(&values, name, "") as i64, number(&all, name));
    }

    assert!(body(&text).contains(&format!("\ntype:\"{TYPE}\" sent:420 refused:0 ")));
    assert!(body(&text).contains("\nfrom:0 to:1 sent:"));

    // The buckets grow, and the last one has all times.
    let mut before = 0.0;
    let mut buckets = 0;

    for k in 10..=34 {
        let nanoseconds = 1_u64 << k;
        let le = format!(
            ",le=\"{}.{:09}\"",
            nanoseconds / 1_000_000_000,
            nanoseconds % 1_000_000_000
        );
        let bucket = metric(&values, "latency_seconds_bucket", &le);

        assert!(bucket >= before);
        before = bucket;
        buckets += 1;
    }

    let timed = number(&all, "timed") as f64;
    let seconds = number(&all, "time") as f64 / 1e9;

    assert_eq!(buckets, 25);
    assert!(before <= timed);
    assert_eq!(
        metric(&values, "latency_seconds_bucket", ",le=\"+Inf\""),
        timed
    );
    assert_eq!(metric(&values, "latency_seconds_count", ""), timed);
    assert!((metric(&values, "latency_seconds_sum", "") - seconds).abs() < 1e-9);

    nginx.quit(&[]);
}

/// The series of messages.
fn series(nginx: &Nginx) -> BTreeMap<String, f64> {
    let mut values = metrics(body(&nginx.get("/prometheus")));

    values.retain(|name, _| {
        name.starts_with("ngx_ipc_messages_") || name.starts_with("ngx_ipc_process_messages_")
    });
    values
}

/// docs/modules.md has a row for each metric, with its type and the labels of its
/// series.
#[test]
fn the_guide_lists_the_metrics() {
    let nginx = with_messages("status_messages_guide");

    broadcast(&nginx, 1);
    received(&nginx, 6);

    let answer = nginx.get("/prometheus");
    let text = body(&answer);
    let names_of_labels = |metric: &str| {
        let series = text
            .lines()
            .find(|line| {
                line.starts_with(&format!("{metric}{{"))
                    || line.starts_with(&format!("{metric}_bucket{{"))
            })
            .unwrap_or_default();
        let labels = series.split(['{', ',']).skip(1);

        labels
            .filter_map(|label| Some(format!("`{}`", label.split_once('=')?.0)))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut shown: Vec<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .filter_map(|line| line.split_once(' '))
        .map(|(name, kind)| format!("| `{name}` | {kind} | {} |", names_of_labels(name)))
        .map(|row| row.replace("|  |", "| |"))
        .collect();
    let guide = fs::read_to_string(root().join("docs/modules.md")).unwrap();
    let mut listed: Vec<String> = guide
        .lines()
        .filter(|line| line.starts_with("| `ngx_ipc_"))
        .filter_map(|line| Some(format!("{}|", line.rsplit_once('|')?.0.rsplit_once('|')?.0)))
        .collect();

    shown.sort();
    listed.sort();
    assert_eq!(listed, shown);
    nginx.quit(&[]);
}

/// After a reload the workers have other slots. No counter of the metrics decreases,
/// and no series of a counter begins or ends.
#[test]
fn counters_continue_over_reloads_and_kills() {
    let nginx = with_messages("status_messages_reload");
    // While a killed worker is replaced, its gauges are missing for a moment.
    let counters = || {
        let mut values = series(&nginx);

        wait_until("the gauges of three workers", || {
            values = series(&nginx);
            ["waiting", "deepest"].iter().all(|name| {
                let name = format!("ngx_ipc_process_messages_{name}");

                values.keys().filter(|key| key.starts_with(&name)).count() == 3
            })
        });
        values
    };

    broadcast(&nginx, 10);
    received(&nginx, 60);

    let mut before = counters();
    let all = || metrics(body(&nginx.get("/prometheus")));
    let mut all_before = all();

    for round in 2..=5 {
        let workers = nginx.workers();

        if round == 3 {
            sys::kill(*workers.first().expect("a worker"), libc::SIGKILL);
        } else {
            nginx.signal(libc::SIGHUP);
        }

        wait_until("other workers", || {
            let after = counters();
            let all_after = all();
            let now = nginx.workers();

            for (name, value) in &before {
                let is_gauge = ["waiting{", "messages_deepest{"]
                    .iter()
                    .any(|gauge| name.contains(gauge));

                assert!(
                    is_gauge || after.get(name) >= Some(value),
                    "{name} {value} {after:?}"
                );
            }

            assert!(after.keys().eq(before.keys()), "{after:?} {before:?}");
            before = after;
            assert_continued(&all_before, &all_after);
            all_before = all_after;

            let kept = now.intersection(&workers).count();

            now.len() == 3 && kept == if round == 3 { 2 } else { 0 }
        });

        nginx.settled(3);
        broadcast(&nginx, 10);
        received(&nginx, round * 60);

        let status = json(&nginx);

        for worker in 0..3 {
            assert_eq!(number(&of_type(&status, worker), "sent"), 20 * round);
        }
    }

    nginx.quit(&["exited on signal 9"]);
}

/// Messages wait for workers that are stopped.
#[test]
fn stopped_workers_are_seen() {
    let nginx = with_messages("status_messages_stopped");
    let workers = nginx.workers();
    let sender = *workers.first().expect("a worker");

    nginx.with_only(sender, || {
        assert!(body(&nginx.get("/?n=50")).starts_with("sent:100 "));

        wait_until("messages that wait", || {
            let counts = of_type(&json(&nginx), -2);

            number(&counts, "waiting") == 100 && number(&counts, "deepest") == 100
        });

        // 50 messages wait for each stopped worker. The sender publishes the numbers of
        // pairs about each second.
        wait_until("messages that wait for each worker", || {
            let all = series(&nginx);
            let waits = |(name, value): &(&String, &f64)| {
                name.starts_with("ngx_ipc_process_messages_waiting{") && **value == 50.0
            };

            all.iter().filter(waits).count() == 2
        });
    });

    for &stopped in workers.range(sender + 1..) {
        wait_for_handled(&nginx, stopped, 50);
    }

    assert_eq!(number(&of_type(&json(&nginx), -2), "waiting"), 0);
    nginx.quit(&[]);
}

/// An nginx without messages has empty lists and no metrics of them.
#[test]
fn an_nginx_without_messages() {
    let nginx = nginx("status_no_messages");
    let messages = &json(&nginx)["messages"];

    for list in ["types", "processes", "pairs"] {
        assert_eq!(messages[list].as_array().map(Vec::len), Some(0), "{list}");
    }

    assert_eq!(series(&nginx), BTreeMap::new());
    assert!(!nginx.get("/text").contains("type:"));
    nginx.quit(&[]);
}
