//! Messages while processes of an nginx start and exit: early messages, helpers, a
//! single process, and modules that a reload replaces or removes.

use std::collections::BTreeSet;
use std::fs;

use crate::defects::compiled;
use crate::messages::{HTTP, ask, main_with, start_with, wait_for_handled};
use crate::nginx::{Nginx, Which, body, with_messages};
use crate::support::tracer::Tracer;
use crate::support::{find, sys, wait_until};

/// A cache, so that nginx has two helpers.
const CACHE: &str = "proxy_cache_path cache keys_zone=c:1m;";

/// The messages that a new generation has handled: worker 0 sends to the others in
/// `init_process`, and has handled none itself.
fn wait_for_early(nginx: &Nginx, workers: &BTreeSet<i32>, count: usize) {
    let none = "sent:0 handled:0 gaps:0";
    let all = format!("sent:0 handled:{count} gaps:0");

    wait_until("early messages", || {
        let answers: Vec<String> = workers
            .iter()
            .map(|&worker| ask(nginx, worker, "/"))
            .collect();

        answers.iter().filter(|answer| *answer == none).count() == 1
            && answers.iter().filter(|answer| **answer == all).count() == workers.len() - 1
    });
}

/// The workers and helpers that are started after worker 0 get what it has sent
/// before, also after a reload.
#[test]
fn early_messages_arrive() {
    with_messages(early_messages_arrive_in);
}

fn early_messages_arrive_in(which: Which) {
    let http = format!("{CACHE} messages_early 5;");
    let nginx = start_with("messages_early", which, "", &http);

    wait_for_early(&nginx, &nginx.workers(), 5);
    // Both helpers have handled five messages.
    nginx.wait_for_lines(2, "messages: helper handled:5");

    let new = nginx.reload();

    wait_for_early(&nginx, &new, 5);
    nginx.wait_for_lines(4, "messages: helper handled:5");
    nginx.quit(&[]);
}

/// At a reload the fork of worker 1 fails. It gets its early messages when the
/// master of a linked nginx starts it later.
#[test]
fn early_messages_arrive_after_a_failed_fork() {
    let nginx = start_with("messages_early_fork", Which::Ipc, "", "messages_early 5;");
    let old = nginx.workers();
    let tracer = Tracer::fail_forks(&nginx, nginx.master(), ":when=2");

    nginx.signal(libc::SIGHUP);
    nginx.wait_for_line("fork() failed while spawning");
    drop(tracer);

    let new = nginx.wait_for_others(3, &old);

    wait_for_early(&nginx, &new, 5);
    nginx.quit(&["fork() failed"]);
}

/// The helpers of nginx handle messages, and those that have arrived when they are
/// told to exit.
#[test]
fn helpers_handle_messages() {
    with_messages(helpers_handle_messages_in);
}

fn helpers_handle_messages_in(which: Which) {
    let nginx = start_with("messages_helpers", which, "", CACHE);
    let manager = find("a manager", || {
        nginx.titled("cache manager process").first().copied()
    });

    wait_until("a loader", || {
        nginx.titled("cache loader process").len() == 1
    });
    assert!(body(&nginx.get("/?helpers=1")).starts_with("sent:2 "));
    nginx.wait_for_lines(2, "messages: helper handled:1");

    sys::kill(manager, libc::SIGSTOP);
    assert!(body(&nginx.get("/?helpers=1")).starts_with("sent:2 "));

    let old = nginx.workers();

    nginx.signal(libc::SIGHUP);
    nginx.wait_for_others(3, &old);
    sys::kill(manager, libc::SIGCONT);
    nginx.wait_for_lines(2, "messages: helper handled:2");
    nginx.quit(&[]);
}

/// A worker that shuts down does not wait for the replies to its requests.
#[test]
fn a_worker_that_shuts_down_does_not_wait() {
    with_messages(a_worker_that_shuts_down_does_not_wait_in);
}

fn a_worker_that_shuts_down_does_not_wait_in(which: Which) {
    let nginx = start_with("messages_no_wait", which, "", "");
    let workers = nginx.workers();

    for &worker in &workers {
        assert!(ask(&nginx, worker, "/?ask=3").starts_with("sent:1 "));
    }

    nginx.reload();
    nginx.wait_for_end_of(&workers);
    nginx.quit(&[]);
}

/// A single process, which is master and worker in one, gets its own messages. They
/// are also handled when it exits.
#[test]
fn a_single_process_has_messages() {
    let nginx = Nginx::new(
        "messages_single",
        Which::Ipc,
        &main_with(Which::Ipc, "master_process off;"),
        HTTP,
    );

    nginx.spawn(&[]);
    assert!(body(&nginx.get("/?self=1")).starts_with("sent:1 "));
    wait_until("a message to oneself", || {
        body(&nginx.get("/")) == "sent:0 handled:1 gaps:0"
    });
    assert!(body(&nginx.get("/?ask=1")).starts_with("sent:1 "));
    nginx.wait_for_line("messages: outcome:1");
    assert_eq!(body(&nginx.get("/?master=1")), "sent:1 handled:2 gaps:0");
    wait_until("a message to the master", || {
        body(&nginx.get("/")) == "sent:0 handled:3 gaps:0"
    });
    nginx.wait_for_idle();
    nginx.quit(&[]);
}

/// A reload removes the module. A worker of the old configuration still sends the
/// master messages, which drops them. A request of the master ends before the module
/// is gone.
#[test]
fn a_removed_module_is_forgotten() {
    let nginx = start_with("messages_removed", Which::Ipc, "", "");
    let old = nginx.workers();

    assert!(body(&nginx.get("/?ask=2")).starts_with("sent:1 "));
    nginx.wait_for_line("messages: master handled:1");
    assert!(body(&nginx.get("/?linger=1")).starts_with("sent:0 "));
    nginx.configure(
        "user root;\nworker_processes 3;",
        "server { listen 127.0.0.1:PORT; location / { return 200 $pid; } }",
    );
    nginx.signal(libc::SIGHUP);

    let new = nginx.wait_for_others(3, &old);

    nginx.wait_for_line("messages: outcome:2");
    nginx.wait_for_line("a message of the type \"messages_test\", number ");
    nginx.wait_for_line("this process has no handler for it");

    // The new workers run, and the one that lingers is killed.
    for &worker in &new {
        assert_eq!(ask(&nginx, worker, "/"), worker.to_string());
    }

    let lingers = find("one old worker", || {
        let left = nginx.shutting_down();

        (left.len() == 1).then(|| *left.first().unwrap())
    });

    sys::kill(lingers, libc::SIGKILL);
    nginx.quit(&["exited on signal 9"]);
}

/// At a reload the module is loaded from another file. The new workers and the
/// master use the new module.
#[test]
fn a_replaced_module_registers_its_types() {
    let nginx = Nginx::new("messages_replaced", Which::Ipc, "", HTTP);
    let original = compiled("ngx_http_messages_module", Which::Ipc);
    let load = |round: usize| {
        let file = nginx.directory.join(format!("module{round}.so"));

        fs::copy(&original, &file).unwrap();
        nginx.configure(
            &format!(
                "load_module {};\nuser root;\nworker_processes 3;",
                file.display()
            ),
            HTTP,
        );
    };

    load(0);
    nginx.spawn(&[]);
    nginx.settled(3);

    for round in 1..=3 {
        load(round);

        let workers = nginx.reload();
        let (&sender, &receiver) = (workers.first().unwrap(), workers.last().unwrap());

        assert!(ask(&nginx, sender, "/?n=3").starts_with("sent:6 "));
        wait_for_handled(&nginx, receiver, 3);
        assert!(body(&nginx.get("/?master=1")).starts_with("sent:1 "));
        nginx.wait_for_lines(round, "messages: master handled:1");
    }

    nginx.quit(&[]);
}

/// A reload adds the module: the new workers and the master have messages from then
/// on.
#[test]
fn a_module_is_added() {
    let page = "server { listen 127.0.0.1:PORT; location / { return 200 $pid; } }";
    let nginx = Nginx::new(
        "messages_added",
        Which::Ipc,
        "user root;\nworker_processes 3;",
        page,
    );

    nginx.spawn(&[]);
    nginx.settled(3);
    nginx.configure(&main_with(Which::Ipc, ""), HTTP);

    let workers = nginx.reload();
    let (&sender, &receiver) = (workers.first().unwrap(), workers.last().unwrap());

    assert!(ask(&nginx, sender, "/?n=3").starts_with("sent:6 "));
    wait_for_handled(&nginx, receiver, 3);
    assert!(body(&nginx.get("/?master=1")).starts_with("sent:1 "));
    nginx.wait_for_line("messages: master handled:1");
    nginx.quit(&[]);
}

/// The configuration has room for the messages of three processes. While the workers
/// of two configurations run, the new ones have no messages, and work.
#[test]
fn workers_without_room_have_no_messages() {
    with_messages(workers_without_room_have_no_messages_in);
}

fn workers_without_room_have_no_messages_in(which: Which) {
    let nginx = start_with(
        "messages_no_room",
        which,
        "ngx_ipc_messages processes=3;",
        "",
    );
    let workers = nginx.workers();
    let &sender = workers.first().unwrap();

    assert!(ask(&nginx, sender, "/?n=1").starts_with("sent:2 "));

    let workers = nginx.reload();

    for &worker in &workers {
        assert_eq!(ask(&nginx, worker, "/?n=1"), "sent:0 handled:0 gaps:0");
    }

    let lines = nginx.lines("no room for the messages of the process in slot");

    assert_eq!(lines.len(), workers.len());
    assert!(
        lines
            .iter()
            .all(|line| line.contains(", see \"processes=\" of \"ipc_messages\"")),
        "{lines:?}"
    );
    nginx.quit(&["no room for the messages of the process in slot"]);
}
