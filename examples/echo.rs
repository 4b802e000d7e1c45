//! An echo server in Rust: a master, workers that share a socket, and a counter in
//! shared memory. Each client gets back what it sends.
//!
//!     cargo run --example echo -- ADDRESS [WORKERS]
//!
//! The master exits gracefully at SIGQUIT, and starts new workers at SIGHUP.

use std::env;
use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use ngx_ipc::api::{Connection, Server, SharedMemory};

fn main() -> ExitCode {
    let mut args = env::args().skip(1);
    let Some(address) = args.next() else {
        eprintln!("usage: echo ADDRESS [WORKERS]");
        return ExitCode::from(2);
    };
    let workers = args.next().and_then(|n| n.parse().ok()).unwrap_or(0);

    // The master allocates the memory, so all workers share it.
    let accepted = match SharedMemory::<AtomicU64>::new(1) {
        Ok(memory) => Arc::new(memory),
        Err(err) => {
            eprintln!("{err}");
            return ExitCode::FAILURE;
        }
    };
    let clients = Arc::clone(&accepted);

    let error = Server::builder()
        .workers(workers)
        .shutdown_timeout(Duration::from_secs(10))
        .listen(&address, move || {
            let mut buffer = [0; 4096];

            clients.iter().for_each(|n| _ = n.fetch_add(1, Relaxed));

            move |client: &mut Connection| {
                loop {
                    // WouldBlock returns to the event loop until more has arrived.
                    let n = client.read(&mut buffer)?;

                    match buffer.get(..n) {
                        Some(data) if !data.is_empty() => client.write_all(data)?,
                        _ => return Ok(()),
                    }
                }
            }
        })
        .exit_worker(move |worker| {
            let n: u64 = accepted.iter().map(|n| n.load(Relaxed)).sum();
            let line = format!("worker {} exits, {n} clients until now\n", worker.number());

            // One write, so that the lines of two workers do not mix.
            eprint!("{line}");
        })
        .run();

    eprintln!("echo: {error}");
    ExitCode::FAILURE
}
