//! Zones with `ngx_ipc_keep_zones`: their content survives a restart, a binary upgrade, and
//! processes that were killed. A stock nginx beside it loses the content.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use crate::nginx::{Nginx, Which, ask, both, code, header};
use crate::support::server::free_port;
use crate::support::upgrade::{change_binary, retire};
use crate::support::{proc, sys, wait_until};
use crate::zones::{SSL, certificate, connect};

/// How one nginx follows another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// SIGQUIT, and a new start.
    Restart,
    /// SIGKILL of all processes, and a new start.
    Kill,
    /// SIGUSR2, and SIGQUIT of the old master.
    Upgrade,
}

pub const WORKERS: usize = 2;

/// The directives of the main context.
pub fn main_of(which: Which) -> String {
    let keep = match which {
        Which::Ipc => "ngx_ipc_keep_zones DIRECTORY/zones;",
        Which::Stock | Which::Loaded => "",
    };

    format!("daemon on; worker_processes {WORKERS}; error_log log info; {keep}")
}

/// The files of the zones, with their inodes.
pub fn files(nginx: &Nginx) -> BTreeMap<String, u64> {
    let entries = fs::read_dir(nginx.directory.join("zones"));

    entries
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("an entry"))
        .map(|entry| {
            let inode = entry.metadata().expect("a file").ino();

            (entry.file_name().into_string().expect("UTF-8"), inode)
        })
        .collect()
}

/// The path of the file of a zone.
pub fn file(nginx: &Nginx, zone: &str) -> PathBuf {
    nginx.directory.join("zones").join(format!("{zone}.zone"))
}

pub fn start(nginx: &Nginx) {
    nginx.spawn(&["-d"]);
    nginx.wait_for_workers(WORKERS);
}

pub fn stop(nginx: &Nginx) {
    nginx.quit(&["exited on signal 9"]);
}

fn kill_all(nginx: &Nginx) {
    let master = nginx.master();
    let all = nginx.processes();

    // Without its master, no process is started any more.
    for pid in [master].into_iter().chain(all) {
        sys::kill(pid, libc::SIGKILL);
    }

    wait_until("the end of all processes", || {
        nginx.processes().iter().all(|&pid| !proc::alive(pid))
    });
    fs::remove_file(nginx.pidfile()).expect("a pid file");
}

fn follow(nginx: &Nginx, how: How) {
    match how {
        How::Restart => {
            stop(nginx);
            start(nginx);
        }
        How::Kill => {
            kill_all(nginx);
            start(nginx);
        }
        How::Upgrade => {
            let (old, _) = change_binary(nginx, WORKERS);

            retire(nginx, old);
        }
    }
}

/// What clients see before and after.
fn seen(
    test: &str,
    how: How,
    http: &str,
    ask: impl Fn(&Nginx, bool) -> Vec<String> + Sync,
) -> [Vec<String>; 2] {
    both(|which| {
        let nginx = Nginx::new(test, which, &main_of(which), http);

        certificate(&nginx);
        start(&nginx);

        let mut all = ask(&nginx, false);

        follow(&nginx, how);
        all.extend(ask(&nginx, true));
        stop(&nginx);
        assert_eq!(nginx.lines("[warn]"), [""; 0]);

        all
    })
}

const ALL: [(&str, How); 3] = [
    ("restart", How::Restart),
    ("kill", How::Kill),
    ("upgrade", How::Upgrade),
];

pub const LIMIT_REQ: &str = "
    limit_req_zone $uri zone=r:SIZE rate=1r/m;
    server {
        listen 127.0.0.1:PORT;
        location / { limit_req zone=r burst=1 nodelay; limit_req_status 429; empty_gif; }
    }";

/// Requests to a limited location.
pub fn ask_limited(nginx: &Nginx, n: usize) -> Vec<String> {
    (0..n).map(|_| code(&nginx.get("/")).to_string()).collect()
}

#[test]
fn limit_req() {
    for (name, how) in ALL {
        let http = LIMIT_REQ.replace("SIZE", "64k");
        let test = format!("kept_req_{name}");
        let [stock, ipc] = seen(&test, how, &http, |nginx, is_after| {
            let mut codes = ask_limited(nginx, if is_after { 1 } else { 3 });

            // A new key gets a node in the tree.
            if is_after {
                codes.push(code(&nginx.get("/other")).to_string());
            }

            codes
        });

        assert_eq!(stock, ["200", "200", "429", "200", "200"], "{name}");
        assert_eq!(ipc, ["200", "200", "429", "429", "200"], "{name}");
    }
}

/// The cache keeps an answer from the second request on, so it is seen whether the first one
/// was counted.
#[test]
fn cache() {
    const HTTP: &str = "
        proxy_cache_path DIRECTORY/cache keys_zone=c:256k;
        server {
            listen 127.0.0.1:PORT;
            location / {
                proxy_cache c;
                proxy_cache_min_uses 2;
                proxy_cache_valid 200 1h;
                proxy_pass http://127.0.0.1:PORT/origin/;
                add_header X-Cache $upstream_cache_status;
            }
            location /origin/ { return 200 hello; }
        }";

    for (name, how) in ALL {
        let test = format!("kept_cache_{name}");
        let [stock, ipc] = seen(&test, how, HTTP, |nginx, is_after| {
            let ask = |path: &&str| header(&nginx.get(path), "X-Cache").to_string();
            // An answer that was not asked for before gets a node in the tree.
            let paths: &[&str] = if is_after {
                &["/", "/", "/other"]
            } else {
                &["/"]
            };

            paths.iter().map(ask).collect()
        });

        assert_eq!(stock, ["MISS", "MISS", "MISS", "MISS"], "{name}");
        assert_eq!(ipc, ["MISS", "MISS", "HIT", "MISS"], "{name}");
    }
}

#[test]
fn ssl_sessions() {
    for (name, how) in ALL {
        let test = format!("kept_ssl_{name}");
        let [stock, ipc] = seen(&test, how, SSL, |nginx, is_after| {
            // A new session gets a node in the tree.
            let options: &[&str] = if is_after {
                &["-sess_in", "-sess_out"]
            } else {
                &["-sess_out"]
            };

            options
                .iter()
                .map(|option| connect(nginx, option))
                .collect()
        });

        assert_eq!(stock, ["reused:.", "reused:.", "reused:."], "{name}");
        assert_eq!(ipc, ["reused:.", "reused:r", "reused:."], "{name}");
    }
}

/// All processes are killed while a request uses an entry of the cache. The manager of the next
/// nginx finds that no request uses the entry, and removes it.
#[test]
fn an_entry_in_use() {
    const HTTP: &str = "
        proxy_cache_path DIRECTORY/cache keys_zone=c:256k inactive=1s;
        server {
            listen 127.0.0.1:PORT;
            location / { proxy_cache c; proxy_pass http://127.0.0.1:UPSTREAM; }
        }";

    let upstream = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let port = upstream.local_addr().expect("an address").port();
    let main = main_of(Which::Ipc).replace("log info", "log debug");
    let http = HTTP.replace("UPSTREAM", &port.to_string());
    let nginx = Nginx::new("kept_entry", Which::Ipc, &main, &http);

    start(&nginx);

    let mut client = nginx.connect();

    ask(&mut client, "/").expect("a request sent");

    let _held = upstream.accept().expect("a request of nginx");

    follow(&nginx, How::Kill);
    nginx.wait_for_line("the zone \"c\" has the content of an earlier nginx");
    nginx.wait_for_line("http file cache expire: #0 0 ");
    stop(&nginx);
}

/// Workers of the old binary go on with their zone, while the new binary has a copy.
#[test]
fn both_binaries_run() {
    let http = LIMIT_REQ.replace("SIZE", "64k");
    let nginx = Nginx::new("kept_both", Which::Ipc, &main_of(Which::Ipc), &http);

    start(&nginx);
    assert_eq!(ask_limited(&nginx, 3), ["200", "200", "429"]);

    let before = files(&nginx);
    let (old, new) = change_binary(&nginx, WORKERS);

    assert_ne!(files(&nginx), before, "a copy");

    // Workers of both binaries answer.
    nginx.with_each(|_| assert_eq!(ask_limited(&nginx, 1), ["429"]));
    sys::kill(new, libc::SIGQUIT);
    crate::support::upgrade::wait_for_old(&nginx, old, new);
    assert_eq!(ask_limited(&nginx, 1), ["429"]);
    stop(&nginx);
    start(&nginx);
    assert_eq!(ask_limited(&nginx, 1), ["429"]);
    stop(&nginx);
}

/// The file of a zone is removed with the zone, and is another one if the size changes. A
/// reload that fails changes nothing.
#[test]
fn reload() {
    const TWO: &str = "
        limit_req_zone all zone=r:SIZE rate=1r/m;
        limit_req_zone all zone=other:64k rate=1r/m;
        limit_conn_zone all zone=connections:64k;
        upstream u { zone u 64k; server 127.0.0.1:PORT; }";

    let main = main_of(Which::Ipc);
    let nginx = Nginx::new(
        "kept_reload",
        Which::Ipc,
        &main,
        &TWO.replace("SIZE", "64k"),
    );
    let names = |files: &BTreeMap<String, u64>| Vec::from_iter(files.keys().cloned());

    start(&nginx);

    let first = files(&nginx);

    // Neither connections nor the state of an upstream are kept.
    assert_eq!(names(&first), ["other.zone", "r.zone"]);
    nginx.reload();
    assert_eq!(files(&nginx), first);

    nginx.configure(
        &main,
        &format!(
            "{}\nserver {{ listen 1.2.3.4:1; }}",
            TWO.replace("SIZE", "128k")
        ),
    );
    nginx.signal(libc::SIGHUP);
    nginx.wait_for_line("bind() to 1.2.3.4:1 failed");
    assert_eq!(files(&nginx), first, "a failed reload");

    nginx.configure(&main, &TWO.replace("SIZE", "128k"));
    nginx.reload();

    let second = files(&nginx);

    assert_eq!(names(&second), names(&first));
    assert_eq!(second["other.zone"], first["other.zone"]);
    assert_ne!(second["r.zone"], first["r.zone"]);

    nginx.configure(&main, "limit_req_zone all zone=r:128k rate=1r/m;");
    nginx.reload();
    assert_eq!(names(&files(&nginx)), ["r.zone"]);
    assert_eq!(files(&nginx)["r.zone"], second["r.zone"]);
    nginx.quit(&["1.2.3.4"]);
    assert_eq!(nginx.lines("[warn]"), [""; 0]);
}

/// `nginx -t` makes no directory, and leaves the files as they are.
#[test]
fn a_test_of_the_configuration_changes_nothing() {
    let http = LIMIT_REQ.replace("SIZE", "64k");
    let nginx = Nginx::new("kept_test", Which::Ipc, &main_of(Which::Ipc), &http);
    let port = free_port();

    assert!(nginx.run(&["-t"]).status.success());
    assert!(!nginx.directory.join("zones").exists());
    start(&nginx);

    let before = (files(&nginx), fs::read(file(&nginx, "r")).expect("a file"));

    nginx.configure(
        &main_of(Which::Ipc),
        &http
            .replace("PORT", &port.to_string())
            .replace("64k", "128k"),
    );
    assert!(nginx.run(&["-t"]).status.success());
    assert_eq!(files(&nginx), before.0);
    assert!(fs::read(file(&nginx, "r")).expect("a file") == before.1);
    stop(&nginx);
}
