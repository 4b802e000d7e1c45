//! Tests of ngx_ipc_print_status(): the page of a program in three formats.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::build::{directory, example};
use crate::support::client::ask;
use crate::support::metrics::{assert_continued, assert_promtool_agrees, metrics};
use crate::support::server::Server;
use crate::support::tracer::Tracer;
use crate::support::upgrade::{change_binary, retire};
use crate::support::{Killed, find, proc, sys, wait_until};

fn page(server: &Server, format: char) -> String {
    ask(&mut server.connect(), format).join("\n") + "\n"
}

fn json(server: &Server) -> Value {
    let page = page(server, 'j');

    serde_json::from_str(&page).unwrap_or_else(|err| panic!("{err}: {page}"))
}

fn prometheus(server: &Server) -> BTreeMap<String, f64> {
    metrics(&page(server, 'p'))
}

fn processes(page: &Value) -> &[Value] {
    page["processes"].as_array().expect("an array")
}

fn pids(page: &Value) -> BTreeSet<i32> {
    processes(page)
        .iter()
        .map(|process| process["pid"].as_i64().expect("a pid") as i32)
        .collect()
}

/// The labels of the series of worker N.
fn worker(number: usize) -> String {
    format!("role=\"worker\",worker=\"{number}\",name=\"worker process\"")
}

/// A text of the program can be longer than a line of a log. The page is complete.
#[test]
fn a_long_version_is_not_cut() {
    let version = "7".repeat(3000);
    let server = Server::configurable("seen_long_version");

    server.start(1, &["-v", &version]);
    assert_eq!(json(&server)["program"]["version"], version);
    assert!(page(&server, 'x').contains(&version));
    assert!(prometheus(&server).keys().any(|key| key.contains(&version)));
    server.quit(&[]);
}

#[test]
fn formats_agree() {
    let server = Server::configurable("seen_formats");
    let master = server.start(2, &["-m", "1"]);
    let (page_of_json, text, series) = (json(&server), page(&server, 'x'), prometheus(&server));
    let program = &page_of_json["program"];

    assert_eq!(program["version"], "7 \"beta\"");
    assert_eq!(program["library"], env!("CARGO_PKG_VERSION"));
    assert_eq!(program["master"], master);
    assert!(program["started"].as_i64() > Some(1_700_000_000));
    assert!(program["uptime"].as_i64() >= Some(0) && program["uptime"].as_i64() < Some(3600));
    assert!(program["rss"].as_i64() > Some(100_000));

    let info = format!(
        "ngx_ipc_program_info{{version=\"7 \\\"beta\\\"\",library=\"{}\"}}",
        env!("CARGO_PKG_VERSION")
    );

    assert_eq!(series[&info], 1.0);
    assert_eq!(
        series["ngx_ipc_start_time_seconds"] as i64,
        program["started"].as_i64().expect("a time")
    );
    assert_eq!(
        series["ngx_ipc_processes{role=\"worker\",state=\"running\"}"],
        2.0
    );
    assert_eq!(
        series["ngx_ipc_processes{role=\"helper\",state=\"running\"}"],
        1.0
    );
    assert_eq!(
        series["ngx_ipc_processes{role=\"worker\",state=\"exiting\"}"],
        0.0
    );

    let others: BTreeSet<i32> = &server.processes() - &BTreeSet::from([master]);

    assert_eq!(pids(&page_of_json), others);
    assert!(
        text.starts_with("program version:\"7 \\\"beta\\\"\" library:"),
        "{text}"
    );

    for process in processes(&page_of_json) {
        let name = process["name"].as_str().expect("a name");
        let labels = format!(
            "role={},worker=\"{}\",name=\"{name}\"",
            process["role"], process["worker"]
        );
        let start = format!("ngx_ipc_process_start_time_seconds{{{labels}}}");
        let sent = format!("ngx_ipc_control_messages_sent_total{{{labels}}}");
        let line = format!("slot:{} pid:{} ", process["slot"], process["pid"]);

        assert_eq!(series[&start] as i64, process["started"].as_i64().unwrap());
        assert_eq!(series[&sent] as i64, process["sent"].as_i64().unwrap());
        assert!(series[&format!("ngx_ipc_process_resident_memory_bytes{{{labels}}}")] > 1e5);
        assert!(
            text.contains(&line) && text.contains(&format!("\"{name}\"")),
            "{text}"
        );
    }

    assert_promtool_agrees(&page(&server, 'p'));

    // The numbers of the program.
    assert_eq!(page_of_json["counters"]["pages"], 7);
    assert_eq!(page_of_json["counters"]["level"], -3);
    assert_eq!(page_of_json["counters"]["text \"only\""], 2);
    assert_eq!(series["server_pages_total"], 7.0);
    assert_eq!(series["server_level"], -3.0);
    assert_eq!(series["server_metric_only"], 1.0);
    assert!(text.contains("\npages:7\nlevel:-3\n"), "{text}");

    server.quit(&[]);
}

/// No series begins or ends at a reload or when a worker dies, and no counter decreases:
/// worker 1 continues the counters of its predecessors, with their processor time.
#[test]
fn series_continue_over_reloads_and_kills() {
    let server = Server::configurable("seen_series");

    server.start(2, &["-m", "1"]);

    let cpu = |series: &BTreeMap<String, f64>| {
        let of = |n, mode| {
            series[&format!(
                "ngx_ipc_process_cpu_seconds_total{{{},mode=\"{mode}\"}}",
                worker(n)
            )]
        };

        of(0, "user") + of(0, "system") + of(1, "user") + of(1, "system")
    };
    let mut before = find("processor time", || {
        let series = prometheus(&server);

        (cpu(&series) >= 0.2).then_some(series)
    });

    for round in 0..4 {
        let workers = server.workers();

        if round == 2 {
            sys::kill(*workers.first().expect("a worker"), libc::SIGKILL);
            wait_until("another worker", || {
                let now = server.workers();

                now.len() == 2 && now != workers
            });
        } else {
            server.reload();
            server.wait_for_end_of(&workers);
        }

        let after = prometheus(&server);

        assert!(after.keys().eq(before.keys()), "{after:?} {before:?}");
        assert_continued(&before, &after);
        assert!(cpu(&after) >= 0.2);
        before = after;
    }

    let respawns = |n| before[&format!("ngx_ipc_respawns_total{{{}}}", worker(n))];

    assert_eq!(respawns(0) + respawns(1), 1.0);
    assert!(
        !before
            .keys()
            .any(|key| key.contains("pid") || key.contains("generation"))
    );
    server.quit(&["exited on signal 9"]);
}

/// Opens a connection. Returns it with the worker that has it, and the other worker of two.
fn connect(server: &Server) -> (TcpStream, i32, i32) {
    let mut client = server.connect();
    let answer = ask(&mut client, 'w');
    let own = answer[0].split(' ').next().expect("a pid");
    let own = own.parse().expect("a pid");
    let other = *server.workers().iter().find(|&&pid| pid != own).unwrap();

    (client, own, other)
}

/// The processor time of a worker is in the page also between the moment when the master
/// has reaped it and the moment when the master has counted it.
#[test]
fn processor_time_of_a_reaped_worker_is_not_missing() {
    let server = Server::configurable("seen_reaped");
    let master = server.start(2, &[]);
    let (mut client, own, other) = connect(&server);
    let mut page = || metrics(&(ask(&mut client, 'p').join("\n") + "\n"));

    // Pages take processor time. The connections go to both workers.
    wait_until("processor time", || {
        prometheus(&server);
        proc::cpu_time(other) >= 3
    });

    let before = page();
    let tracer = Tracer::inject(&server, master, "wait4", "delay_exit=20000");

    sys::kill(other, libc::SIGKILL);
    wait_until("a reaped worker", || proc::state(other).is_none());
    assert_continued(&before, &page());
    drop(tracer);

    wait_until("another worker", || server.workers().len() == 2);
    assert!(server.workers().contains(&own));
    assert_continued(&before, &page());
    drop(client);
    server.quit(&["exited on signal 9"]);
}

/// The page shows all processes although the master and a worker do not run.
#[test]
fn a_stopped_master_and_a_stopped_worker_are_shown() {
    let server = Server::configurable("seen_stopped");
    let master = server.start(2, &[]);
    let (mut client, _, other) = connect(&server);

    for pid in [master, other] {
        sys::kill(pid, libc::SIGSTOP);
    }

    let page: Value = serde_json::from_str(&ask(&mut client, 'j').join("\n")).expect("JSON");
    let series = metrics(&(ask(&mut client, 'p').join("\n") + "\n"));

    assert_eq!(pids(&page), server.workers());
    assert_eq!(page["program"]["master"], master);
    assert!(page["program"]["rss"].as_i64() > Some(0));
    assert_eq!(
        series["ngx_ipc_processes{role=\"worker\",state=\"running\"}"],
        2.0
    );

    for pid in [master, other] {
        sys::kill(pid, libc::SIGCONT);
    }

    drop(client);
    server.quit(&[]);
}

#[test]
fn sixty_four_workers_are_shown() {
    let server = Server::configurable("seen_64");

    server.start(64, &[]);

    let page = json(&server);
    let series = prometheus(&server);

    assert_eq!(pids(&page), server.workers());
    assert_eq!(
        series["ngx_ipc_processes{role=\"worker\",state=\"running\"}"],
        64.0
    );

    for n in 0..64 {
        assert!(series[&format!("ngx_ipc_process_resident_memory_bytes{{{}}}", worker(n))] > 0.0);
    }

    server.quit(&[]);
}

/// During an upgrade the processes of each binary show their own program.
#[test]
fn both_binaries_of_an_upgrade_show_themselves() {
    let server = Server::configurable("seen_upgrade");

    server.start(2, &["-d"]);

    let first = json(&server);
    let (old, new) = change_binary(&server, 2);

    assert_eq!(first["program"]["master"], old);
    assert_eq!(pids(&first), server.workers_of(old));

    for master in [old, new] {
        let shown = find("a page of each binary", || {
            let page = json(&server);

            (page["program"]["master"] == master).then_some(page)
        });

        let mut all = server.workers_of(master);

        if master == old {
            all.insert(new);
        }

        assert_eq!(pids(&shown), all);
    }

    retire(&server, old);
    assert_eq!(json(&server)["program"]["master"], new);
    server.quit(&[]);
}

/// A single process shows itself as the program.
#[test]
fn a_single_process_is_shown() {
    let server = Server::configurable("seen_single");
    let pid = server.spawn(&["-1"]);
    let page = find("a page", || {
        let stream = server.try_connect().ok();

        stream.map(|mut stream| ask(&mut stream, 'j').join("\n"))
    });
    let page: Value = serde_json::from_str(&page).expect("JSON");

    assert_eq!(page["program"]["master"], pid);
    assert!(page["program"]["rss"].as_i64() > Some(0));
    assert_eq!(processes(&page), [] as [Value; 0]);

    server.signal(libc::SIGQUIT);
    server.finish(&[]);
}

/// The example in docs/servers.md: a helper writes metrics to a file.
#[test]
fn the_example_writes_metrics() {
    let file = directory().join("example.prom");
    let _ = std::fs::remove_file(&file);
    let mut program = Killed(
        Command::new(example("metrics"))
            .arg(&file)
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let series = find("two writes", || {
        let series = metrics(&std::fs::read_to_string(&file).ok()?);

        (series["metrics_writes_total"] >= 2.0).then_some(series)
    });

    assert!(
        series
            .keys()
            .any(|key| key.contains("name=\"metrics writer\""))
    );
    assert!(series.keys().any(|key| key.contains("version=\"1.2\"")));
    assert!(sys::kill(program.0.id() as i32, libc::SIGQUIT));
    assert!(program.0.wait().unwrap().success());
}
