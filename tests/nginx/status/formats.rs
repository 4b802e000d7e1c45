//! Tests of the formats of the status module, the methods of requests, and the
//! directive.

use std::io::{Read, Write};

use super::{json, nginx, number, processes};
use crate::nginx::{Nginx, body, code, header};
use crate::support::metrics::metrics;

/// The counters and gauges of a process that do not change while the test runs, and
/// their metrics.
const METRICS: [(&str, &str); 6] = [
    ("started", "process_start_time_seconds"),
    ("respawns", "respawns_total"),
    ("sent", "control_messages_sent_total"),
    ("queued", "control_messages_queued_total"),
    ("queued_max", "control_messages_queued_max"),
    ("dropped", "control_messages_dropped_total"),
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
        let begin = format!(
            "slot:{} pid:{} {}:{} generation:{} {} \"{}\" respawns:{} cpu_user:",
            field("slot"),
            field("pid"),
            field("role"),
            field("worker"),
            field("generation"),
            field("state"),
            field("name"),
            field("respawns"),
        );
        let end = format!(
            " sent:{} queued:{} queued_max:{} dropped:{}",
            field("sent"),
            field("queued"),
            field("queued_max"),
            field("dropped")
        );

        // The first line is that of the program.
        assert!(lines[i + 1].starts_with(&begin), "{begin} {text}");
        assert!(lines[i + 1].ends_with(&end), "{end} {text}");
        assert!(number(process, "rss") > 100_000 && number(process, "cpu_user") >= 0);

        for (name, metric) in METRICS {
            let metric = format!(
                "ngx_ipc_{metric}{{role=\"{}\",worker=\"{}\",name=\"{}\"}}",
                field("role"),
                field("worker"),
                field("name")
            );

            assert_eq!(
                metrics.get(&metric),
                Some(&(number(process, name) as f64)),
                "{metric}"
            );
        }
    }

    let master = number(&json["program"], "master");

    assert_eq!(master, i64::from(nginx.master()));
    assert!(
        lines[0].starts_with("program version:\"\" library:"),
        "{text}"
    );
    assert!(lines[0].contains(&format!(" master:{master} ")), "{text}");

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
            "server { location / { ipc_status xml; } }",
            "invalid format \"xml\" in \"ipc_status\", it must be \"text\", \"json\", \
             \"prometheus\" or \"html\"",
        ),
        (
            "server { location / { ngx_ipc_status json text; } }",
            "invalid number of arguments in \"ngx_ipc_status\" directive",
        ),
        (
            "server { location / { ngx_ipc_status; ipc_status json; } }",
            "\"ipc_status\" directive is duplicate",
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
