//! `examples/bridge/bridge.py`: messages to the nginx of several machines, through Redis.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::messages_http::{Client, post_to};
use crate::nginx::{Nginx, Which, built, code};
use crate::support::build::root;
use crate::support::debian::unpacked;
use crate::support::server::free_port;
use crate::support::wait_until;

/// Debian's Redis, and its client for Python.
const PACKAGES: &[&str] = &[
    "redis-server",
    "redis-tools",
    "libjemalloc2",
    "liblzf1",
    "python3-redis",
    "python3-async-timeout",
    "python3-deprecated",
    "python3-wrapt",
    "python3-packaging",
];

/// A process that is killed at the end of the test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct World {
    redis: PathBuf,
    port: u16,
}

impl World {
    /// Starts the broker. Its files are in `directory`.
    fn start_redis(&self, directory: &std::path::Path) -> Killed {
        let child = Command::new(self.redis.join("usr/bin/redis-server"))
            .env(
                "LD_LIBRARY_PATH",
                self.redis.join("usr/lib/x86_64-linux-gnu"),
            )
            .args(["--bind", "127.0.0.1", "--dir"])
            .arg(directory)
            .args(["--appendonly", "yes", "--appendfsync", "always"])
            .args(["--port", &self.port.to_string()])
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server");

        Killed(child)
    }

    /// Starts a bridge to an nginx. It listens on `port`.
    fn start_bridge(&self, port: u16, nginx: &Nginx, group: &str) -> Killed {
        let child = Command::new("python3")
            .arg(root().join("examples/bridge/bridge.py"))
            .args([
                &port.to_string(),
                &format!("http://{}/publish", nginx.address()),
                group,
            ])
            .arg(format!("redis://127.0.0.1:{}", self.port))
            .env(
                "PYTHONPATH",
                self.redis.join("usr/lib/python3/dist-packages"),
            )
            .stderr(Stdio::null())
            .spawn()
            .expect("python3");

        Killed(child)
    }
}

fn start_nginx(name: &str) -> Nginx {
    let module = built("ipc").with_file_name("ngx_http_ipc_module.so");
    let main = format!("load_module {};\nworker_processes 2;", module.display());
    let nginx = Nginx::new(
        name,
        Which::Ipc,
        &main,
        "server {
            listen 127.0.0.1:PORT;
            location = /publish { ipc_publish news; }
            location = /events  { ipc_receive news; }
        }",
    );

    nginx.spawn(&[]);
    nginx.wait_for_workers(2);
    nginx
}

/// Sends a message through a bridge, until the bridge has taken it.
fn send(port: u16, id: &str, text: &str) {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));

    wait_until("a bridge", || std::net::TcpStream::connect(address).is_ok());
    wait_until("a broker", || {
        code(&post_to(
            address,
            "/",
            &format!("Message-Id: {id}\r\n"),
            text.as_bytes(),
        )) == "200"
    });
}

/// A client that ignores a message that it has got already.
struct Reader {
    client: Client,
    last: Vec<String>,
}

impl Reader {
    fn new(nginx: &Nginx) -> Self {
        Self {
            client: Client::new(nginx),
            last: Vec::new(),
        }
    }

    fn expect(&mut self, id: &str, text: &str) {
        let mut event = self.client.event();

        while event == self.last {
            event = self.client.event();
        }

        assert_eq!(
            event,
            [format!("data: {{\"id\": \"{id}\", \"text\": \"{text}\"}}")]
        );
        self.last = event;
    }
}

/// What the bridge says if it cannot run: one line. Python then has no modules but its
/// own, and so not that for Redis, unless `path` leads to it.
fn refusal(path: Option<&std::path::Path>, arguments: &[&str]) -> String {
    let mut command = Command::new("python3");

    command
        .arg("-S")
        .arg(root().join("examples/bridge/bridge.py"));
    command.args(arguments).env_remove("PYTHONPATH");

    if let Some(path) = path {
        command.env("PYTHONPATH", path);
    }

    let out = command.output().expect("python3");
    let said = String::from_utf8(out.stderr).expect("UTF-8");

    assert_eq!(out.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

/// Without the client for Redis, or without arguments, the bridge prints one line.
#[test]
fn a_bridge_that_cannot_run() {
    let nginx = Nginx::new("bridge_refused", Which::Stock, "", "");
    let modules = nginx.directory.join("modules");

    std::fs::create_dir(&modules).expect("a directory");
    std::fs::write(modules.join("redis.py"), "").expect("a module");

    assert!(refusal(None, &["7000", "http://127.0.0.1/", "a"]).contains("python3-redis"));
    assert!(refusal(Some(&modules), &["7000"]).starts_with("usage: bridge.py PORT NGINX GROUP"));
}

/// A message that one bridge has taken reaches the clients of both nginx, also if a bridge
/// or the broker was killed. Only the last message before a kill can come twice.
#[test]
fn messages_reach_two_nginx_and_survive_kills() {
    let Some(redis) = unpacked("debian-redis", PACKAGES) else {
        return;
    };
    let nginx = ["bridge_first", "bridge_second"].map(start_nginx);
    let mut clients = nginx.each_ref().map(Reader::new);
    let ports = [free_port(), free_port()];
    let world = World {
        redis,
        port: free_port(),
    };
    let broker = world.start_redis(&nginx[0].directory);
    let _first = world.start_bridge(ports[0], &nginx[0], "first");
    let second = world.start_bridge(ports[1], &nginx[1], "second");

    send(ports[0], "1", "hello");
    send(ports[1], "2", "from the other one");

    for client in &mut clients {
        client.expect("1", "hello");
        client.expect("2", "from the other one");
    }

    // One bridge is dead, and a sender tries again although its message was taken.
    drop(second);

    for id in ["3", "3", "4"] {
        send(ports[0], id, "later");
    }

    let _second = world.start_bridge(ports[1], &nginx[1], "second");

    for client in &mut clients {
        client.expect("3", "later");
        client.expect("4", "later");
    }

    // The broker is killed. It has written what it has acknowledged to its file.
    drop(broker);

    let _broker = world.start_redis(&nginx[0].directory);

    send(ports[1], "5", "after the broker");

    for client in &mut clients {
        client.expect("5", "after the broker");
    }

    for one in nginx {
        one.quit(&[]);
    }
}
