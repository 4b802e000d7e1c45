//! Tests of `-s reopen`, `-s quit` and `-s stop` while nginx handles requests.

use std::collections::BTreeSet;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use crate::held::{Held, PROXY, Upstream};
use crate::lines::Lines;
use crate::nginx::{Nginx, Which, body, same};
use crate::support::{proc, sys, wait_until};

const WORKERS: usize = 3;

const HTTP: &str = "
    server {
        listen 127.0.0.1:PORT;
        access_log access;
        location / { return 200 $pid; }
    }";

fn start(test: &str, which: Which, http: &str) -> Nginx {
    let main = format!("worker_processes {WORKERS};");
    let nginx = Nginx::new(test, which, &main, http);

    nginx.spawn(&[]);
    nginx.wait_for_workers(WORKERS);
    nginx.settled_descriptors();

    nginx
}

/// Both logs are renamed. After the signal, all processes write to new files.
#[test]
fn reopen() {
    let severe = same(|which| {
        let nginx = start("quit_reopen", which, HTTP);
        let before = nginx.descriptors();
        let [access, old_access, old_log] =
            ["access", "old_access", "old_log"].map(|name| nginx.directory.join(name));

        fs::rename(&access, &old_access).expect("an access log");
        fs::rename(nginx.logfile(), &old_log).expect("a log");
        nginx.command_signal("reopen");
        nginx.wait_for_new_log();

        let old = fs::read_to_string(&old_log).expect("the old log");

        for worker in nginx.workers() {
            assert_eq!(body(&nginx.get_from(worker, "/")), worker.to_string());
            nginx.wait_for_line(&format!("] {worker}#{worker}: *"));
        }

        let lines = |path| fs::read_to_string(path).expect("a log").lines().count();

        wait_until("requests in the access log", || lines(&access) == WORKERS);
        assert_eq!(lines(&old_access), 0);
        assert_eq!(fs::read_to_string(&old_log).expect("the old log"), old);
        nginx.wait_for_descriptors(&before);

        nginx.quit(&[]);
        (Lines::read(&nginx).severe(), Lines::in_text(&old).severe())
    });

    assert_eq!(severe, Default::default());
}

/// A connection that is idle: nginx has answered a request on it.
fn idle(nginx: &Nginx) -> TcpStream {
    let mut stream = nginx.connect();
    let mut answer = String::new();

    write!(stream, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("a request sent");

    while body(&answer).is_empty() {
        let mut some = [0; 1024];
        let n = stream.read(&mut some).expect("an answer");

        answer.push_str(&String::from_utf8_lossy(&some[..n]));
    }

    stream
}

fn is_refused(nginx: &Nginx) -> bool {
    nginx
        .try_connect()
        .is_err_and(|err| err.kind() == ErrorKind::ConnectionRefused)
}

/// nginx quits: it answers the requests that it has completely, and accepts no
/// new ones.
#[test]
fn quit_with_open_requests() {
    let severe = same(|which| {
        let upstream = Upstream::new();
        let nginx = start("quit_open", which, &upstream.in_place(PROXY));
        let open = upstream.hold_each(&nginx);
        let mut idle = idle(&nginx);

        nginx.command_signal("quit");
        wait_until("workers that shut down", || {
            nginx.shutting_down().len() == WORKERS
        });
        wait_until("a closed port", || is_refused(&nginx));
        assert_eq!(idle.read(&mut [0]).expect("the end"), 0);

        let mut left = nginx.processes();

        for held in open {
            assert_eq!(nginx.processes(), left);
            held.end();
            wait_until("one worker less", || nginx.processes().len() < left.len());
            left = nginx.processes();
        }

        nginx.finish(&[]);
        Lines::read(&nginx).severe()
    });

    assert_eq!(severe, BTreeSet::new());
}

/// nginx stops: all processes exit at once, also while they handle requests.
#[test]
fn stop_with_open_requests() {
    let severe = same(|which| {
        let upstream = Upstream::new();
        let nginx = start("stop_open", which, &upstream.in_place(PROXY));
        let open = upstream.hold_each(&nginx);

        nginx.command_signal("stop");
        nginx.finish(&[]);
        assert!(is_refused(&nginx));
        open.into_iter().for_each(Held::was_cut_off);

        Lines::read(&nginx).severe()
    });

    assert_eq!(severe, BTreeSet::new());
}

/// A worker that is stopped does not handle the signal. The master kills it
/// after a while, when SIGALRM arrives.
#[test]
fn stop_with_a_stopped_worker() {
    let severe = same(|which| {
        let nginx = start("stop_stopped", which, HTTP);
        let deaf = *nginx.workers().first().expect("a worker");

        sys::kill(deaf, libc::SIGSTOP);
        wait_until("a stopped worker", || proc::state(deaf) == Some('T'));
        nginx.command_signal("stop");
        nginx.finish(&["exited on signal 9"]);

        Lines::read(&nginx).severe()
    });

    assert_eq!(
        severe,
        BTreeSet::from(["[alert] worker process N exited on signal N".to_string()])
    );
}
