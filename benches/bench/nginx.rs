//! Compares a stock nginx with an nginx that is built with the library.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Extent;
use crate::peers::{directory, root, run as run_command};
use crate::report::Report;
use crate::rows::{Peer, Row, Unit};

/// The time between two checks of a condition.
const LOOK: Duration = Duration::from_micros(200);
const TOO_LONG: Duration = Duration::from_secs(60);

/// The compared programs. nginx itself has no floor, which would be bare system
/// calls.
const PEERS: [Peer; 2] = [Peer::Nginx, Peer::Library];

/// A running nginx in a directory of its own.
struct Nginx {
    directory: PathBuf,
    port: u16,
    child: Child,
}

fn program(peer: Peer) -> PathBuf {
    let name = if peer == Peer::Nginx { "stock" } else { "ipc" };

    root().join("build/nginx-1.28.3").join(name).join("nginx")
}

fn wait_until(what: &str, mut is: impl FnMut() -> bool) {
    let deadline = Instant::now() + TOO_LONG;

    while !is() {
        assert!(Instant::now() < deadline, "not within a minute: {what}");
        std::thread::sleep(LOOK);
    }
}

/// A configuration of nginx.
struct Configuration {
    workers: usize,
    /// The number of processes that a cache needs.
    helpers: usize,
    /// Directives of the http block.
    http: &'static str,
    /// What nginx does with a request.
    location: &'static str,
}

impl Configuration {
    /// nginx has no zones.
    fn simple(workers: usize) -> Self {
        Self {
            workers,
            helpers: 0,
            http: "",
            location: "return 200;",
        }
    }

    /// Each request takes the locks of two zones: for `limit_req`, and for the cache, which
    /// has the answer.
    fn zones(workers: usize) -> Self {
        Self {
            workers,
            helpers: 2,
            http: "limit_req_zone $binary_remote_addr zone=r:1m rate=1000000r/s;\n\
                   proxy_cache_path cache keys_zone=c:1m;",
            location: "limit_req zone=r burst=1000000 nodelay; proxy_cache c; \
                       proxy_cache_valid 1h; proxy_pass http://$server_addr:$server_port/origin;",
        }
    }
}

impl Nginx {
    /// Starts nginx; returns it, and the nanoseconds from the start to the
    /// first response.
    fn start(peer: Peer, configuration: &Configuration) -> (Self, f64) {
        let Configuration {
            workers,
            helpers,
            http,
            location,
        } = configuration;
        let directory = directory().join(format!("nginx-{}", peer.name()));
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();

        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).expect("a directory");
        fs::write(
            directory.join("conf"),
            format!(
                "daemon off;\npid pid;\nerror_log log notice;\nworker_processes {workers};\n\
                 events {{ worker_connections 256; }}\n\
                 http {{\naccess_log off;\n{http}\n\
                 server {{ listen 127.0.0.1:{port}; location / {{ {location} }}\n\
                 location /origin {{ return 200 cached; }} }}\n}}\n"
            ),
        )
        .expect("a configuration");

        let begin = Instant::now();
        let child = Command::new(program(peer))
            .arg("-p")
            .arg(&directory)
            .args(["-c", "conf", "-e", "log"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx");
        let nginx = Self {
            directory,
            port,
            child,
        };

        wait_until("an answer", || nginx.answers());

        let took = begin.elapsed().as_nanos() as f64;

        wait_until("the workers", || {
            nginx.children().len() == workers + helpers
        });

        (nginx, took)
    }

    fn answers(&self) -> bool {
        let mut answer = Vec::new();

        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))
            .and_then(|mut stream| {
                stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
                stream.read_to_end(&mut answer)
            })
            .is_ok()
            && answer.starts_with(b"HTTP/1.1 200")
    }

    fn children(&self) -> BTreeSet<String> {
        let pid = self.child.id();

        fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
            .expect("the children")
            .split_whitespace()
            .map(str::to_string)
            .collect()
    }

    fn kill(&self, signal: &str) {
        run_command(Command::new("kill").args([signal, &self.child.id().to_string()]));
    }

    /// Reloads nginx; returns the nanoseconds from SIGHUP until the old workers
    /// have exited and the new ones run.
    fn reload(&self, workers: usize) -> f64 {
        let old = self.children();
        let begin = Instant::now();

        self.kill("-HUP");
        wait_until("new workers", || {
            let now = self.children();

            now.len() == workers && now.is_disjoint(&old)
        });

        begin.elapsed().as_nanos() as f64
    }

    /// The number of requests per second, which wrk measures during `seconds`
    /// seconds.
    fn requests(&self, seconds: usize) -> f64 {
        let said = run_command(
            Command::new("wrk")
                .args(["-t1", "-c64", &format!("-d{seconds}s")])
                .arg(format!("http://127.0.0.1:{}/", self.port)),
        );

        said.lines()
            .find_map(|line| line.split_once("Requests/sec:")?.1.trim().parse().ok())
            .unwrap_or_else(|| panic!("wrk: {said}"))
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.kill("-TERM");
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Measures both programs in turn. Each round begins with the program that ran
/// second in the round before.
fn in_turn(
    rounds: usize,
    (what, unit): (String, Unit),
    measure: &mut dyn FnMut(Peer) -> f64,
) -> Row {
    let mut values = [(); 3].map(|()| Vec::new());

    for round in 0..rounds {
        for i in 0..PEERS.len() {
            let peer = PEERS[(i + round) % PEERS.len()];

            values[peer as usize].push(measure(peer));
        }
    }

    Row {
        subject: "nginx",
        what,
        n: None,
        unit,
        values,
    }
}

pub fn run(extent: Extent, report: &mut Report) {
    run_command(Command::new("sh").args([
        "c-tests/run/nginx-build.sh",
        "1.28.3",
        "build/nginx-1.28.3",
    ]));

    report.add(in_turn(
        extent.rounds(15),
        (
            "start nginx, until its first response".into(),
            Unit::Nanoseconds,
        ),
        &mut |peer| Nginx::start(peer, &Configuration::simple(4)).1,
    ));

    let sizes: &[usize] = if extent.short { &[1, 16] } else { &[1, 16, 64] };

    for &workers in sizes {
        let both = PEERS.map(|peer| Nginx::start(peer, &Configuration::simple(workers)).0);

        report.add(in_turn(
            extent.rounds(15),
            (
                format!("reload nginx with {workers} workers"),
                Unit::Nanoseconds,
            ),
            &mut |peer| both[peer as usize].reload(workers),
        ));
    }

    if Command::new("wrk").arg("-v").output().is_err() {
        report.note(
            "Requests per second were not measured: wrk is not installed (`make deps`).".into(),
        );
        return;
    }

    let seconds = if extent.short { 1 } else { 2 };
    let requests = [
        ("\"return 200\"", Configuration::simple(1)),
        ("limit_req and a cache", Configuration::zones(1)),
        ("limit_req and a cache, 2 workers", Configuration::zones(2)),
    ];

    for (what, configuration) in requests {
        let both = PEERS.map(|peer| Nginx::start(peer, &configuration).0);

        report.add(in_turn(
            extent.rounds(9),
            (
                format!("requests per second, {what}"),
                Unit::RequestsPerSecond,
            ),
            &mut |peer| both[peer as usize].requests(seconds),
        ));
    }
}
