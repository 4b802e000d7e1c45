//! Tests of shared zones: data that one worker writes is seen by the other
//! worker and by the next generation of workers.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::nginx::{Nginx, Which, ask, body, code, header, same};
use crate::support::server::free_port;
use crate::support::state::Descriptors;
use crate::support::wait_until;

/// Starts an nginx with two workers; returns it, and the descriptors of its
/// processes.
fn two_workers(test: &str, which: Which, http: &str) -> (Nginx, Vec<Descriptors>) {
    let nginx = Nginx::new(test, which, TWO, http);

    nginx.spawn(&[]);

    let open = nginx.settled(2);

    (nginx, open)
}

fn workers(nginx: &Nginx) -> [i32; 2] {
    let workers: Vec<_> = nginx.workers().into_iter().collect();

    [workers[0], workers[1]]
}

/// Reloads once more, checks that the processes have the descriptors of the
/// beginning, and quits.
fn end(nginx: &Nginx, before: &[Descriptors]) {
    nginx.reload();
    nginx.wait_for_descriptors(before);
    nginx.quit(&[]);
}

pub const TWO: &str = "worker_processes 2;";

pub const LIMIT_REQ: &str = "
    limit_req_zone all zone=r:64k rate=1r/m;
    server {
        listen 127.0.0.1:PORT;
        location / { limit_req zone=r burst=1 nodelay; limit_req_status 429; empty_gif; }
    }";

/// Starts and reloads an nginx with `LIMIT_REQ`, and checks that two requests
/// are within the limit, whichever worker gets them. Returns the descriptors
/// before the reload.
pub fn limits_requests(nginx: &Nginx) -> Vec<Descriptors> {
    let mut codes = Vec::new();
    let mut ask_each = || {
        for worker in workers(nginx) {
            codes.push(code(&nginx.get_from(worker, "/")).to_string());
        }
    };

    nginx.spawn(&[]);

    let before = nginx.settled(2);

    ask_each();
    ask_each();
    nginx.reload();
    ask_each();

    assert_eq!(codes, ["200", "200", "429", "429", "429", "429"]);
    before
}

#[test]
fn limit_req() {
    same(|which| {
        let nginx = Nginx::new("limit_req", which, TWO, LIMIT_REQ);

        let before = limits_requests(&nginx);

        end(&nginx, &before);
    });
}

/// Requests that nginx has passed to the test and for whose answers it waits.
struct Held<'a> {
    nginx: &'a Nginx,
    upstream: &'a TcpListener,
    held: Vec<(TcpStream, TcpStream)>,
}

impl Held<'_> {
    fn hold(&mut self, worker: i32) {
        self.held.push(self.nginx.with_only(worker, || {
            let mut client = self.nginx.connect();

            ask(&mut client, "/").expect("a request sent");
            (client, self.upstream.accept().expect("an upstream").0)
        }));
    }

    /// Answers the oldest request.
    fn release(&mut self) {
        let (mut client, upstream) = self.held.remove(0);
        let mut answer = String::new();

        drop(upstream);
        client.read_to_string(&mut answer).expect("an answer");
        assert_eq!(code(&answer), "502");
    }
}

#[test]
fn limit_conn() {
    const HTTP: &str = "
        limit_conn_zone all zone=c:64k;
        server {
            listen 127.0.0.1:PORT;
            location / {
                limit_conn c 2;
                limit_conn_status 429;
                proxy_pass http://127.0.0.1:UPSTREAM;
            }
        }";

    same(|which| {
        let upstream = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
        let port = upstream.local_addr().expect("an address").port();
        let http = HTTP.replace("UPSTREAM", &port.to_string());
        let (nginx, before) = two_workers("limit_conn", which, &http);
        let mut held = Held {
            nginx: &nginx,
            upstream: &upstream,
            held: Vec::new(),
        };

        let [a, b] = workers(&nginx);
        held.hold(a);
        held.hold(b);
        assert_eq!(code(&nginx.get_from(a, "/")), "429");
        assert_eq!(code(&nginx.get_from(b, "/")), "429");

        // Requests of workers that shut down are still counted in the zone.
        nginx.reload();
        let [c, d] = workers(&nginx);
        assert_eq!(code(&nginx.get_from(c, "/")), "429");
        held.release();
        held.hold(c);
        assert_eq!(code(&nginx.get_from(d, "/")), "429");

        held.release();
        held.release();
        wait_until("the end of old workers", || {
            nginx.shutting_down().is_empty()
        });
        end(&nginx, &before);
    });
}

/// No server listens on the first address of the upstream. After a reload nginx
/// creates the upstream's zone again, so it does not know the failures of the
/// earlier generation.
#[test]
fn upstream_zone() {
    const HTTP: &str = "
        upstream u {
            zone u 64k;
            server 127.0.0.1:DEAD max_fails=1 fail_timeout=1h;
            server 127.0.0.1:PORT;
        }
        server {
            listen 127.0.0.1:PORT;
            location / { proxy_pass http://u/origin/; add_header X-Tried $upstream_addr; }
            location /origin/ { return 200 hello; }
        }";

    let tried = same(|which| {
        let dead = free_port().to_string();
        let (nginx, before) = two_workers("upstream_zone", which, &HTTP.replace("DEAD", &dead));
        let mut tried = Vec::new();
        let mut ask_each = || {
            for worker in workers(&nginx) {
                let answer = nginx.get_from(worker, "/");

                tried.push(
                    header(&answer, "X-Tried")
                        .replace(&dead, "DEAD")
                        .replace(&nginx.port.to_string(), "PORT")
                        .replace("127.0.0.1:", ""),
                );
            }
        };

        ask_each();
        nginx.reload();
        ask_each();

        end(&nginx, &before);
        tried
    });

    assert_eq!(tried, ["DEAD, PORT", "PORT", "DEAD, PORT", "PORT"]);
}

/// Runs a command of openssl in the directory of nginx; returns its output.
pub fn openssl(nginx: &Nginx, arguments: &[&str], input: &str) -> String {
    let out = try_openssl(&nginx.directory, arguments, input);

    assert!(out.status.success(), "{arguments:?}: {out:?}");
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// Runs a command of openssl, which can fail.
pub fn try_openssl(directory: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new("openssl")
        .current_dir(directory)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl, see c-tests/run/deps.sh");

    // A server that is killed ends openssl before it has read its input.
    let _ = child.stdin.as_mut().unwrap().write_all(input.as_bytes());

    child.wait_with_output().expect("openssl")
}

/// Makes the files `key` and `cert` in the directory of nginx.
pub fn certificate(nginx: &Nginx) {
    const KEY: &str = "req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -subj /CN=localhost";

    openssl(nginx, &Vec::from_iter(KEY.split(' ')), "");
}

/// Sessions in a zone, and TLS on the port of the server.
pub const SSL: &str = "
        ssl_session_cache shared:s:64k;
        ssl_session_tickets off;
        ssl_protocols TLSv1.2;
        server {
            listen 127.0.0.1:PORT ssl;
            ssl_certificate DIRECTORY/cert;
            ssl_certificate_key DIRECTORY/key;
            location / { return 200 reused:$ssl_session_reused; }
        }";

/// Connects with an option for the file with the session. Returns whether the session was
/// reused.
pub fn connect(nginx: &Nginx, option: &str) -> String {
    let address = nginx.address().to_string();
    let arguments = [
        "s_client", "-quiet", "-connect", &address, option, "session",
    ];

    body(&openssl(nginx, &arguments, "GET / HTTP/1.0\r\n\r\n")).to_string()
}

/// A session that one worker has made is resumed by the other one, and by a worker of the
/// next generation.
#[test]
fn ssl_session_cache() {
    let reused = same(|which| {
        let nginx = Nginx::new("ssl_session_cache", which, TWO, SSL);
        let connect = |worker, option| nginx.with_only(worker, || connect(&nginx, option));

        certificate(&nginx);
        nginx.spawn(&[]);

        let before = nginx.settled(2);
        let [a, b] = workers(&nginx);
        let mut reused = vec![connect(a, "-sess_out"), connect(b, "-sess_in")];

        nginx.reload();
        reused.push(connect(workers(&nginx)[0], "-sess_in"));

        end(&nginx, &before);
        reused
    });

    assert_eq!(reused, ["reused:.", "reused:r", "reused:r"]);
}
