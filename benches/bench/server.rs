//! Compares `examples/echo.c`, a server on the library, with an echo server on libuv
//! and with one of bare system calls. `benches/servers` has the other two servers, and
//! the program that sends the requests.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Extent;
use crate::calls;
use crate::driver::{Case, Driver};
use crate::instructions;
use crate::peers::{directory, example, root, run};
use crate::report::Report;
use crate::rows::{PEERS, Peer, Row, Unit};

const SUBJECT: &str = "server";

/// The number of connections to each worker in a case, and the number of requests that
/// are sent over each connection in a round.
const CASES: [(usize, usize); 2] = [(1, 9_000), (64, 220)];

/// The number of rounds after which the servers are started again. The kernel gives a
/// process random addresses, which affect its speed until it exits.
const LIFE: usize = 8;

/// Builds `benches/servers/NAME.c`, without warnings.
fn build(name: &str, libraries: &[&str]) -> PathBuf {
    std::fs::create_dir_all(directory()).expect("a directory");

    let program = directory().join(format!("server-{name}"));

    run(Command::new("cc")
        .args(["-O2", "-g", "-std=gnu11", "-Wall", "-Wextra", "-Werror"])
        .arg("-o")
        .arg(&program)
        .arg(root().join("benches/servers").join(format!("{name}.c")))
        .args(libraries));

    program
}

/// The command that starts the server of a peer. The place of nginx is that of libuv.
fn command(peer: Peer) -> String {
    match peer {
        Peer::Nginx => build("libuv", &["-luv"]).display().to_string(),
        Peer::Library => format!("{} -l /dev/null", example("echo").display()),
        Peer::Floor => build("epoll", &[]).display().to_string(),
    }
}

/// The requests per second of each round, and the processor time of a request.
type Values = [[Vec<f64>; 3]; 2];

/// Measures the servers in turn, so that each round begins with another server.
fn rounds(
    load: &Path,
    commands: &[String; 3],
    connections: usize,
    n: usize,
    rounds: usize,
    values: &mut Values,
) {
    let mut drivers = commands.each_ref().map(|command| {
        let case = Case {
            name: command,
            argument: connections,
            pinned: false,
        };

        Driver::new(load, case)
    });

    // The first round is not measured: it fills caches.
    for driver in &mut drivers {
        driver.numbers(n / 4);
    }

    for round in 0..rounds {
        for i in 0..drivers.len() {
            let i = (i + round) % drivers.len();

            for (value, all) in drivers[i].numbers(n).into_iter().zip(values.iter_mut()) {
                all[i].push(value);
            }
        }
    }
}

pub fn measure(extent: Extent, report: &mut Report) {
    let load = build("load", &["-pthread"]);
    let commands = PEERS.map(command);
    let add = |report: &mut Report, what: String, unit, values| {
        report.add(Row {
            subject: SUBJECT,
            what,
            n: None,
            unit,
            values,
        });
    };

    for (connections, n) in CASES {
        let mut values = Values::default();
        let launches = extent.rounds(40).div_ceil(LIFE);

        for _ in 0..launches {
            rounds(&load, &commands, connections, n, LIFE, &mut values);
        }

        let [rates, times] = values;
        let name = format!(
            "{connections} connection{} a worker",
            if connections == 1 { "" } else { "s" }
        );

        add(
            report,
            format!("requests per second, {name}"),
            Unit::RequestsPerSecond,
            rates,
        );
        add(
            report,
            format!("processor time of a request, {name}"),
            Unit::Nanoseconds,
            times,
        );
    }

    add(
        report,
        "system calls of a request, 1 connection a worker".into(),
        Unit::SystemCalls,
        commands
            .each_ref()
            .map(|command| vec![calls::for_each_request(&load, command)]),
    );
    add(
        report,
        "instructions of a request, 1 connection a worker".into(),
        Unit::Instructions,
        commands
            .each_ref()
            .map(|command| vec![instructions::for_each_request(&load, command)]),
    );
}
