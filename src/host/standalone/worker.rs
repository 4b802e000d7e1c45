//! Runs a worker: accepts connections, and shuts down gracefully.
//!
//! The exported function is in this file instead of `src/abi`, because the
//! master stores the address of the function in the process table.

use std::ffi::c_void;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use super::connection::Connection;
use super::cycle::Cycle;
use super::event::{StaticEvent, ngx_event_t};
use super::event_loop::open_connections;
use super::event_timer::timers_left;
use super::init_process::{exit_unless_set_up, set_up};
use super::message_loop;
use super::process_events::process_events_and_timers;
use super::reopen::reopen_if_requested;
use super::setproctitle::set_title;
use super::types::{bit, flag, ngx_cycle_t};
use super::variables::{ngx_exiting, ngx_process, ngx_quit, ngx_terminate, ngx_worker};
use crate::log::{Debug, Level};
use crate::sys::process;
use crate::table::role;

/// The event of the timer `shutdown_timeout`.
static SHUTDOWN_TIMEOUT: StaticEvent = StaticEvent::new();
/// Whether the timer `shutdown_timeout` has expired: the worker exits at once.
static TIMED_OUT: AtomicBool = AtomicBool::new(false);

/// Runs a worker: calls the modules' hooks, adds the channel to the event loop,
/// and runs the event loop until the worker receives the command or the signal
/// to quit or to terminate.
///
/// `data` is the number of the worker. At the command to quit, the worker stops
/// accepting connections, and waits until its open connections are closed and
/// all timers that are not `cancelable` have expired. The function does not
/// return. The exit code is 0, or 2 if the worker could not be set up.
///
/// # Safety
///
/// `cycle` is a valid cycle. ngx_spawn_process() has started the calling
/// process.
///
/// # References
///
/// nginx's `src/os/unix/ngx_process_cycle.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_worker_process_cycle(cycle: *mut ngx_cycle_t, data: *mut c_void) {
    // SAFETY: the master passes its cycle, of which the child has a copy; a
    // program passes NULL or a valid cycle.
    let cycle = unsafe { Cycle::from_ptr(cycle) };

    run(cycle.unwrap_or_else(Cycle::empty), data.addr());
}

/// Runs the worker with the number `number`: calls the modules' hooks, adds the
/// channel to the event loop, and runs the event loop until a command or a
/// signal ends the process.
fn run(cycle: Cycle, number: usize) -> ! {
    let log = cycle.log();

    ngx_process.store(role::NGX_PROCESS_WORKER, Relaxed);
    ngx_worker.store(number, Relaxed);

    // The set-up can bind this process to one processor, and the number of workers
    // can be that of the processors.
    let workers = cycle.conf().worker_processes();

    exit_unless_set_up(set_up(cycle, Some(number)));

    // A message that is kept can be the configuration of the program, so that a
    // handler needs it for the first connection.
    message_loop::process(log);

    for ls in cycle.listening().filter(|ls| ls.is_of(number, workers)) {
        exit_unless_set_up(ls.start_accepting(cycle.error_log()));
    }

    set_title(cycle, b"worker process");

    loop {
        if ngx_exiting.load(Relaxed) != 0 {
            close_idle_connections();

            if has_finished() {
                exit_worker(cycle);
            }
        }

        log.debug(Debug::Event, format_args!("worker cycle"));

        process_events_and_timers(log);

        if ngx_terminate.load(Relaxed) != 0 {
            exit_worker(cycle);
        }

        if ngx_quit.load(Relaxed) != 0
            && ngx_quit.swap(0, Relaxed) != 0
            && ngx_exiting.swap(1, Relaxed) == 0
        {
            shut_down(cycle);
        }

        reopen_if_requested(cycle);
    }
}

/// Whether a worker that shuts down can exit: it has no accepted connections
/// and no timers that it must wait for, or `shutdown_timeout` has expired. The
/// worker does not wait for connections that a module has opened itself.
fn has_finished() -> bool {
    TIMED_OUT.load(Relaxed)
        || !timers_left() && !open_connections().any(|c| c.listening().is_some())
}

/// Begins a graceful shutdown: closes the listening sockets, and starts the timer
/// `shutdown_timeout`, after which all connections are closed. The caller closes the
/// idle connections.
fn shut_down(cycle: Cycle) {
    cycle.log().error(
        Level::Notice,
        None,
        format_args!("gracefully shutting down"),
    );

    set_title(cycle, b"worker process is shutting down");

    if let Some(timeout) = cycle.conf().shutdown_timeout() {
        let event = SHUTDOWN_TIMEOUT.init(Some(shutdown_timeout_handler), cycle.error_log());

        event.set(flag::CANCELABLE);
        event.add_timer(timeout);
    }

    for ls in cycle.listening() {
        ls.stop_accepting(cycle.log());
    }
}

/// Tells the handlers of the idle connections to close them, each connection once. A
/// connection can become idle long after the graceful shutdown has begun, so the caller
/// calls this function after each round of the event loop.
fn close_idle_connections() {
    close_connections(bit::CLOSE, |c| c.has(bit::IDLE) && !c.has(bit::CLOSE));
}

/// Tells the handlers of all connections to close them, closes the connections
/// that are still open then, and makes the worker exit. The event loop calls
/// this handler when the timer `shutdown_timeout` has expired.
unsafe extern "C" fn shutdown_timeout_handler(_event: *mut ngx_event_t) {
    close_connections(bit::CLOSE | bit::ERROR, |_| true);

    for c in open_connections().filter(|&c| !is_internal(c)) {
        c.log().error(
            Level::Warn,
            None,
            format_args!("shutdown_timeout: fd:{} is still open, closing it", c.fd()),
        );
        c.close();
    }

    TIMED_OUT.store(true, Relaxed);
}

/// Whether the library has opened the connection for itself: for a channel, for a
/// listening socket or as a proxy.
fn is_internal(c: Connection) -> bool {
    c.read().has(flag::CHANNEL) || c.read().has(flag::ACCEPT) || c.program().is_some()
}

/// Sets `bits` in each connection that `select` selects, and calls the read
/// handler of the connection, which closes the connection.
fn close_connections(bits: u32, select: impl Fn(Connection) -> bool) {
    for c in open_connections() {
        // A handler that this loop has called before can have closed the
        // connection. A connection of a datagram can be open without a descriptor.
        let is_closed = c.fd() == -1 && !c.is_of_datagram();

        if is_closed || is_internal(c) || !select(c) {
            continue;
        }

        c.set(bits);
        c.read().call_handler();
    }
}

fn exit_worker(cycle: Cycle) -> ! {
    let log = cycle.log();

    log.error(Level::Notice, None, format_args!("exiting"));

    if ngx_terminate.load(Relaxed) == 0 {
        message_loop::finish(log);
    }

    cycle.modules().exit_process();
    log.error(Level::Notice, None, format_args!("exit"));

    process::exit(0)
}
