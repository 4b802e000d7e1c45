//! The module `ngx_ipc_status`: what it says is so, in each of its formats.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};

use serde_json::Value;

use crate::nginx::{Nginx, Which, body, code, header};
use crate::support::tracer::Tracer;
use crate::support::{find, proc, sys, wait_until};

const HTTP: &str = "proxy_cache_path cache keys_zone=cache:1m;
    server {
        listen 127.0.0.1:PORT;
        location / { return 200 hello; }
        location /text { ngx_ipc_status; }
        location /json { ngx_ipc_status json; }
        location /prometheus { ngx_ipc_status prometheus; }
    }";

/// With three workers and a cache manager; the cache loader comes a minute
/// later.
fn nginx(test: &str) -> Nginx {
    let main = format!(
        "worker_processes 3; load_module {};",
        Nginx::status_module().display()
    );
    let nginx = Nginx::new(test, Which::Ipc, &main, HTTP);

    nginx.spawn(&[]);
    nginx.wait_for_workers(3);
    // Who knows that it is a helper, and is known.
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

/// The workers, by their numbers.
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

/// Every process that there is has its line, and no other.
#[test]
fn processes_are_those_that_run() {
    let nginx = nginx("status_processes");
    let status = json(&nginx);
    let mut everybody = nginx.everybody();

    everybody.remove(&nginx.master());

    assert_eq!(pids(processes(&status)), everybody);
    assert_eq!(pids(workers(&status).into_values()), nginx.workers());
    assert_eq!(Vec::from_iter(workers(&status).into_keys()), [0, 1, 2]);

    let slots: BTreeSet<_> = processes(&status)
        .iter()
        .map(|p| number(p, "slot"))
        .collect();
    let helpers = pids(processes(&status).iter().filter(|p| p["role"] == "helper"));

    assert_eq!(slots.len(), everybody.len());
    assert!(nginx.called("cache manager process").is_subset(&helpers));

    for process in processes(&status) {
        assert_eq!(process["state"], "running", "{process}");
        assert_eq!(number(process, "generation"), 1, "{process}");
        assert_eq!(number(process, "respawns"), 0, "{process}");
        assert_eq!(number(process, "dropped"), 0, "{process}");
    }

    // Of each of the others the first has been told.
    let first = processes(&status).first().expect("a process");
    assert_eq!(number(first, "sent"), everybody.len() as i64 - 1);

    nginx.quit(&[]);
}

/// A process says what it is, also if that is before the master goes on.
#[test]
fn roles_are_known() {
    let nginx = nginx("status_roles");
    let before = nginx.workers();
    let tracer = Tracer::delay_forks(&nginx, nginx.master(), 300);

    nginx.signal(libc::SIGHUP);
    nginx.wait_for_others(3, &before);
    drop(tracer);

    wait_until("the next generation", || {
        let status = json(&nginx);
        let next = processes(&status)
            .iter()
            .all(|p| number(p, "generation") == 2);

        next && workers(&status).len() == 3
    });

    assert!(
        processes(&json(&nginx))
            .iter()
            .all(|p| p["role"] != "other")
    );

    nginx.quit(&[]);
}

/// The lines `name{label="value",...} number` of Prometheus' text format; each
/// metric has its HELP and TYPE before it, once.
fn metrics(text: &str) -> BTreeMap<String, i64> {
    let mut types = BTreeMap::new();
    let mut values = BTreeMap::new();
    let mut current = "";

    for line in text.strip_suffix('\n').expect("a last line").split('\n') {
        if let Some(help) = line.strip_prefix("# HELP ") {
            current = help.split_once(' ').expect("a text").0;
            assert!(is_name(current) && !types.contains_key(current), "{line}");
        } else if let Some(of) = line.strip_prefix("# TYPE ") {
            let (name, of) = of.split_once(' ').expect("a type");

            assert_eq!(name, current, "{line}");
            assert_eq!(
                of,
                if name.ends_with("_total") {
                    "counter"
                } else {
                    "gauge"
                }
            );
            types.insert(name, of);
        } else {
            let (metric, value) = line.rsplit_once(' ').expect("a value");
            let (name, labels) = metric.split_once('{').unwrap_or((metric, "}"));

            assert_eq!(name, current, "{line}");
            assert!(types.contains_key(name), "{line}");
            assert!(labels.strip_suffix('}').is_some_and(are_labels), "{line}");

            let value = value.parse().expect("a number");
            assert_eq!(values.insert(metric.to_string(), value), None, "{line}");
        }
    }

    values
}

fn is_name(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';

    name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit())
}

fn are_labels(labels: &str) -> bool {
    labels.is_empty()
        || labels.split(',').all(|label| {
            label.split_once('=').is_some_and(|(name, value)| {
                let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));

                is_name(name) && value.is_some_and(|v| !v.contains(['"', '\\']))
            })
        })
}

/// What each number of a process is called in Prometheus' format.
const METRICS: [(&str, &str); 5] = [
    ("respawns", "respawns_total"),
    ("sent", "messages_sent_total"),
    ("queued", "messages_queued_total"),
    ("queued_max", "messages_queued_max"),
    ("dropped", "messages_dropped_total"),
];

/// The three formats say the same.
#[test]
fn formats_agree() {
    let nginx = nginx("status_formats");
    let (json, text, prometheus) = (json(&nginx), nginx.get("/text"), nginx.get("/prometheus"));
    let metrics = metrics(body(&prometheus));
    let lines: Vec<_> = body(&text).lines().collect();

    for (i, process) in processes(&json).iter().enumerate() {
        let of = |name: &str| process[name].to_string().replace('"', "");
        let slot = of("slot");

        let mut line = format!(
            "slot:{slot} pid:{} {}:{} generation:{} {}",
            of("pid"),
            of("role"),
            of("worker"),
            of("generation"),
            of("state")
        );

        for (name, metric) in METRICS {
            line.push_str(&format!(" {name}:{}", of(name)));

            let metric = format!("ngx_ipc_{metric}{{slot=\"{slot}\"}}");
            assert_eq!(
                metrics.get(&metric),
                Some(&number(process, name)),
                "{metric}"
            );
        }

        assert_eq!(lines[i], line);

        let metric = format!(
            "ngx_ipc_process{{slot=\"{slot}\",pid=\"{}\",role=\"{}\",worker=\"{}\",\
             generation=\"{}\",state=\"{}\"}}",
            of("pid"),
            of("role"),
            of("worker"),
            of("generation"),
            of("state")
        );
        assert_eq!(metrics.get(&metric), Some(&1), "{prometheus}");
    }

    // Each request counts itself: these were made one after the other.
    let requests = number(&json["counters"], "requests");

    assert!(lines.contains(&format!("requests:{}", requests + 1).as_str()));
    assert_eq!(metrics["ngx_ipc_requests_total"], requests + 2);
    assert_eq!(metrics["ngx_ipc_connections_accepted_total"], requests + 2);

    nginx.quit(&[]);
}

/// Sends the beginning of a request, which keeps its worker from exiting.
fn begin_request(nginx: &Nginx) -> std::net::TcpStream {
    let mut stream = nginx.connect();

    write!(stream, "GET / HTTP/1.1\r\nHost: ").expect("a request");
    stream
}

/// A worker that was killed is another one, in its slot; a reload begins the
/// next generation, while the old one finishes its requests.
#[test]
fn deaths_and_reloads() {
    let nginx = nginx("status_deaths");
    let before = json(&nginx);
    let killed = workers(&before)[&1];

    sys::kill(number(killed, "pid") as i32, libc::SIGKILL);

    let after = find("another worker", || {
        let status = json(&nginx);
        let others = pids(processes(&status)) != pids(processes(&before));

        (others && workers(&status).len() == 3).then_some(status)
    });
    let other = workers(&after)[&1];

    assert_eq!(other["slot"], killed["slot"]);
    assert_eq!(number(other, "respawns"), 1);
    assert_eq!(number(other, "generation"), 1);
    assert_eq!(number(workers(&after)[&0], "respawns"), 0);

    let request = begin_request(&nginx);
    let busy = find("a busy worker", || {
        let port = request.local_addr().expect("an address").port();

        nginx
            .workers()
            .into_iter()
            .find(|&pid| proc::clients_of(pid, nginx.port).contains(&port))
    });

    nginx.signal(libc::SIGHUP);

    let reloaded = find("the next generation", || {
        let status = json(&nginx);
        let old = |p: &&Value| number(p, "generation") == 1;
        let one = processes(&status).iter().filter(old).count() == 1;

        (one && nginx.workers().len() == 3).then_some(status)
    });

    for process in processes(&reloaded) {
        let old = number(process, "pid") == i64::from(busy);

        assert_eq!(
            number(process, "generation"),
            if old { 1 } else { 2 },
            "{process}"
        );
        assert_eq!(
            process["state"],
            if old { "exiting" } else { "running" },
            "{process}"
        );
    }

    drop(request);
    wait_until("the old one's end", || {
        !pids(processes(&json(&nginx))).contains(&busy)
    });

    nginx.quit(&["exited on signal 9"]);
}

/// The counters add up over all workers, over the death of one and a reload.
#[test]
fn counters_add_up() {
    const CONNECTIONS: i64 = 20;
    const REQUESTS: i64 = 5;

    let nginx = nginx("status_counters");
    let before = json(&nginx)["counters"].clone();

    for _ in 0..CONNECTIONS {
        let mut stream = nginx.connect();

        for i in 1..=REQUESTS {
            let close = if i == REQUESTS {
                "Connection: close\r\n"
            } else {
                ""
            };

            write!(stream, "GET / HTTP/1.1\r\nHost: localhost\r\n{close}\r\n").expect("a request");
        }

        let mut answers = String::new();
        stream.read_to_string(&mut answers).expect("answers");
        assert_eq!(answers.matches("200 OK").count(), REQUESTS as usize);
    }

    // The last answers may have come before their requests have ended.
    wait_until("an idle server", || counter(&nginx, "active") == 1);

    let after = json(&nginx)["counters"].clone();
    let asked = number(&after, "accepted") - number(&before, "accepted") - CONNECTIONS;

    // And those of the counters themselves, on a connection each.
    for (name, more) in [
        ("accepted", CONNECTIONS + asked),
        ("handled", CONNECTIONS + asked),
        ("requests", CONNECTIONS * REQUESTS + asked),
        ("active", 0),
        ("writing", 0),
    ] {
        assert_eq!(number(&after, name) - number(&before, name), more, "{name}");
    }

    nginx.reload();
    assert_eq!(counter(&nginx, "accepted"), number(&after, "accepted") + 1);

    nginx.quit(&[]);
}

/// A worker that is killed in the middle of a request has none any more.
#[test]
fn killed_in_a_request() {
    let http = format!("{} client_body_timeout 60s;", HTTP.trim_end_matches('}'));
    let nginx = nginx("status_killed");

    // The header is whole, the body is not: the request has begun.
    nginx.configure(
        &format!(
            "worker_processes 1; load_module {};",
            Nginx::status_module().display()
        ),
        &format!("{http} location /slow {{ proxy_pass http://127.0.0.1:PORT/; }} }}"),
    );
    nginx.signal(libc::SIGHUP);
    nginx.wait_for_workers(1);
    wait_until("one request", || counter(&nginx, "active") == 1);

    let mut stream = nginx.connect();
    write!(
        stream,
        "POST /slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf"
    )
    .expect("a request");
    wait_until("two requests", || counter(&nginx, "active") == 2);

    let worker = nginx.workers();
    sys::kill(*worker.first().expect("a worker"), libc::SIGKILL);
    nginx.wait_for_others(1, &worker);
    wait_until("one request", || counter(&nginx, "active") == 1);

    nginx.quit(&["exited on signal 9"]);
}

#[test]
fn methods_and_types() {
    let nginx = nginx("status_methods");
    let ask = |method: &str, path: &str| {
        let mut stream = nginx.connect();
        let mut answer = String::new();

        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        .expect("a request");
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    };

    for (path, of) in [
        ("/text", "text/plain"),
        ("/json", "application/json"),
        ("/prometheus", "text/plain; version=0.0.4"),
    ] {
        let (get, head, post) = (ask("GET", path), ask("HEAD", path), ask("POST", path));

        assert_eq!((code(&get), header(&get, "Content-Type")), ("200", of));
        assert_eq!((code(&head), header(&head, "Content-Type")), ("200", of));
        assert_eq!(header(&get, "Content-Length"), body(&get).len().to_string());
        assert!(
            header(&head, "Content-Length")
                .parse::<usize>()
                .is_ok_and(|n| n > 0)
        );
        assert_eq!(body(&head), "");
        assert_eq!(code(&post), "405");
    }

    nginx.quit(&[]);
}

/// A configuration that is wrong is refused, by a line that says why.
#[test]
fn wrong_configurations() {
    let nginx = nginx("status_wrong");
    let main = format!("load_module {};", Nginx::status_module().display());

    for (http, why) in [
        (
            "server { location / { ngx_ipc_status xml; } }",
            "invalid format \"xml\" in \"ngx_ipc_status\", it must be \"text\", \"json\" or \
             \"prometheus\"",
        ),
        (
            "server { location / { ngx_ipc_status json text; } }",
            "invalid number of arguments in \"ngx_ipc_status\" directive",
        ),
        (
            "server { location / { ngx_ipc_status; ngx_ipc_status json; } }",
            "\"ngx_ipc_status\" directive is duplicate",
        ),
        (
            "server { ngx_ipc_status; }",
            "\"ngx_ipc_status\" directive is not allowed here",
        ),
    ] {
        nginx.configure(&main, http);

        let out = nginx.run(&["-t"]);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();

        assert!(!out.status.success(), "{http}");
        assert!(said.contains(why), "{said}");
    }

    nginx.quit(&["[emerg]"]);
}
