//! Tests of `proxy_cache`: the library also starts the cache's manager and
//! loader.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::nginx::{Nginx, Which, body, header, same};
use crate::support::{wait_until, wait_within};

/// The origin gives a different answer to each request, so that an answer from
/// the cache can be recognized.
const HTTP: &str = "
    proxy_cache_path DIRECTORY/cache levels=1 keys_zone=c:1m max_size=MAX inactive=1h;
    server {
        listen 127.0.0.1:PORT;
        location / {
            proxy_cache c;
            proxy_cache_valid 200 1h;
            proxy_pass http://127.0.0.1:PORT/origin/;
            add_header X-Cache $upstream_cache_status;
        }
        location /origin/ { return 200 $request_id; }
    }";

fn start(test: &str, which: Which, max: &str) -> Nginx {
    let http = HTTP.replace("MAX", max);
    let nginx = Nginx::new(test, which, "worker_processes 2;", &http);

    start_again(&nginx);
    nginx
}

fn start_again(nginx: &Nginx) {
    nginx.spawn(&[]);
    nginx.wait_for_workers(2);
    wait_until("the helpers", || {
        nginx.titled(MANAGER).len() == 1 && nginx.titled(LOADER).len() == 1
    });
}

const MANAGER: &str = "cache manager process";
const LOADER: &str = "cache loader process";

/// The number of files in the cache.
fn cached(nginx: &Nginx) -> usize {
    fn files(directory: &Path) -> usize {
        fs::read_dir(directory)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| match entry.path() {
                path if path.is_dir() => files(&path),
                _ => 1,
            })
            .sum()
    }

    files(&nginx.directory.join("cache"))
}

#[test]
fn cached_answers() {
    let all = same(|which| {
        let nginx = start("cached_answers", which, "10m");
        let before = nginx.settled(2);
        let mut all = Vec::new();
        let mut first = None;
        let mut ask_each = || {
            for worker in nginx.workers() {
                let answer = nginx.get_from(worker, "/");

                all.push(header(&answer, "X-Cache").to_string());
                assert_eq!(
                    body(&answer),
                    first.get_or_insert(body(&answer).to_string())
                );
            }
        };

        ask_each();
        nginx.reload();
        wait_until("one manager", || nginx.titled(MANAGER).len() == 1);
        ask_each();

        nginx.wait_for_descriptors(&before);
        nginx.quit(&[]);

        // After the start, answers come from the files that were on the disk
        // already.
        start_again(&nginx);
        ask_each();
        nginx.signal(libc::SIGTERM);
        nginx.finish(&[]);

        all
    });

    assert_eq!(all, ["MISS", "HIT", "HIT", "HIT", "HIT", "HIT"]);
}

/// A cache manager that was just started checks the size of the cache at once.
/// The cache of the first configuration is so large that the cache manager removes
/// no file from it. So it does not matter when the manager checks.
#[test]
fn the_manager_evicts() {
    const ANSWERS: usize = 20;
    /// The number of files that are less than 32k.
    const LEFT: usize = 7;

    same(|which| {
        let nginx = start("the_manager_evicts", which, "10m");

        for n in 0..ANSWERS {
            nginx.get(&format!("/{n}"));
        }

        wait_until("all answers in the cache", || cached(&nginx) == ANSWERS);
        nginx.configure("worker_processes 2;", &HTTP.replace("MAX", "32k"));
        nginx.reload();
        wait_until("files removed", || cached(&nginx) <= LEFT);
        nginx.signal(libc::SIGQUIT);
        nginx.finish(&[]);
    });
}

/// The cache loader begins its work a minute after its start.
#[test]
#[ignore = "takes more than a minute"]
fn the_loader_loads_and_goes() {
    const MINUTES: Duration = Duration::from_secs(180);
    const LOADED: &str = "http file cache: ";

    let loaded = same(|which| {
        let nginx = start("the_loader_loads", which, "10m");

        for n in 0..20 {
            nginx.get(&format!("/{n}"));
        }

        nginx.quit(&[]);
        start_again(&nginx);

        wait_within(MINUTES, "the loader's end", || {
            nginx.titled(LOADER).is_empty()
        });
        assert_eq!(nginx.processes().len(), 4);
        wait_until("a line about the loader's exit", || {
            let ended = |line: &String| line.ends_with(" exited with code 0");

            nginx.lines(": cache loader process ").iter().any(ended)
        });

        let size = nginx.wait_for_lines(1, LOADED)[0]
            .split_once(LOADED)
            .expect("a size")
            .1
            .replace(&nginx.directory.display().to_string(), "DIRECTORY");
        let answer = nginx.get("/1");

        assert_eq!(header(&answer, "X-Cache"), "HIT");
        nginx.quit(&[]);
        size
    });

    assert_eq!(loaded, "DIRECTORY/cache 0.078M, bsize: 4096");
}
