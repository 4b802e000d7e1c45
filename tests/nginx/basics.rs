//! The shortest test: the stock nginx and the one that is built with the
//! library start, answer, reload and quit.

use crate::nginx::{BOTH, Nginx};

const HTTP: &str = "server { listen 127.0.0.1:PORT; location / { return 200 hello; } }";

#[test]
fn start_reload_quit() {
    for which in BOTH {
        let nginx = Nginx::new("start_reload_quit", which, "worker_processes 4;", HTTP);

        nginx.spawn(&[]);
        nginx.wait_for_workers(4);
        assert!(nginx.get("/").ends_with("hello"));

        nginx.reload();
        assert!(nginx.get("/").ends_with("hello"));

        nginx.quit(&[]);
    }
}
