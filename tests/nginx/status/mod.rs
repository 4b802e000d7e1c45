//! Tests of the status module, `ipc_status`, in a real nginx.

mod counters;
mod formats;
mod listing;
mod messages;
mod page;
mod series;
mod zones;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::nginx::{Nginx, Which, body};
use crate::support::wait_until;

const HTTP: &str = "proxy_cache_path cache keys_zone=cache:1m;
    server {
        listen 127.0.0.1:PORT;
        location / { return 200 hello; }
        location /text { ipc_status; }
        location /json { ipc_status json; }
        location /prometheus { ipc_status prometheus; }
    }";

/// A running nginx with three workers and a cache manager. The cache loader
/// begins its work a minute later.
fn nginx(test: &str) -> Nginx {
    let main = format!(
        "worker_processes 3; load_module {};",
        Nginx::status_module().display()
    );
    let nginx = Nginx::new(test, Which::Ipc, &main, HTTP);

    nginx.spawn(&[]);
    nginx.wait_for_workers(3);
    // A helper sets its own role after it was started, so the test waits for
    // it.
    wait_until("five processes that have begun", || {
        let status = json(&nginx);
        let all = processes(&status);

        all.len() == 5 && all.iter().all(|process| process["role"] != "other")
    });

    nginx
}

fn json(nginx: &Nginx) -> Value {
    let answer = nginx.get("/json");

    serde_json::from_str(body(&answer)).unwrap_or_else(|err| panic!("{err}: {answer}"))
}

fn processes(status: &Value) -> &[Value] {
    status["processes"].as_array().expect("an array")
}

fn number(value: &Value, name: &str) -> i64 {
    value[name].as_i64().unwrap_or_else(|| panic!("{name}"))
}

fn counter(nginx: &Nginx, name: &str) -> i64 {
    number(&json(nginx)["counters"], name)
}

/// The workers in the status, by the worker's number.
fn workers(status: &Value) -> BTreeMap<i64, &Value> {
    processes(status)
        .iter()
        .filter(|process| process["role"] == "worker")
        .map(|process| (number(process, "worker"), process))
        .collect()
}

fn pids<'a>(processes: impl IntoIterator<Item = &'a Value>) -> BTreeSet<i32> {
    processes
        .into_iter()
        .map(|process| number(process, "pid") as i32)
        .collect()
}
