//! A strict parser of Prometheus' text format 0.0.4.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use super::debian::unpacked;

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
                    _ if name.ends_with("latency_seconds") => "histogram",
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

/// The metrics of `after` that are counters have all series of `before`, and none has
/// decreased.
pub fn assert_continued(before: &BTreeMap<String, f64>, after: &BTreeMap<String, f64>) {
    for (series, value) in before {
        let name = series.split('{').next().unwrap_or_default();
        let is_counter = ["_total", "_bucket", "_sum", "_count"]
            .iter()
            .any(|end| name.ends_with(end));

        assert!(
            !is_counter || after.get(series) >= Some(value),
            "{series}: {value}, then {:?}",
            after.get(series)
        );
    }
}

/// Checks a page with `promtool check metrics` of Debian's package prometheus, which also
/// complains about names that Prometheus' guide advises against.
pub fn assert_promtool_agrees(text: &str) {
    let Some(prometheus) = unpacked("debian-prometheus", &["prometheus"]) else {
        return;
    };
    let mut promtool = Command::new(prometheus.join("usr/bin/promtool"))
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool");

    promtool
        .stdin
        .take()
        .expect("a pipe")
        .write_all(text.as_bytes())
        .expect("a page");

    let out = promtool.wait_with_output().expect("an answer");

    assert!(
        out.status.success() && out.stdout.is_empty() && out.stderr.is_empty(),
        "{out:?}"
    );
}
