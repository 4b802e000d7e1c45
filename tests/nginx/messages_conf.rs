//! The directive `ipc_messages`, also called `ngx_ipc_messages`: values that are refused, `nginx -t`, a single
//! process, and sizes that change at a reload.

use crate::messages::{HTTP, ask, main_with, start_with, wait_for_handled};
use crate::nginx::{Nginx, Which, body, with_messages};
use crate::support::wait_until;

const SIZES_CHANGE: &str = "the sizes of \"ipc_messages\" do not change before a restart";

/// What `nginx -t` says of a configuration with these directives of the main context,
/// and whether nginx accepts it.
fn check(nginx: &Nginx, main: &str, http: &str) -> (bool, String) {
    nginx.configure(main, http);

    let out = nginx.run(&["-t"]);

    (
        out.status.success(),
        String::from_utf8_lossy(&out.stderr).into_owned(),
    )
}

/// nginx refuses wrong values, with a message that names the reason.
#[test]
fn wrong_values_are_refused() {
    let nginx = Nginx::new("messages_wrong", Which::Ipc, "", "");
    let wrong = [
        "size",
        "size=",
        "size=x",
        "size=-1",
        "size=99999999999999999999",
        "memory=",
        "memory=x",
        "max=1x",
        "max=1.5m",
        "processes=-1",
        "processes=1k",
        "processes=",
        "spin=1ms",
        "on=1",
        "4m",
    ];

    for value in wrong {
        let (is_accepted, said) = check(&nginx, &format!("ipc_messages {value};"), "");

        assert!(!is_accepted && said.contains("[emerg] "), "{value}: {said}");
        assert!(
            said.contains(&format!("invalid parameter \"{value}\" in ")),
            "{said}"
        );
    }

    for (values, why) in [
        ("on size=8m", "\"on\" takes no other parameters"),
        ("size=8m off", "\"off\" takes no other parameters"),
        ("size=4m max=1m size=8m", "duplicate parameter \"size=8m\""),
        ("size=4m memory=4m", "duplicate parameter \"memory=4m\""),
        ("spin=0 spin=0", "duplicate parameter \"spin=0\""),
    ] {
        let (is_accepted, said) = check(&nginx, &format!("ipc_messages {values};"), "");

        assert!(!is_accepted, "{values}");
        assert!(said.contains(&format!("{why} in ")), "{said}");
    }

    let directive = "\"ipc_messages\" directive";

    for (main, http, why) in [
        (
            "ipc_messages size=257m;",
            "",
            "has a \"size\" of more than 256m",
        ),
        (
            "ipc_messages size=1g;",
            "",
            "has a \"size\" of more than 256m",
        ),
        (
            "ipc_messages memory=4294967296;",
            "",
            "has a \"size\" of more than 256m",
        ),
        (
            "ipc_messages max=128m;",
            "",
            "has a \"max\" of more than 127m",
        ),
        (
            "ipc_messages max=1g;",
            "",
            "has a \"max\" of more than 127m",
        ),
        (
            "ipc_messages processes=1021;",
            "",
            "has more than 1020 \"processes\"",
        ),
        (
            "ipc_messages spin=1000001;",
            "",
            "has a \"spin\" of more than 1000000",
        ),
        ("ipc_messages off; ipc_messages max=1m;", "", "is duplicate"),
        ("", "ipc_messages;", "is not allowed here"),
        ("events { ipc_messages; }", "", "is not allowed here"),
    ] {
        let (is_accepted, said) = check(&nginx, main, http);

        assert!(!is_accepted, "{main} {http}");
        assert!(said.contains(&format!("{directive} {why} in ")), "{said}");
    }
}

/// `nginx -t` warns of too few processes: the workers of a reload would have no messages.
#[test]
fn too_few_processes_are_reported() {
    let nginx = Nginx::new("messages_few", Which::Ipc, "", "");
    let cache = "proxy_cache_path cache keys_zone=cache:1m;";

    for (main, http, least) in [
        ("worker_processes 4; ipc_messages processes=7;", "", Some(8)),
        ("ipc_messages processes=7; worker_processes 4;", "", Some(8)),
        ("worker_processes 4; ipc_messages processes=8;", "", None),
        // The manager and the loader of the cache.
        (
            "worker_processes 4; ipc_messages processes=11;",
            cache,
            Some(12),
        ),
        (
            "worker_processes 4; ipc_messages processes=12;",
            cache,
            None,
        ),
        (
            "worker_processes 600; ipc_messages processes=1020;",
            "",
            None,
        ),
        ("worker_processes 4; ipc_messages;", "", None),
        ("master_process off; ipc_messages processes=1;", "", None),
    ] {
        let (is_accepted, said) = check(&nginx, main, http);

        assert!(is_accepted, "{main}: {said}");
        assert_eq!(
            said.contains("[warn] ") && said.contains("is too small for a reload"),
            least.is_some(),
            "{main}: {said}"
        );

        if let Some(least) = least {
            assert!(said.contains(&format!(" need {least}, ")), "{said}");
        }
    }
}

/// The largest and the smallest values work.
#[test]
fn extreme_values_work() {
    with_messages(extreme_values_work_in);
}

fn extreme_values_work_in(which: Which) {
    for (index, values) in [
        "size=256m max=127m processes=1020 spin=1000000",
        "size=1 max=1 processes=3",
        "memory=0 max=0 processes=0 spin=0",
        "spin=1000",
    ]
    .iter()
    .enumerate()
    {
        let nginx = start_with(
            &format!("messages_extreme{index}"),
            which,
            &format!("ipc_messages {values};"),
            "",
        );
        let workers = nginx.workers();
        let (&sender, &receiver) = (workers.first().unwrap(), workers.last().unwrap());

        // A message of 5 bytes is larger than `max=1` allows.
        if values.contains("max=1 ") {
            assert_eq!(ask(&nginx, sender, "/?n=1"), "sent:0 handled:0 gaps:0");
        } else {
            assert!(
                ask(&nginx, sender, "/?n=1").starts_with("sent:2 "),
                "{values}"
            );
            wait_for_handled(&nginx, receiver, 1);
        }

        nginx.quit(&[]);
    }
}

/// `nginx -t` accepts a configuration with messages, also while nginx runs, and leaves
/// nothing behind. A reload of a wrong configuration changes nothing.
#[test]
fn a_test_of_the_configuration_changes_nothing() {
    with_messages(a_test_of_the_configuration_changes_nothing_in);
}

fn a_test_of_the_configuration_changes_nothing_in(which: Which) {
    let nginx = start_with("messages_test_of_conf", which, "ipc_messages;", "");
    let workers = nginx.workers();
    let (&sender, &receiver) = (workers.first().unwrap(), workers.last().unwrap());
    let before = nginx.descriptors();
    let main = main_with(which, "ipc_messages size=8m;");
    let (is_accepted, said) = check(&nginx, &main, HTTP);

    assert!(is_accepted, "{said}");
    assert_eq!(said.lines().count(), 2, "{said}");

    let (is_accepted, said) = check(&nginx, &main_with(which, "ipc_messages max=x;"), HTTP);

    assert!(!is_accepted && said.contains("invalid parameter"), "{said}");
    nginx.signal(libc::SIGHUP);
    nginx.wait_for_line("invalid parameter \"max=x\"");
    assert_eq!(nginx.descriptors(), before);
    assert_eq!(nginx.workers(), workers);
    assert!(ask(&nginx, sender, "/?n=2").starts_with("sent:4 "));
    wait_for_handled(&nginx, receiver, 2);
    nginx.quit(&["[emerg]"]);
}

/// A reload with other sizes, or without the directive, logs a warning, and messages
/// go on with the old sizes. A reload with the same sizes logs none.
#[test]
fn a_reload_does_not_change_the_sizes() {
    with_messages(a_reload_does_not_change_the_sizes_in);
}

fn a_reload_does_not_change_the_sizes_in(which: Which) {
    let nginx = start_with("messages_sizes", which, "ipc_messages max=4;", "");
    let mut warnings = 0;

    for (directive, warning) in [
        ("ipc_messages max=4;", ""),
        ("ipc_messages max=4 spin=10;", ""),
        ("ipc_messages max=4 size=4m processes=64;", ""),
        ("ipc_messages max=8;", "\"max\" is 4 and not 8"),
        ("ipc_messages max=4 memory=8m;", "\"size\" is 4m and not 8m"),
        (
            "ipc_messages max=4 processes=100 size=100k;",
            "\"size\" is 4m and not 100k, \"processes\" is 64 and not 100",
        ),
        ("", "\"max\" is 4 and not 1m"),
    ] {
        nginx.configure(&main_with(which, directive), HTTP);

        let workers = nginx.reload();
        let (&sender, &receiver) = (workers.first().unwrap(), workers.last().unwrap());

        if !warning.is_empty() {
            warnings += 1;
        }

        let lines = nginx.lines(SIZES_CHANGE);

        assert_eq!(lines.len(), warnings, "{directive}");
        assert!(
            lines
                .last()
                .is_none_or(|line| warning.is_empty() || line.ends_with(warning)),
            "{lines:?}"
        );
        // The module's messages have 5 bytes, and those to oneself 4.
        assert_eq!(ask(&nginx, sender, "/?n=1"), "sent:0 handled:0 gaps:0");
        assert!(ask(&nginx, sender, "/?self=1").starts_with("sent:3 "));
        wait_for_handled(&nginx, receiver, 1);
    }

    nginx.quit(&[]);
}

/// A single process keeps its messages if a reload is refused. A reload that removes
/// the module, or adds it again, leaves no descriptor. After a reload no nginx answers
/// that is a single process, as `single::reload` shows.
#[test]
fn a_single_process_reloads() {
    with_messages(a_single_process_reloads_in);
}

fn a_single_process_reloads_in(which: Which) {
    let main = main_with(which, "master_process off; ipc_messages;");
    let wrong = main_with(which, "master_process off; ipc_messages spin=x;");
    let without = "user root; master_process off;";
    let nginx = Nginx::new("messages_single_reload", which, &main, HTTP);

    nginx.spawn(&[]);
    assert!(body(&nginx.get("/?self=1")).starts_with("sent:1 "));
    nginx.configure(&wrong, HTTP);
    nginx.wait_for_idle();
    nginx.signal(libc::SIGHUP);
    nginx.wait_for_line("invalid parameter \"spin=x\"");
    assert!(body(&nginx.get("/?self=1")).starts_with("sent:1 "));
    wait_until("messages to oneself", || {
        body(&nginx.get("/")) == "sent:0 handled:2 gaps:0"
    });
    nginx.wait_for_idle();

    let before = nginx.descriptors();

    for (n, main, http) in [(2, without, ""), (3, &*main, HTTP)] {
        nginx.configure(main, http);
        nginx.signal(libc::SIGHUP);
        nginx.wait_for_lines(n, ": reconfiguring");
        nginx.wait_for_idle();
    }

    nginx.wait_for_descriptors(&before);
    nginx.quit(&["[emerg]"]);
}
