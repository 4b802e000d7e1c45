//! Tests of the defects of nginx's process layer, in the files that the library
//! replaces. The number of each test is that of docs/differences.md. A test
//! runs the same scenario with the stock nginx, which fails, and with an nginx
//! that is built with the library, which does not.
//!
//! Some states cannot be caused by a signal, a limit or strace. For these, the
//! tests load a module, `tests/nginx/ngx_http_fault_module.c`.

mod channel;
mod children;
mod hostile;
mod respawn;
mod spawn;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use crate::nginx::{Nginx, Which};
use crate::support::build::{directory, root, run};
use crate::support::{proc, sys, wait_until};

/// The directories with nginx's headers, as in nginx's own Makefile.
const INCLUDES: [&str; 8] = [
    "core",
    "event",
    "event/modules",
    "event/quic",
    "os/unix",
    "http",
    "http/modules",
    "http/v2",
];

fn module(which: Which) -> PathBuf {
    compiled("ngx_http_fault_module", which)
}

/// The path of the module `tests/nginx/NAME.c`, which is compiled with the
/// headers and options of this nginx.
pub fn compiled(name: &'static str, which: Which) -> PathBuf {
    compiled_once(name, which, || {
        vec![root().join("tests/nginx").join(name).with_extension("c")]
    })
}

/// The path of the module `examples/NAME.c`, which is compiled in the same way.
pub fn compiled_example(name: &'static str, which: Which) -> PathBuf {
    compiled_once(name, which, || {
        let list = directory().join(format!("{name}-{which:?}_modules.c"));
        // What nginx's configure writes for a dynamic module.
        let text = format!(
            "#include <ngx_config.h>\n#include <ngx_core.h>\n\
             extern ngx_module_t {name};\n\
             ngx_module_t *ngx_modules[] = {{ &{name}, NULL }};\n\
             char *ngx_module_names[] = {{ \"{name}\", NULL }};\n\
             char *ngx_module_order[] = {{ NULL }};\n"
        );

        fs::write(&list, text).unwrap();
        vec![root().join("examples").join(name).with_extension("c"), list]
    })
}

/// The path of a module, which is compiled the first time.
fn compiled_once(
    name: &'static str,
    which: Which,
    sources: impl FnOnce() -> Vec<PathBuf>,
) -> PathBuf {
    static COMPILED: Mutex<Vec<(&str, Which)>> = Mutex::new(Vec::new());

    let mut compiled = COMPILED.lock().unwrap_or_else(|err| err.into_inner());
    let module = directory().join(format!("{name}-{which:?}.so"));

    if !compiled.contains(&(name, which)) {
        compile(&module, which, &sources());
        compiled.push((name, which));
    }

    module
}

fn compile(module: &Path, which: Which, sources: &[PathBuf]) {
    let objects = which.objects();
    let headers = which.sources().join("src");

    // In a linked nginx, its headers define this macro.
    let has_library = (which == Which::Loaded).then_some("-DNGX_IPC=1");

    run(Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-g", "-Wall", "-Wextra"])
        // A copy of the module uses its own variables, not those of another copy
        // that is loaded.
        .args(["-Wno-unused-parameter", "-Werror", "-Wl,-Bsymbolic", "-o"])
        .arg(module)
        .args(sources)
        .args(has_library)
        .arg(format!("-I{}", objects.display()))
        .arg(format!("-I{}/ngx_ipc/include", objects.display()))
        .args(INCLUDES.map(|dir| format!("-I{}", headers.join(dir).display()))));
}

/// An nginx that has loaded the fault module, and is not started yet. The
/// module handles requests of `/fault`. `fault` is a directive of the module,
/// or "".
fn nginx(test: &str, which: Which, workers: usize, fault: &str) -> Nginx {
    let nginx = Nginx::new(test, which, "", "");

    configure(&nginx, workers, fault);
    nginx
}

fn configure(nginx: &Nginx, workers: usize, fault: &str) {
    nginx.configure(
        &format!(
            "load_module {};\nuser root;\nworker_processes {workers};",
            module(nginx.which).display()
        ),
        &format!(
            "{fault}\nserver {{ listen 127.0.0.1:PORT;\n\
             location / {{ return 200 hello; }}\nlocation /fault {{ fault commands; }} }}"
        ),
    );
}

/// Starts an nginx that has loaded the fault module. Returns the nginx, and its
/// workers in the order of their slots.
fn started(test: &str, which: Which, workers: usize) -> (Nginx, Vec<i32>) {
    let nginx = nginx(test, which, workers, "");

    nginx.spawn(&[]);

    let pids = in_slots(&nginx, workers);

    (nginx, pids)
}

/// A shell that runs `script` and then executes nginx.
fn shell(nginx: &Nginx, script: &str) -> Command {
    let command = nginx.command(&[]);
    let mut shell = Command::new("sh");

    shell
        .args(["-c", &format!("{script}\nexec \"$@\""), "sh"])
        .arg(command.get_program())
        .args(command.get_args())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());

    shell
}

/// The workers of an nginx that was just started, in the order of their slots,
/// when they know each other.
fn in_slots(nginx: &Nginx, workers: usize) -> Vec<i32> {
    nginx.wait_for_workers(workers);
    nginx.settled_descriptors();

    (0..workers).map(|slot| in_slot(nginx, slot)).collect()
}

/// Starts an nginx with the fault module as a daemon. Only a daemon starts
/// another binary at SIGUSR2.
fn daemon(test: &str, which: Which) -> Nginx {
    let nginx = nginx(test, which, 1, "");
    let conf = nginx.directory.join("conf");
    let text = fs::read_to_string(&conf).unwrap();

    fs::write(conf, text.replace("daemon off;", "daemon on;")).unwrap();
    nginx.spawn(&["-d"]);
    nginx.wait_for_workers(1);
    nginx
}

/// The process that was started last in a slot. The fault module logs a line
/// with the slot in each new process.
fn in_slot(nginx: &Nginx, slot: usize) -> i32 {
    let lines = nginx.lines(&format!("fault: slot:{slot} "));

    value(lines.last().expect("a line"), "pid:")
}

/// The number after the first `name` in `text`.
fn value(text: &str, name: &str) -> i32 {
    let (_, rest) = text.split_once(name).expect(name);
    let end = rest.find(|c: char| c != '-' && !c.is_ascii_digit());

    rest[..end.unwrap_or(rest.len())].parse().expect(name)
}

fn stop(pid: i32) {
    sys::kill(pid, libc::SIGSTOP);
    wait_until("a stopped process", || proc::state(pid) == Some('T'));
}

fn resume(pid: i32) {
    sys::kill(pid, libc::SIGCONT);
}

/// Sends a request of `/fault?QUERY` to `worker`, and returns its answer. The
/// other workers are stopped meanwhile, so that they do not accept the
/// connection.
fn ask(nginx: &Nginx, workers: &[i32], worker: i32, query: &str) -> String {
    let others: Vec<i32> = workers
        .iter()
        .copied()
        .filter(|&pid| pid != worker && proc::state(pid) != Some('T'))
        .collect();

    others.iter().for_each(|&pid| stop(pid));

    let answer = nginx.get(&format!("/fault?{query}"));

    others.iter().for_each(|&pid| resume(pid));

    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");

    assert!(head.starts_with("HTTP/1.1 200"), "{query}: {answer}");

    body.to_string()
}

/// Waits until the process `pid` has logged a line that contains `text`.
fn wait_for_line_of(nginx: &Nginx, pid: i32, text: &str) {
    wait_until(&format!("\"{text}\" of {pid}"), || {
        !lines_of(nginx, pid, text).is_empty()
    });
}

/// The lines of the log that the process `pid` has written and that contain
/// `text`.
fn lines_of(nginx: &Nginx, pid: i32, text: &str) -> Vec<String> {
    let mut lines = nginx.lines(text);

    lines.retain(|line| line.contains(&format!("] {pid}#")));

    lines
}

/// Sends a signal to the master. Waits until the master has handled the signal
/// and waits for the next one, so that it has also done what was pending.
fn wake_up(nginx: &Nginx, signo: i32) {
    let received = format!("signal {signo} (");
    let master = nginx.master();
    let before = lines_of(nginx, master, &received).len();

    nginx.signal(signo);
    wait_until("a master that sleeps again", || {
        let lines = lines_of(nginx, master, "");
        let mut signals = lines.iter().filter(|line| line.contains(&received));

        signals.nth(before).is_some()
            && lines
                .iter()
                .rev()
                .take_while(|line| !line.contains(&received))
                .any(|line| line.ends_with(": sigsuspend"))
    });
}
