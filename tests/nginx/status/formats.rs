//! Tests of the formats of the status module, the methods of requests, and the
//! directive.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use super::{json, nginx, number, processes};
use crate::nginx::{Nginx, body, code, header};

/// Parses the lines `name{label="value",...} number` of Prometheus' text
/// format. Checks that a HELP and a TYPE line stand before the lines of each
/// metric, once.
pub fn metrics(text: &str) -> BTreeMap<String, f64> {
    let mut types = BTreeMap::new();
    let mut values = BTreeMap::new();
    let mut current = "";

    for line in text.strip_suffix('\n').expect("a last line").split('\n') {
        if let Some(help) = line.strip_prefix("# HELP ") {
            current = help.split_once(' ').expect("a text").0;
            assert!(is_name(current) && !types.contains_key(current), "{line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type");

            assert_eq!(name, current, "{line}");
            assert_eq!(
                kind,
                match name {
                    _ if name.ends_with("_total") => "counter",
                    _ if name.ends_with("_seconds") => "histogram",
                    _ => "gauge",
                }
            );
            types.insert(name, kind);
        } else {
            let (metric, value) = line.rsplit_once(' ').expect("a value");
            let (name, labels) = metric.split_once('{').unwrap_or((metric, "}"));

            let is_part = types.get(current) == Some(&"histogram");
            let part = name.strip_prefix(current).unwrap_or("?");

            assert!(
                if is_part {
                    ["_bucket", "_sum", "_count"].contains(&part)
                } else {
                    part.is_empty()
                },
                "{line}"
            );
            assert!(types.contains_key(current), "{line}");
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
    if labels.is_empty() {
        return true;
    }

    let Some((name, rest)) = labels.split_once("=\"") else {
        return false;
    };

    is_name(name)
        && end_of_value(rest).is_some_and(|end| {
            let rest = &rest[end..];

            rest.is_empty() || rest.strip_prefix(',').is_some_and(are_labels)
        })
}

/// Where the value of a label ends, behind its closing quote. `None` if it has an
/// escape that Prometheus does not know, or no end.
fn end_of_value(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate();

    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Some(at + 1),
            b'\\' => {
                let (_, escaped) = bytes.next()?;

                if ![b'\\', b'"', b'n'].contains(&escaped) {
                    return None;
                }
            }
            _ => {}
        }
    }

    None
}

/// Each number of a process in the JSON format, with its name in Prometheus'
/// format, which is empty if the number is not there.
const METRICS: [(&str, &str); 12] = [
    ("respawns", "respawns_total"),
    ("sent", "control_messages_sent_total"),
    ("queued", "control_messages_queued_total"),
    ("queued_max", "control_messages_queued_max"),
    ("dropped", "control_messages_dropped_total"),
    ("messages_sent", ""),
    ("messages_refused", ""),
    ("messages_received", ""),
    ("messages_waiting", ""),
    ("messages_deepest", ""),
    ("messages_lost", ""),
    ("messages_unknown", ""),
];

/// The text, JSON and Prometheus formats have the same values.
#[test]
fn formats_agree() {
    let nginx = nginx("status_formats");
    let (json, text, prometheus) = (json(&nginx), nginx.get("/text"), nginx.get("/prometheus"));
    let metrics = metrics(body(&prometheus));
    let lines: Vec<_> = body(&text).lines().collect();

    for (i, process) in processes(&json).iter().enumerate() {
        let field = |name: &str| process[name].to_string().replace('"', "");
        let slot = field("slot");

        let mut line = format!(
            "slot:{slot} pid:{} {}:{} generation:{} {}",
            field("pid"),
            field("role"),
            field("worker"),
            field("generation"),
            field("state")
        );

        for (name, metric) in METRICS {
            line.push_str(&format!(" {name}:{}", field(name)));

            if metric.is_empty() {
                continue;
            }

            let metric = format!("ngx_ipc_{metric}{{slot=\"{slot}\"}}");
            assert_eq!(
                metrics.get(&metric),
                Some(&(number(process, name) as f64)),
                "{metric}"
            );
        }

        assert_eq!(lines[i], line);

        let metric = format!(
            "ngx_ipc_process{{slot=\"{slot}\",pid=\"{}\",role=\"{}\",worker=\"{}\",\
             generation=\"{}\",state=\"{}\"}}",
            field("pid"),
            field("role"),
            field("worker"),
            field("generation"),
            field("state")
        );
        assert_eq!(metrics.get(&metric), Some(&1.0), "{prometheus}");
    }

    // A request for the status counts itself. The test has sent its requests
    // one after the other, so the next one has the next number.
    let requests = number(&json["counters"], "requests");

    assert!(lines.contains(&format!("requests:{}", requests + 1).as_str()));
    assert_eq!(metrics["ngx_ipc_requests_total"] as i64, requests + 2);
    assert_eq!(
        metrics["ngx_ipc_connections_accepted_total"] as i64,
        requests + 2
    );

    nginx.quit(&[]);
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

    for (path, kind) in [
        ("/text", "text/plain"),
        ("/json", "application/json"),
        ("/prometheus", "text/plain; version=0.0.4"),
    ] {
        let (get, head, post) = (ask("GET", path), ask("HEAD", path), ask("POST", path));

        assert_eq!((code(&get), header(&get, "Content-Type")), ("200", kind));
        assert_eq!((code(&head), header(&head, "Content-Type")), ("200", kind));
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

/// nginx refuses an invalid configuration, with a message that names the
/// reason.
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
