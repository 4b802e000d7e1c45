//! Tests of `master_process off`: one process is master and worker.

use crate::nginx::{Nginx, Which, body, same};

const HTTP: &str = "
    limit_req_zone all zone=r:64k rate=1r/s;
    server { listen 127.0.0.1:PORT; location / { return 200 $pid; } }";

fn start(test: &str, which: Which) -> Nginx {
    let nginx = Nginx::new(test, which, "master_process off;", HTTP);

    nginx.spawn(&[]);

    for _ in 0..100 {
        assert_eq!(body(&nginx.get("/")), nginx.master().to_string());
    }

    assert_eq!(nginx.processes().len(), 1);
    nginx.wait_for_idle();

    nginx
}

#[test]
fn quit() {
    same(|which| {
        let nginx = start("single_quit", which);

        nginx.command_signal("quit");
        nginx.finish(&[]);
    });
}

#[test]
fn stop() {
    same(|which| {
        let nginx = start("single_stop", which);

        nginx.command_signal("stop");
        nginx.finish(&[]);
    });
}

#[test]
fn reopen() {
    same(|which| {
        let nginx = start("single_reopen", which);
        let before = nginx.descriptors();

        std::fs::rename(nginx.logfile(), nginx.directory.join("old")).expect("a log");
        nginx.command_signal("reopen");
        nginx.wait_for_new_log();
        assert_eq!(body(&nginx.get("/")), nginx.master().to_string());
        nginx.wait_for_descriptors(&before);

        nginx.wait_for_idle();
        nginx.quit(&[]);
    });
}

/// A reload, after which neither program answers: the single process of nginx
/// does not initialize what the new configuration needs. This code is not in
/// the files that the library replaces.
#[test]
fn reload() {
    let answered = same(|which| {
        let nginx = start("single_reload", which);
        let before = nginx.descriptors();

        for n in 1..=5 {
            nginx.command_signal("reload");
            nginx.wait_for_lines(n, ": reconfiguring");
            nginx.wait_for_idle();
            nginx.wait_for_descriptors(&before);
        }

        let answered = nginx.try_get("/").is_ok();

        nginx.wait_for_idle();
        nginx.quit(&[]);
        answered
    });

    assert!(!answered);
}
