//! A storm: clients send requests, and meanwhile all that can happen to a server
//! happens to it, in a random order.
//!
//! `T_STORM=SECONDS` sets how long the storm takes, and `T_SEED=N` its order.

mod acts;
mod clients;
mod logs;

use std::env;
use std::fmt::Display;
use std::str::FromStr;
use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use self::acts::{Act, Storm};
use self::clients::{Clients, Stop};
use crate::support::client::echo;
use crate::support::wait_until;

const CLIENTS: usize = 16;

/// After the storm no request was answered in part, the processes have the
/// descriptors, signals and priority that they had before, no file and no process is
/// left, and the master and its workers make no system call.
#[test]
fn a_server_survives_a_storm() {
    let seconds = variable("T_STORM", 20);
    let seed = variable("T_SEED", std::process::id());
    let storm = Storm::start(seed.into());
    let clients = Clients::default();
    let before = storm.server.processes_state();
    let address = storm.server.address();

    println!("T_SEED={seed}");

    std::thread::scope(|scope| {
        let _stop = Stop(&clients);

        for number in 0..CLIENTS {
            let clients = &clients;

            scope.spawn(move || clients.run(address, number));
        }

        storm.rage(Instant::now() + Duration::from_secs(seconds));
        storm.calm_down();

        // Requests are answered again.
        let answered = clients.answered.load(Relaxed);

        wait_until("answers after the storm", || {
            clients.answered.load(Relaxed) > answered + 10 * CLIENTS
        });
    });

    report(&storm, &clients);

    let server = &storm.server;

    server.wait_for_state(&before);
    server.stays_idle(Duration::from_secs(2));
    echo(&mut server.connect(), "all is well\n");
    storm.end();
}

/// The number in an environment variable, or `default`.
fn variable<T: FromStr + Display>(name: &str, default: T) -> T {
    env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

/// Prints what has happened, and fails if a request was answered in part.
fn report(storm: &Storm, clients: &Clients) {
    let counts: Vec<String> = Act::ALL
        .iter()
        .map(|&act| format!("{act:?} {}", storm.count(act)))
        .collect();

    println!(
        "{} answered, {} unanswered, {} refused; {}",
        clients.answered.load(Relaxed),
        clients.unanswered.load(Relaxed),
        clients.refused.load(Relaxed),
        counts.join(", ")
    );

    let faults = clients
        .faults
        .lock()
        .unwrap_or_else(PoisonError::into_inner);

    assert!(faults.is_empty(), "{faults:#?}");
}
