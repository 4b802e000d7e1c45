//! The configuration of an unmodified nginx that has loaded the library: `nginx -t`, the
//! module removed and added again, other modules in its place, users, threads, and what the
//! module costs if it is not used.

use std::collections::BTreeMap;
use std::process::Command;

use crate::messages::{HTTP, ask, main_with, wait_for_handled};
use crate::nginx::{Nginx, Which, body, times};
use crate::support::{proc, wait_until};

const PAGE: &str = "server { listen 127.0.0.1:PORT; location / { return 200 $pid; } }";

const ROUNDS: usize = 10;

/// The block of nginx's own module for mail.
const MAIL: &str = "mail { server { listen unix:DIRECTORY/mail; protocol smtp; \
    smtp_auth none; auth_http 127.0.0.1:1; } }";

/// The directives of the main context with nginx's module for mail.
fn main_with_mail() -> String {
    format!("{}\nuser root;\nworker_processes 3;\n{MAIL}", load_mail())
}

fn load_mail() -> String {
    let module = Which::Loaded.module("ngx_mail_module");

    format!("load_module {};", module.display())
}

/// Whether the module for mail is there. Says so if it is not.
fn has_mail() -> bool {
    let is_there = Which::Loaded.module("ngx_mail_module").exists();

    if !is_there {
        eprintln!("SKIP: this nginx has no ngx_mail_module.so");
    }

    is_there
}

/// Each worker sends to the others.
fn all_broadcast(nginx: &Nginx) {
    let workers = nginx.workers();

    for &worker in &workers {
        assert!(ask(nginx, worker, "/?n=2").starts_with("sent:4 "));
    }

    for &worker in &workers {
        wait_for_handled(nginx, worker, 4);
    }
}

/// What a master has mapped, without the heap, and its descriptors.
fn held_by(pid: i32) -> (BTreeMap<String, usize>, usize) {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let mut counts = BTreeMap::new();

    for line in maps.lines() {
        let what = line.split_whitespace().nth(5).unwrap_or("anonymous");

        if what != "[heap]" {
            *counts.entry(what.to_string()).or_default() += 1;
        }
    }

    (counts, proc::descriptors(pid).len())
}

/// Reloads remove the module, load another one in its place, and add it again. The master
/// has no more descriptors and mappings afterwards, and the modules do not get each
/// other's configuration.
#[test]
fn the_module_is_removed_and_added() {
    if !has_mail() {
        return;
    }

    let with = main_with(Which::Loaded, "");
    let mail = main_with_mail();
    let both = format!("{with}\n{MAIL}").replacen(
        "load_module",
        &format!("{}\nload_module", load_mail()),
        1,
    );
    let nginx = Nginx::new("messages_loaded_rounds", Which::Loaded, &with, HTTP);
    let reload = |main: &str, http: &str| {
        nginx.configure(main, http);
        nginx.reload();
    };
    // nginx gives a module numbers that no module of this and of the previous
    // configuration has. So the mail module gets those that this module had.
    let round = || {
        reload("user root;\nworker_processes 3;", PAGE);
        reload(&mail, PAGE);
        assert!(body(&nginx.get("/")).parse::<i32>().is_ok());
        reload(&both, HTTP);
        all_broadcast(&nginx);
        reload(&with, HTTP);
        all_broadcast(&nginx);
    };

    nginx.spawn(&[]);
    nginx.settled(3);
    all_broadcast(&nginx);
    round();

    let before = held_by(nginx.master());

    (0..times(ROUNDS, 3)).for_each(|_| round());
    assert_eq!(held_by(nginx.master()), before);
    nginx.quit(&[]);
}

/// A configuration that is refused, with the module or without it, leaves the old one in
/// use, with its messages.
#[test]
fn a_refused_configuration_changes_nothing() {
    if !has_mail() {
        return;
    }

    let with = main_with(Which::Loaded, "");
    let nginx = Nginx::new("messages_loaded_refused", Which::Loaded, "", PAGE);
    let refuse = |main: &str| {
        let before = nginx.lines("[emerg]").len();

        nginx.configure(&format!("{main}\nwrong;"), PAGE);
        nginx.signal(libc::SIGHUP);
        nginx.wait_for_lines(before + 1, "unknown directive \"wrong\"");
    };

    nginx.configure("user root;\nworker_processes 3;", PAGE);
    nginx.spawn(&[]);
    nginx.settled(3);
    // The module gets numbers, and gives them back.
    refuse(&with);
    refuse(&main_with_mail());
    nginx.configure(&with, HTTP);
    nginx.reload();
    all_broadcast(&nginx);

    let workers = nginx.workers();

    refuse(&with);
    refuse("");
    refuse(&main_with_mail());
    assert_eq!(nginx.workers(), workers);

    for &worker in &workers {
        assert!(ask(&nginx, worker, "/?n=1").starts_with("sent:2 "));
    }

    for &worker in &workers {
        wait_for_handled(&nginx, worker, 6);
    }

    nginx.quit(&["[emerg]"]);
}

/// `nginx -t` makes no memory and no descriptors for messages.
#[test]
fn a_test_of_the_configuration_makes_nothing() {
    let nginx = Nginx::new("messages_loaded_test", Which::Loaded, "", "");
    let calls = |main: &str, http: &str| {
        nginx.configure(main, http);

        let said = nginx.directory.join("strace");
        let out = Command::new("strace")
            .args(["-f", "-e", "trace=eventfd2,memfd_create,mmap", "-o"])
            .args([said.as_os_str(), nginx.exe.as_os_str()])
            .args(&nginx.instead)
            .arg("-t")
            .output()
            .unwrap();

        assert!(out.status.success(), "{out:?}");
        assert!(String::from_utf8_lossy(&out.stderr).contains("test is successful"));

        let text = std::fs::read_to_string(said).unwrap();
        let count = |what| text.matches(what).count();

        [count("MAP_SHARED"), count("eventfd"), count("memfd")]
    };
    // The counters of the status page are there, as nginx's own zones are.
    let without = calls(&Which::Loaded.load_library(), PAGE);
    let with = main_with(Which::Loaded, "ipc_messages;");

    assert_eq!(calls(&with, HTTP), without);
}

/// Workers of another user, with threads, with and without other options.
#[test]
fn other_options() {
    for (index, main) in [
        "user nobody nogroup;\nworker_processes 3;",
        "user root;\nworker_processes 3;\nthread_pool default threads=2;",
        "daemon on;\nuser root;\nworker_processes 3;",
        "user root;\nworker_processes 3;\nworker_cpu_affinity auto;\ntimer_resolution 50ms;",
    ]
    .into_iter()
    .enumerate()
    {
        let [library, module] = ["ngx_ipc_module", ""].map(|name| match name {
            "" => crate::defects::compiled("ngx_http_messages_module", Which::Loaded),
            _ => Which::Loaded.module(name),
        });
        let main = format!(
            "load_module {};\nload_module {};\n{main}",
            library.display(),
            module.display()
        );
        let http = if main.contains("thread_pool") {
            format!("aio threads;\nsendfile on;\n{HTTP}")
        } else {
            HTTP.to_string()
        };
        let test = format!("messages_loaded_options{index}");
        let nginx = Nginx::new(&test, Which::Loaded, &main, &http);
        let options: &[&str] = if main.contains("daemon on") {
            &["-d"]
        } else {
            &[]
        };

        nginx.spawn(options);
        nginx.wait_for_workers(3);
        all_broadcast(&nginx);
        nginx.reload();
        wait_until("the end of the old workers", || {
            nginx.shutting_down().is_empty()
        });
        all_broadcast(&nginx);
        nginx.quit(&[]);
    }
}

/// The memory of all processes, in kilobytes, without the pages of files: processes of other
/// tests share those.
fn memory(nginx: &Nginx) -> usize {
    let of = |pid| proc::anonymous_memory(pid) + proc::kilobytes(pid, "RssShmem");

    nginx.processes().into_iter().map(of).sum()
}

/// If the module is loaded and not used, idle workers make no system calls, and the master
/// has no descriptor and no shared memory of it. With messages, idle workers make none
/// either.
#[test]
fn an_idle_nginx_does_nothing() {
    let load = Which::Loaded.load_library();
    let run = |which, test: &str, main: &str| {
        let nginx = Nginx::new(
            test,
            which,
            &format!("{main}\nuser root;\nworker_processes 3;"),
            PAGE,
        );

        nginx.spawn(&[]);
        nginx.settled(3);
        nginx.stays_idle(std::time::Duration::from_millis(300));

        let found = (memory(&nginx), proc::descriptors(nginx.master()).len());

        nginx.quit(&[]);
        found
    };
    let (stock, stock_fds) = run(Which::Stock, "messages_idle", "");
    let (unused, unused_fds) = run(Which::Loaded, "messages_idle", &load);
    let messages = format!("{load}\nipc_messages;");
    let (used, used_fds) = run(Which::Loaded, "messages_idle_used", &messages);

    println!("kB without files: stock {stock}, loaded {unused}, with messages {used}");
    println!("descriptors of the master: {stock_fds}, {unused_fds}, {used_fds}");
    assert_eq!(unused_fds, stock_fds);
    // The relocated data of the module, in each process.
    assert!(stock > 0);
    assert!(unused < stock + 512, "{unused} and {stock} kB");
}
