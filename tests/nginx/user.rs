//! Tests of an nginx of an unprivileged user, whose master is not root.

use std::os::unix::fs::MetadataExt;

use crate::nginx::{Nginx, code, same};
use crate::support::{proc, sys};

/// The user nobody. If the tests do not run as root, nginx runs as their user.
const USER: u32 = 65534;
/// A limit of processes that these tests do not reach.
const PROCESSES: u64 = 4096;

const HTTP: &str = "
    limit_req_zone all zone=r:64k rate=1r/m;
    proxy_cache_path DIRECTORY/cache keys_zone=c:1m;
    server {
        listen 127.0.0.1:PORT;
        location / { return 200 hello; }
        location /limited { limit_req zone=r; empty_gif; }
    }";

#[test]
fn unprivileged() {
    let codes = same(|which| {
        let nginx = Nginx::new("unprivileged", which, "worker_processes 4;", HTTP);

        if sys::is_root() {
            nginx.spawn_limited(USER, PROCESSES, &[]);
        } else {
            nginx.spawn(&[]);
        }

        let before = nginx.settled(4);

        assert_eq!(nginx.processes().len(), 7);

        for pid in nginx.processes() {
            let owner = std::fs::metadata(format!("/proc/{pid}")).expect("a process");

            assert_ne!(owner.uid(), 0, "{}", proc::title(pid));
        }

        let mut codes = Vec::new();

        for _ in 0..3 {
            codes.extend(["/", "/limited"].map(|path| code(&nginx.get(path)).to_string()));
            nginx.reload();
            nginx.wait_for_descriptors(&before);
        }

        nginx.signal(libc::SIGUSR1);
        nginx.wait_for_lines(7, ": reopening logs");
        nginx.wait_for_descriptors(&before);

        nginx.quit(&[]);
        codes
    });

    assert_eq!(codes, ["200", "200", "200", "503", "200", "503"]);
}
