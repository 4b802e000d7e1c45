//! The directives `ipc_publish` and `ipc_receive`: messages to workers, and to clients that
//! receive server-sent events.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::defects::compiled;
use crate::nginx::{Nginx, Which, code, header, with_messages};
use crate::support::server::connect_to;
use crate::support::{sys, wait_until};

const WORKERS: usize = 4;

const LOCATIONS: &str = "
    server {
        listen 127.0.0.1:PORT;
        client_max_body_size 10m;
        client_body_buffer_size 1k;
        location = /publish { ipc_publish purge; }
        location = /others  { ipc_publish purge to=others; }
        location = /patient { ipc_publish purge to=others timeout=30s; }
        location = /one     { ipc_publish purge to=exactly_one; }
        location = /worker  { ipc_publish purge to=worker timeout=200ms; }
        location = /other   { ipc_publish another; }
        location = /events  { ipc_receive purge; }
    }";

fn main_with(which: Which, workers: usize) -> String {
    format!(
        "{}\nuser root;\nworker_processes {workers};\nerror_log log info;\n\
         ipc_messages max=2m;",
        which.load_http()
    )
}

fn start(test: &str, which: Which) -> Nginx {
    let nginx = Nginx::new(test, which, &main_with(which, WORKERS), LOCATIONS);

    nginx.spawn(&[]);
    nginx.wait_for_workers(WORKERS);
    wait_until("workers that take messages", || {
        workers(&post(&nginx, "/publish", b""), "taken").len() == WORKERS
    });
    nginx
}

/// Sends a request with a body; returns the whole answer.
fn post(nginx: &Nginx, path: &str, bytes: &[u8]) -> String {
    post_to(nginx.address(), path, "", bytes)
}

/// Does the same with a server at `address` and with more lines in the head, each with CR LF.
pub fn post_to(address: SocketAddr, path: &str, head: &str, bytes: &[u8]) -> String {
    let mut stream = connect_to(address).expect("a connection");
    let mut answer = Vec::new();

    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\
         {head}Connection: close\r\n\r\n",
        bytes.len()
    )
    .expect("a request");
    stream.write_all(bytes).expect("a body");
    stream.read_to_end(&mut answer).expect("an answer");

    String::from_utf8_lossy(&answer).into_owned()
}

/// The text of a list of an answer, between its brackets.
fn list<'a>(answer: &'a str, name: &str) -> &'a str {
    let (_, rest) = answer
        .split_once(&format!("\"{name}\":["))
        .unwrap_or_else(|| panic!("no {name} in {answer}"));

    rest.split(']').next().expect("a list")
}

/// The numbers after `name` in a list.
fn numbers(list: &str, name: &str) -> Vec<usize> {
    list.split(&format!("\"{name}\":"))
        .skip(1)
        .map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_digit()).expect("an end");

            rest[..end].parse().expect("a number")
        })
        .collect()
}

/// The workers of a list of an answer.
fn workers(answer: &str, name: &str) -> Vec<usize> {
    numbers(list(answer, name), "worker")
}

/// How many clients have got a message.
fn clients(answer: &str) -> usize {
    numbers(list(answer, "taken"), "clients").iter().sum()
}

/// A client that receives events.
pub struct Client(BufReader<TcpStream>);

impl Client {
    /// A client that has got the beginning of the answer.
    pub fn new(nginx: &Nginx) -> Self {
        Self::with_head(nginx, "")
    }

    /// The same, with more lines in the head of the request, each with CR LF.
    pub fn with_head(nginx: &Nginx, head: &str) -> Self {
        let mut stream = connect_to(nginx.address()).expect("a connection");

        write!(
            stream,
            "GET /events HTTP/1.0\r\nHost: localhost\r\nAccept: text/event-stream\r\n{head}\r\n"
        )
        .expect("a request");

        let mut client = Self(BufReader::new(stream));
        let mut lines = Vec::new();

        while lines.last().is_none_or(|line| line != "retry: 1000") {
            lines.push(client.line().expect("a line"));
        }

        let head = lines.join("\n");

        assert_eq!(code(&head), "200", "{head}");
        assert_eq!(header(&head, "Content-Type"), "text/event-stream");
        assert_eq!(header(&head, "Cache-Control"), "no-cache");
        assert_eq!(client.line().as_deref(), Some(""));
        client
    }

    /// The next line; `None` at the end.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();

        match self.0.read_line(&mut line) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(line.trim_end_matches(['\r', '\n']).to_string()),
        }
    }

    /// Reads as many bytes.
    pub fn read_exact(&mut self, bytes: &mut [u8]) {
        self.0.read_exact(bytes).expect("more of the answer");
    }

    /// The lines of the next event.
    pub fn event(&mut self) -> Vec<String> {
        let mut lines = Vec::new();

        while let Some(line) = self.line().filter(|line| !line.is_empty()) {
            lines.push(line);
        }

        lines
    }
}

/// Each client gets each message once, and the answer tells how many have got it.
#[test]
fn a_message_reaches_the_clients_of_all_workers() {
    with_messages(a_message_reaches_the_clients_of_all_workers_in);
}

fn a_message_reaches_the_clients_of_all_workers_in(which: Which) {
    let nginx = start("messages_http", which);
    let mut all: Vec<_> = (0..12).map(|_| Client::new(&nginx)).collect();

    for (text, lines) in [
        (&b"/a"[..], &["data: /a"][..]),
        (b"", &["data: "]),
        (
            b"x\ny\r\nz\rw",
            &["data: x", "data: y", "data: z", "data: w"],
        ),
        (b"end\n", &["data: end", "data: "]),
    ] {
        let answer = post(&nginx, "/publish", text);

        assert_eq!(code(&answer), "200", "{answer}");
        assert_eq!(header(&answer, "Content-Type"), "application/json");
        assert_eq!(workers(&answer, "taken"), [0, 1, 2, 3], "{answer}");
        assert_eq!(list(&answer, "missed"), "");
        assert_eq!(clients(&answer), all.len());

        for client in &mut all {
            assert_eq!(client.event(), lines);
        }
    }

    // Another type has no clients.
    let answer = post(&nginx, "/other", b"x");

    assert_eq!(workers(&answer, "taken"), [0, 1, 2, 3], "{answer}");
    assert_eq!(clients(&answer), 0);

    // A client that has gone is not counted any more.
    all.truncate(5);
    wait_until("clients that have gone", || {
        clients(&post(&nginx, "/publish", b"y")) == 5
    });

    for client in &mut all {
        assert_eq!(client.event(), ["data: y"]);
    }

    nginx.quit(&[]);
}

/// A body that nginx has written to a file, and one that no worker takes.
#[test]
fn large_bodies() {
    with_messages(large_bodies_in);
}

fn large_bodies_in(which: Which) {
    let nginx = start("messages_http_large", which);
    let mut client = Client::new(&nginx);
    let text: Vec<u8> = (0..1_000_000).map(|n| b'a' + (n % 26) as u8).collect();
    let answer = post(&nginx, "/publish", &text);

    assert_eq!(code(&answer), "200", "{answer}");
    assert_eq!(clients(&answer), 1);
    assert_eq!(
        client.event(),
        [format!("data: {}", String::from_utf8(text).unwrap())]
    );

    assert_eq!(code(&post(&nginx, "/publish", &[b'x'; 3 << 20])), "413");
    assert_eq!(code(&post(&nginx, "/publish", b"after")), "200");
    assert_eq!(client.event(), ["data: after"]);
    nginx.quit(&[]);
}

/// The parameter `to`, and requests that are refused.
#[test]
fn receivers() {
    with_messages(receivers_in);
}

fn receivers_in(which: Which) {
    let nginx = start("messages_http_to", which);

    for _ in 0..20 {
        let others = post(&nginx, "/others", b"x");
        let one = post(&nginx, "/one", b"x");

        assert_eq!(workers(&others, "taken").len(), WORKERS - 1, "{others}");
        assert_eq!(workers(&one, "taken").len(), 1, "{one}");
        assert_eq!(code(&one), "200");
    }

    for worker in 0..WORKERS {
        let answer = post(&nginx, &format!("/worker?worker={worker}"), b"x");

        assert_eq!(workers(&answer, "taken"), [worker], "{answer}");
    }

    for path in [
        "/worker",
        "/worker?worker=4",
        "/worker?worker=x",
        "/worker?worker=",
    ] {
        assert_eq!(code(&post(&nginx, path, b"x")), "400", "{path}");
    }

    for (answer, method) in [
        (nginx.get("/publish"), "POST"),
        (post(&nginx, "/events", b"x"), "GET"),
    ] {
        assert_eq!(code(&answer), "405", "{answer}");
        assert_eq!(header(&answer, "Allow"), method, "{answer}");
    }

    nginx.quit(&[]);
}

/// Blocks `if` and `limit_except` of a location have its directive.
#[test]
fn blocks_of_a_location() {
    with_messages(blocks_of_a_location_in);
}

fn blocks_of_a_location_in(which: Which) {
    let http = "server { listen 127.0.0.1:PORT;
        location = /if { ipc_publish a; if ($arg_x) { set $x 1; } }
        location = /return { ipc_publish a; if ($arg_x) { return 402; } }
        location = /allow { ipc_publish a to=worker; limit_except GET { allow 127.0.0.1; deny all; } }
        location = /deny { ipc_publish a; limit_except GET { deny all; } } }";
    let nginx = Nginx::new("messages_http_blocks", which, &main_with(which, 1), http);
    let send = |path| code(&post(&nginx, path, b"x")).to_string();

    nginx.spawn(&[]);
    nginx.wait_for_workers(1);

    for (path, status) in [
        ("/if", "200"),
        ("/if?x=1", "200"),
        ("/return", "200"),
        ("/return?x=1", "402"),
        ("/allow?worker=0", "200"),
        ("/allow", "400"),
        ("/deny", "403"),
    ] {
        assert_eq!(send(path), status, "{path}");
    }

    nginx.quit(&["access forbidden by rule"]);
}

/// A worker that does not answer in time, and one that is killed, are told.
#[test]
fn workers_that_do_not_take_a_message() {
    with_messages(workers_that_do_not_take_a_message_in);
}

fn workers_that_do_not_take_a_message_in(which: Which) {
    let nginx = start("messages_http_missed", which);
    let before = nginx.workers();
    let pids: Vec<i32> = before.iter().copied().collect();

    // The worker that answers is not stopped: all others are.
    let mut late = 0;

    nginx.with_only(pids[0], || {
        for worker in 0..WORKERS {
            let answer = post(&nginx, &format!("/worker?worker={worker}"), b"x");

            if code(&answer) == "503" {
                assert_eq!(
                    list(&answer, "missed"),
                    format!("{{\"worker\":{worker},\"reason\":\"too late\"}}")
                );
                assert_eq!(list(&answer, "taken"), "");
                late += 1;
            }
        }
    });
    assert_eq!(late, WORKERS - 1);

    sys::kill(pids[1], libc::SIGKILL);
    wait_until("a new worker that takes messages", || {
        nginx.workers() != before
            && workers(&post(&nginx, "/publish", b""), "taken").len() == WORKERS
    });
    nginx.quit(&["exited on signal 9"]);
}

/// A message that waits for a worker is for this process: if it dies, the sender is told
/// at once, and its replacement does not get the message.
#[test]
fn messages_that_wait_for_a_worker_that_dies() {
    with_messages(messages_that_wait_for_a_worker_that_dies_in);
}

fn messages_that_wait_for_a_worker_that_dies_in(which: Which) {
    let nginx = start("messages_http_died", which);
    let before = nginx.workers();
    let first = *before.first().expect("a worker");

    nginx.with_only(first, || {
        let mut stream = connect_to(nginx.address()).expect("a connection");
        let mut answer = String::new();

        write!(
            stream,
            "POST /patient HTTP/1.0\r\nContent-Length: 1\r\n\r\nx"
        )
        .expect("a request");

        // The worker reads this request after the other one.
        assert_eq!(code(&nginx.get("/publish")), "405");
        assert_eq!(code(&nginx.get("/publish")), "405");

        for &pid in before.iter().filter(|&&pid| pid != first) {
            sys::kill(pid, libc::SIGKILL);
        }

        stream.read_to_string(&mut answer).expect("an answer");
        assert_eq!(code(&answer), "503", "{answer}");
        assert_eq!(list(&answer, "taken"), "", "{answer}");
        assert_eq!(answer.matches("\"reason\":\"died\"").count(), WORKERS - 1);
    });

    let text = "are lost: they were for a dead process";

    nginx.wait_for_lines(WORKERS - 1, text);

    for line in nginx.lines(text) {
        assert!(line.contains(": 1 messages from worker "), "{line}");
    }

    nginx.quit(&["exited on signal 9"]);
}

/// A client that does not read does not stop the others, and is disconnected.
#[test]
fn a_client_that_does_not_read() {
    with_messages(a_client_that_does_not_read_in);
}

fn a_client_that_does_not_read_in(which: Which) {
    let nginx = start("messages_http_slow", which);
    let slow = Client::new(&nginx);
    let mut client = Client::new(&nginx);
    let text = [b'x'; 500_000];
    let mut sent = 0;

    while nginx.lines("is too slow").is_empty() {
        let answer = post(&nginx, "/publish", &text);

        assert_eq!(code(&answer), "200", "{answer}");
        assert_eq!(client.event().concat().len(), "data: ".len() + text.len());
        sent += 1;
        assert!(sent < 1000);
    }

    wait_until("one client", || {
        clients(&post(&nginx, "/publish", b"")) == 1
    });
    drop(slow);
    nginx.quit(&[]);
}

/// A reload and the end of nginx do not wait for clients that receive events.
#[test]
fn a_reload_disconnects_clients() {
    with_messages(a_reload_disconnects_clients_in);
}

fn a_reload_disconnects_clients_in(which: Which) {
    let nginx = start("messages_http_reload", which);
    let mut client = Client::new(&nginx);
    let old = nginx.workers();

    nginx.signal(libc::SIGHUP);
    assert_eq!(client.line(), None);
    wait_until("new workers", || {
        let now = nginx.workers();

        now.len() == WORKERS && now.is_disjoint(&old)
    });

    let mut client = Client::new(&nginx);

    assert_eq!(clients(&post(&nginx, "/publish", b"new")), 1);
    assert_eq!(client.event(), ["data: new"]);

    nginx.quit(&[]);
    assert_eq!(client.line(), None);
}

/// A worker that is told to exit answers first, although another worker does not.
#[test]
fn a_worker_that_exits_answers() {
    with_messages(a_worker_that_exits_answers_in);
}

fn a_worker_that_exits_answers_in(which: Which) {
    let nginx = start("messages_http_exits", which);
    let first = *nginx.workers().first().expect("a worker");

    nginx.with_only(first, || {
        let mut stream = connect_to(nginx.address()).expect("a connection");
        let mut answer = String::new();

        write!(
            stream,
            "POST /publish HTTP/1.0\r\nContent-Length: 1\r\n\r\nx"
        )
        .expect("a request");

        // The worker reads this request after the other one.
        assert_eq!(code(&nginx.get("/publish")), "405");
        assert_eq!(code(&nginx.get("/publish")), "405");
        sys::kill(first, libc::SIGQUIT);

        stream.read_to_string(&mut answer).expect("an answer");
        assert_eq!(code(&answer), "503", "{answer}");
        assert_eq!(workers(&answer, "taken").len(), 1, "{answer}");
        assert!(list(&answer, "missed").contains("too late"), "{answer}");
    });
    nginx.quit(&[]);
}

/// A page of another site, in a browser on this machine, cannot send.
#[test]
fn pages_of_other_sites() {
    let nginx = start("messages_http_origin", Which::Ipc);
    let send = |origin: &str| {
        let head = format!("Origin: {origin}\r\n");

        code(&post_to(nginx.address(), "/publish", &head, b"x")).to_string()
    };

    for origin in ["http://localhost", "HTTPS://LOCALHOST"] {
        assert_eq!(send(origin), "200", "{origin}");
    }

    for origin in [
        "http://example.com",
        "http://localhost:81",
        "http://localhos",
        "null",
        "",
    ] {
        assert_eq!(send(origin), "403", "{origin}");
    }

    nginx.quit(&["access forbidden: the request is from a page of another site"]);
}

/// The status for a request with this host in its head, and with more lines.
fn status_for(nginx: &Nginx, request: &str, host: &str, more: &str) -> String {
    let mut stream = connect_to(nginx.address()).expect("a connection");
    let mut line = String::new();

    write!(
        stream,
        "{request} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n{more}\r\n"
    )
    .expect("a request");
    BufReader::new(stream)
        .read_line(&mut line)
        .expect("an answer");

    code(&line).to_string()
}

/// The name server of another site leads a browser to this machine. A page of the site can
/// neither send nor receive.
#[test]
fn sites_with_an_address_of_this_machine() {
    let http = LOCATIONS.replace(
        "location = /events",
        "server_name www.example.com *.example.org .example.net mail.* ~.test;
         location = /any { ipc_publish purge from=any; }
         location = /any_events { ipc_receive purge from=any; }
         location = /events",
    );
    let nginx = Nginx::new(
        "messages_http_names",
        Which::Ipc,
        &main_with(Which::Ipc, 1),
        &http,
    );
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("a name");

    nginx.spawn(&[]);
    nginx.wait_for_workers(1);

    for host in [
        "localhost",
        "LOCALHOST:81",
        "app.localhost",
        "127.0.0.1:8080",
        "[::1]:8080",
        machine.trim(),
        "www.example.com",
        "a.example.org",
        "a.b.example.org",
        "example.net",
        "a.example.net:81",
    ] {
        let origin = format!("Origin: http://{host}\r\n");

        assert_eq!(
            status_for(&nginx, "POST /publish", host, &origin),
            "200",
            "{host}"
        );
        assert_eq!(status_for(&nginx, "GET /events", host, ""), "200", "{host}");
    }

    for host in [
        "example.com",
        "a.www.example.com",
        "www.example.com.attacker.test",
        "127.0.0.1.attacker.test",
        "localhost.attacker.test",
        "attacker-localhost",
        "attackerexample.org",
        "example.org",
        "attackerexample.net",
        "mail.attacker.test",
    ] {
        let origin = format!("Origin: http://{host}\r\n");

        assert_eq!(
            status_for(&nginx, "POST /publish", host, &origin),
            "403",
            "{host}"
        );
        assert_eq!(status_for(&nginx, "GET /events", host, ""), "403", "{host}");

        // A program that is no browser sends no "Origin".
        assert_eq!(status_for(&nginx, "POST /publish", host, ""), "200");
        assert_eq!(status_for(&nginx, "POST /any", host, &origin), "200");
        assert_eq!(status_for(&nginx, "GET /any_events", host, ""), "200");
    }

    nginx.quit(&["access forbidden: the host"]);
}

/// Values that are refused.
#[test]
fn directives() {
    with_messages(directives_in);
}

fn directives_in(which: Which) {
    let nginx = Nginx::new("messages_http_conf", which, &main_with(which, 1), "");
    let check = |directive: &str| {
        nginx.configure(
            &main_with(which, 1),
            &format!("server {{ listen 127.0.0.1:PORT; location / {{ {directive} }} }}"),
        );

        let out = nginx.run(&["-t"]);

        (
            out.status.success(),
            String::from_utf8(out.stderr).expect("UTF-8"),
        )
    };

    for (directive, why) in [
        ("ipc_publish;", "invalid number of arguments"),
        ("ipc_publish a to=none;", "invalid parameter \"to=none\""),
        (
            "ipc_publish a timeout=0;",
            "invalid parameter \"timeout=0\"",
        ),
        (
            "ipc_publish a timeout=x;",
            "invalid parameter \"timeout=x\"",
        ),
        ("ipc_publish a more;", "invalid parameter \"more\""),
        ("ipc_publish a; ipc_publish b;", "directive is duplicate"),
        ("ipc_receive a; ipc_receive b;", "directive is duplicate"),
        (
            "ipc_publish a; ipc_receive a;",
            "the location \"/\" has \"ipc_receive\" and another directive that answers",
        ),
        (
            "proxy_pass http://127.0.0.1:1; ipc_publish a;",
            "the location \"/\" has \"ipc_publish\" and another directive that answers",
        ),
        (
            "ipc_receive a; proxy_pass http://127.0.0.1:1;",
            "the location \"/\" has \"ipc_receive\" and another directive that answers requests in",
        ),
        (
            "ipc_publish a to=others to=all;",
            "duplicate parameter \"to=all\"",
        ),
        (
            "ipc_publish a timeout=1s to=all timeout=1s;",
            "duplicate parameter \"timeout=1s\"",
        ),
        ("ipc_publish to=all;", "a name comes before the parameters"),
        (
            "ipc_receive from=any;",
            "a name comes before the parameters",
        ),
        ("ipc_publish $arg_x;", "a name cannot be a variable"),
        ("ipc_receive a to=all;", "invalid parameter \"to=all\""),
        ("ipc_receive '';", "a name has 1 to 48 bytes"),
        ("ipc_publish (replies);", "does not begin with \"(\""),
        (
            "ipc_receive a1234567890123456789012345678901234567890123456789;",
            "a name has 1 to 48 bytes",
        ),
    ] {
        let (is_accepted, said) = check(directive);

        assert!(!is_accepted && said.contains(why), "{directive}: {said}");
    }

    for directive in [
        "ipc_publish a to=all timeout=5s from=any;",
        "ipc_receive a from=any;",
    ] {
        let (is_accepted, said) = check(directive);

        assert!(is_accepted, "{directive}: {said}");
    }
}

/// A reload that names more types than nginx has room for is refused, and the workers go on
/// with the configuration before. A restart has room again.
#[test]
fn too_many_types_are_refused() {
    with_messages(too_many_types_are_refused_in);
}

fn too_many_types_are_refused_in(which: Which) {
    let server = |names: &[(&str, usize)]| {
        let locations: String = names
            .iter()
            .flat_map(|&(name, n)| (0..n).map(move |i| format!("{name}{i}")))
            .map(|name| format!("location = /{name} {{ ipc_publish {name}; }}\n"))
            .collect();

        format!("server {{ listen 127.0.0.1:PORT;\n{locations} }}")
    };
    let main = main_with(which, 2);
    let nginx = Nginx::new("messages_types", which, &main, &server(&[("a", 200)]));

    nginx.spawn(&[]);
    nginx.wait_for_workers(2);

    let old = nginx.workers();

    nginx.configure(&main, &server(&[("b", 100)]));
    nginx.signal(libc::SIGHUP);
    nginx.wait_for_line("too many types of messages: nginx has no room for the type \"b");
    assert_eq!(nginx.workers(), old);
    assert_eq!(code(&post(&nginx, "/a0", b"")), "200");

    // Types that are known need no room, and some new ones have room.
    nginx.configure(&main, &server(&[("a", 200), ("b", 56)]));
    nginx.signal(libc::SIGHUP);
    nginx.wait_for_others(2, &old);
    assert_eq!(code(&post(&nginx, "/b55", b"")), "200");
    nginx.quit(&["too many types"]);

    nginx.configure(&main, &server(&[("b", 256)]));
    nginx.spawn(&[]);
    nginx.wait_for_workers(2);
    nginx.quit(&["too many types"]);

    nginx.configure(&main, &server(&[("b", 257)]));
    assert!(!nginx.run(&["-t"]).status.success());
}

/// A type that another module has registered is not served. nginx does not start with it,
/// and a reload with it leaves a master that runs.
#[test]
fn a_type_of_another_module() {
    let which = Which::Ipc;
    let server = |name| {
        format!("server {{ listen 127.0.0.1:PORT;\nlocation = /it {{ ipc_publish {name}; }} }}")
    };
    let main = format!(
        "load_module {};\n{}",
        compiled("ngx_http_messages_module", which).display(),
        main_with(which, 2)
    );
    let nginx = Nginx::new("messages_taken", which, &main, &server("messages_test"));

    assert!(!nginx.run(&["-t"]).status.success());

    nginx.configure(&main, &server("own"));
    nginx.spawn(&[]);
    nginx.wait_for_workers(2);

    let old = nginx.workers();

    nginx.configure(&main, &server("messages_test"));
    nginx.signal(libc::SIGHUP);
    nginx.wait_for_others(2, &old);
    assert_eq!(code(&post(&nginx, "/it", b"")), "503");
    nginx.quit(&["messages_test"]);
}
