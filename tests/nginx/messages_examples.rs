//! The modules in `examples/` that send messages.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use crate::defects::compiled_example;
use crate::messages_http::post_to;
use crate::nginx::{Nginx, Which, body, code, with_messages};
use crate::support::build::root;
use crate::support::server::{connect_to, free_port};
use crate::support::{sys, wait_until};

const WORKERS: usize = 3;

const PURGE: &str = "ngx_http_purge_module";
const SETTING: &str = "ngx_http_setting_module";
const HEALTH: &str = "ngx_http_health_module";
const BLOCKLIST: &str = "ngx_http_blocklist_module";

/// The directive that loads an example.
fn load(which: Which, name: &'static str) -> String {
    format!("load_module {};", compiled_example(name, which).display())
}

/// An nginx that has loaded an example.
fn start(test: &str, which: Which, name: &'static str, http: &str) -> Nginx {
    let main = format!(
        "{}\n{}\nuser root;\nworker_processes {WORKERS};",
        which.load_library(),
        load(which, name)
    );
    let nginx = Nginx::new(&format!("example_{test}"), which, &main, http);

    nginx.spawn(&[]);
    nginx.settled(WORKERS);
    nginx
}

/// The code of the answer to a POST request.
fn post(nginx: &Nginx, path: &str) -> String {
    code(&post_to(nginx.address(), path, "", b"")).to_string()
}

/// Waits until the answer of each worker has this property.
fn everywhere(nginx: &Nginx, path: &str, is: impl Fn(&str) -> bool) {
    for worker in nginx.workers() {
        wait_until(&format!("the answer of {worker} to {path}"), || {
            is(&nginx.get_from(worker, path))
        });
    }
}

/// Kills a worker, and then reloads. After both, the answer of each worker has this
/// property: also those of workers that have started later.
fn also_later(nginx: &Nginx, path: &str, is: impl Fn(&str) -> bool) {
    everywhere(nginx, path, &is);
    kill(nginx, *nginx.workers().first().expect("a worker"));
    everywhere(nginx, path, &is);
    nginx.reload();
    everywhere(nginx, path, &is);
}

/// Kills a worker, and waits for its replacement.
fn kill(nginx: &Nginx, worker: i32) {
    sys::kill(worker, libc::SIGKILL);
    wait_until("a replacement", || {
        let now = nginx.workers();

        now.len() == WORKERS && !now.contains(&worker)
    });
}

/// All workers purge a page.
#[test]
fn purge() {
    with_messages(|which| {
        let nginx = start(
            "purge",
            which,
            PURGE,
            "server { listen 127.0.0.1:PORT; location /purge { purge; } }",
        );

        assert_eq!(body(&nginx.get("/purge?/index.html")), "purged\n");
        nginx.wait_for_lines(WORKERS, ": purge /index.html");
        nginx.quit(&[]);
    });
}

/// A value is that which was set last, in all workers.
#[test]
fn setting() {
    with_messages(|which| {
        let nginx = start(
            "setting",
            which,
            SETTING,
            "server { listen 127.0.0.1:PORT;
                      location = /set { setting; }
                      location / { add_header X-Setting '<$setting>'; return 200 $setting; } }",
        );

        everywhere(&nginx, "/", |answer| body(answer).is_empty());
        assert_eq!(post(&nginx, "/set?blue"), "204");
        also_later(&nginx, "/", |answer| {
            body(answer) == "blue" && answer.contains("X-Setting: <blue>\r\n")
        });

        // A value that is too long, and a request that changes nothing.
        assert_eq!(post(&nginx, &format!("/set?{}", "x".repeat(257))), "400");
        assert_eq!(code(&nginx.get("/set?green")), "400");
        everywhere(&nginx, "/", |answer| body(answer) == "blue");

        let long = "y".repeat(256);

        for value in [long.as_str(), "red", ""] {
            assert_eq!(post(&nginx, &format!("/set?{value}")), "204");
            everywhere(&nginx, "/", |answer| body(answer) == value);
        }

        nginx.quit(&["exited on signal 9"]);
    });
}

/// The result of the check that one worker makes is that of all workers.
#[test]
fn health() {
    with_messages(|which| {
        let http = "
            server { listen 127.0.0.1:BACKEND;
                     location / { if (-f DIRECTORY/down) { return 503; } return 200; } }
            server { listen 127.0.0.1:PORT;
                     location = /check { proxy_pass http://127.0.0.1:BACKEND;
                                         if ($arg_denied) { return 503; } }
                     location = /other { proxy_pass http://127.0.0.1:BACKEND; }
                     location / { return 200 $health; } }"
            .replace("BACKEND", &free_port().to_string());
        let nginx = start("health", which, HEALTH, &http);
        let down = nginx.directory.join("down");

        assert_eq!(code(&nginx.get("/check")), "200");
        everywhere(&nginx, "/", |answer| body(answer) == "up");

        // Only a check that has asked the server counts.
        fs::write(&down, "").expect("a file");
        assert_eq!(code(&nginx.get("/other")), "503");
        assert_eq!(code(&nginx.get("/check?denied=1")), "503");
        everywhere(&nginx, "/", |answer| body(answer) == "up");

        assert_eq!(code(&nginx.get("/check")), "503");
        also_later(&nginx, "/", |answer| body(answer) == "down");

        fs::remove_file(&down).expect("no file");
        assert_eq!(code(&nginx.get("/check")), "200");
        also_later(&nginx, "/", |answer| body(answer) == "up");
        nginx.quit(&["exited on signal 9"]);
    });
}

/// Two locations that a client of the block list gets, and one with the status 429.
const LIMITED: &str = "
    limit_req_zone $binary_remote_addr zone=clients:1m rate=1r/m;
    server {
        listen 127.0.0.1:PORT;
        listen unix:DIRECTORY/socket;
        location = /alive { return 204; }
        location = /429 { return 429; }
        root DIRECTORY;
        location = /limited { limit_req zone=clients; limit_req_status 429; try_files /page =404; }
        location / { try_files /page =404; }
    }";

/// A client of the Unix socket, whose address is "unix:".
fn other_client(nginx: &Nginx) -> UnixStream {
    UnixStream::connect(nginx.directory.join("socket")).expect("a connection")
}

/// Sends a request.
fn send(client: &mut impl Write, path: &str) {
    write!(client, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("a request");
}

/// The status of the next answer, which is read up to the end of its head.
fn status(client: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0];

    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte).expect("an answer");
        head.extend(byte);
    }

    code(&String::from_utf8_lossy(&head)).to_string()
}

/// The statuses of the answers that both clients get.
fn statuses(nginx: &Nginx) -> [String; 2] {
    let mut other = other_client(nginx);

    send(&mut other, "/");
    [code(&nginx.get("/")).to_string(), status(&mut other)]
}

/// A client that one worker has limited is refused by all, and another client is not.
#[test]
fn blocklist() {
    with_messages(|which| {
        let nginx = start("blocklist", which, BLOCKLIST, LIMITED);

        fs::write(nginx.directory.join("page"), "page").expect("a page");

        assert_eq!(code(&nginx.get("/limited")), "200");
        everywhere(&nginx, "/", |answer| body(answer) == "page");
        assert_eq!(code(&nginx.get("/limited")), "429");
        also_later(&nginx, "/", |answer| code(answer) == "403");
        assert_eq!(statuses(&nginx), ["403", "200"]);
        nginx.quit(&["exited on signal 9", "limiting requests"]);
    });
}

/// Two workers block a client each, at one time. All workers refuse both clients, also a
/// worker that starts later.
#[test]
fn blocklist_of_two_workers() {
    with_messages(|which| {
        let nginx = start("blocklist_two", which, BLOCKLIST, LIMITED);
        let mut workers = nginx.workers();
        let first = workers.pop_first().expect("a worker");
        let second = workers.pop_first().expect("a worker");
        let third = workers.pop_first().expect("a worker");

        let mut one = nginx.with_only(first, || {
            let mut client = connect_to(nginx.address()).expect("a connection");

            send(&mut client, "/alive");
            assert_eq!(status(&mut client), "204");
            client
        });
        let mut two = nginx.with_only(second, || {
            let mut client = other_client(&nginx);

            send(&mut client, "/alive");
            assert_eq!(status(&mut client), "204");
            client
        });

        // The request reaches the second worker before the list of the first one.
        nginx.with_only(first, || {
            send(&mut two, "/429");
            send(&mut one, "/429");
            assert_eq!(status(&mut one), "429");
        });
        assert_eq!(status(&mut two), "429");

        let refuse = || {
            for worker in nginx.workers() {
                wait_until("a worker that refuses both clients", || {
                    nginx.with_only(worker, || statuses(&nginx) == ["403", "403"])
                });
            }
        };

        refuse();
        kill(&nginx, third);
        refuse();
        nginx.quit(&["exited on signal 9"]);
    });
}

/// An unmodified nginx loads the library before an example. In the other order it does not
/// start, and says which function is missing.
#[test]
fn order_of_modules() {
    let which = Which::Loaded;
    let library = which.load_library();

    for name in [PURGE, SETTING, HEALTH, BLOCKLIST] {
        let example = load(which, name);
        let test = |main: String| {
            let out = Nginx::new("example_order", which, &main, "").run(&["-t"]);

            (
                out.status.success(),
                String::from_utf8_lossy(&out.stderr).into_owned(),
            )
        };
        let (is_accepted, said) = test(format!("{library}\n{example}"));

        assert!(is_accepted, "{said}");

        let (is_accepted, said) = test(format!("{example}\n{library}"));

        assert!(!is_accepted, "{said}");
        assert!(
            said.contains("undefined symbol: ngx_ipc_message_"),
            "{said}"
        );
    }
}

/// The documents say that each example has 60 lines at most.
#[test]
fn lines() {
    for name in [PURGE, SETTING, HEALTH, BLOCKLIST] {
        let file = root().join(format!("examples/{name}.c"));
        let text = fs::read_to_string(&file).expect("an example");

        assert!(text.lines().count() <= 60, "{}", file.display());
    }
}
