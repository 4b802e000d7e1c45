//! Shared zones: what one worker writes, the other sees, and so does the next
//! generation.

use crate::held::Upstream;
use crate::nginx::{Nginx, Which, code, header, same};
use crate::support::{server, wait_until};

/// One of two workers.
fn two_workers(test: &str, which: Which, http: &str) -> Nginx {
    let nginx = Nginx::new(test, which, "worker_processes 2;", http);

    nginx.spawn(&[]);
    nginx.wait_for_workers(2);

    nginx
}

fn workers(nginx: &Nginx) -> [i32; 2] {
    let workers: Vec<_> = nginx.workers().into_iter().collect();

    [workers[0], workers[1]]
}

/// Ends it: nothing may have leaked, be it over a reload.
fn end(nginx: &Nginx) {
    let before = nginx.settled_descriptors();

    nginx.reload();
    nginx.wait_for_descriptors(&before);
    nginx.quit(&[]);
}

#[test]
fn limit_req() {
    const HTTP: &str = "
        limit_req_zone all zone=r:64k rate=1r/m;
        server {
            listen 127.0.0.1:PORT;
            location / { limit_req zone=r burst=1 nodelay; limit_req_status 429; empty_gif; }
        }";

    let codes = same(|which| {
        let nginx = two_workers("limit_req", which, HTTP);
        let mut codes = Vec::new();
        let mut ask_each = || {
            for worker in workers(&nginx) {
                codes.push(code(&nginx.get_from(worker, "/")).to_string());
            }
        };

        ask_each();
        ask_each();
        nginx.reload();
        ask_each();

        end(&nginx);
        codes
    });

    assert_eq!(codes, ["200", "200", "429", "429", "429", "429"]);
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
        let upstream = Upstream::new();
        let nginx = two_workers("limit_conn", which, &upstream.in_place(HTTP));
        let [a, b] = workers(&nginx);
        let held = [a, b].map(|worker| upstream.hold(&nginx, worker));

        assert_eq!(code(&nginx.get_from(a, "/")), "429");
        assert_eq!(code(&nginx.get_from(b, "/")), "429");

        // Those that shut down still count.
        nginx.reload();
        let [c, d] = workers(&nginx);
        assert_eq!(code(&nginx.get_from(c, "/")), "429");
        let [first, second] = held;
        first.abandon();
        let third = upstream.hold(&nginx, c);
        assert_eq!(code(&nginx.get_from(d, "/")), "429");

        second.abandon();
        third.abandon();
        wait_until("the end of old workers", || nginx.leaving().is_empty());
        end(&nginx);
    });
}

/// Nobody listens where the first server is to be. Of the zone, nginx makes a
/// new one for each configuration.
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
        let dead = server::free_port().to_string();
        let nginx = two_workers("upstream_zone", which, &HTTP.replace("DEAD", &dead));
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

        end(&nginx);
        tried
    });

    assert_eq!(tried, ["DEAD, PORT", "PORT", "DEAD, PORT", "PORT"]);
}
