//! Tests of servers.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use ngx_ipc::api::{Connection, Level, MessageType, Server, Set, SharedMemory};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Case;

pub const CASES: &[Case] = &[
    ("server::it_echoes_and_quits", it_echoes_and_quits),
    ("server::a_slow_client_gets_all", a_slow_client_gets_all),
    ("server::a_panic_costs_one_worker", a_panic_costs_one_worker),
    ("server::workers_have_messages", workers_have_messages),
    (
        "server::the_reason_of_a_failed_start",
        the_reason_of_a_failed_start,
    ),
];

/// The size of the answer to "large".
const LARGE: usize = 8 << 20;

/// The server of these tests. Each line of a client is a command.
pub fn serve(address: &str) {
    let news = Arc::new(SharedMemory::<AtomicU32>::new(1).unwrap());
    let counted = Arc::clone(&news);
    let type_ = MessageType::<u32>::register(c"news", move |m| {
        counted[0].fetch_add(*m.payload(), Relaxed);
    })
    .unwrap();

    let err = Server::builder()
        .workers(2)
        .log_level(Level::Warn)
        .shutdown_timeout(Duration::from_secs(10))
        .init_worker(|worker| println!("worker {}", worker.number()))
        .exit_worker(|worker| println!("exit {}", worker.number()))
        .listen(&format!("unix:{address}"), move || {
            let mut received = Vec::new();
            let news = Arc::clone(&news);

            move |client: &mut Connection| {
                loop {
                    let mut buffer = [0; 100];
                    let n = client.read(&mut buffer)?;

                    received.extend_from_slice(&buffer[..n]);

                    while let Some(end) = received.iter().position(|&byte| byte == b'\n') {
                        let line: Vec<u8> = received.drain(..=end).collect();

                        match &line[..] {
                            b"panic\n" => panic!("as the client says"),
                            b"large\n" => client.write_all(&vec![b'x'; LARGE])?,
                            b"tell\n" => {
                                let sent = type_.broadcast(Set::WORKERS | Set::SELF, &1)?;

                                writeln!(client, "{sent}")?;
                            }
                            b"count\n" => writeln!(client, "{}", news[0].load(Relaxed))?,
                            _ => client.write_all(&line)?,
                        }
                    }

                    if n == 0 {
                        return Ok(());
                    }
                }
            }
        })
        .run();

    println!("error {err}");
}

/// A server that runs, and its output.
struct Running {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
    socket: String,
}

impl Running {
    fn start(name: &str) -> Self {
        let socket = format!(
            "{}/ngx-ipc-{name}-{}",
            std::env::temp_dir().display(),
            std::process::id()
        );
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--serve", &socket])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());

        Self {
            child,
            output,
            socket,
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();

        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_string()
    }

    /// The next `n` lines, sorted.
    fn lines(&mut self, n: usize) -> Vec<String> {
        let mut lines: Vec<String> = (0..n).map(|_| self.line()).collect();

        lines.sort();
        lines
    }

    fn connect(&self) -> UnixStream {
        UnixStream::connect(&self.socket).unwrap()
    }

    /// Sends a command, and returns the line of the answer.
    fn ask(&self, command: &str) -> String {
        let mut client = self.connect();
        let mut answer = String::new();

        client.write_all(command.as_bytes()).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        client.read_to_string(&mut answer).unwrap();
        answer
    }

    fn quit(mut self) {
        let pid = Pid::from_raw(self.child.id() as i32);

        kill(pid, Signal::SIGQUIT).unwrap();
        assert_eq!(self.lines(2), ["exit 0", "exit 1"]);
        assert!(self.child.wait().unwrap().success());
        // The last process has exited, and the master has removed the socket.
        assert_eq!(self.line(), "");
        assert!(!fs::exists(&self.socket).unwrap());
    }
}

fn it_echoes_and_quits() {
    let mut server = Running::start("echo");

    assert_eq!(server.lines(2), ["worker 0", "worker 1"]);
    assert_eq!(server.ask("hello\n"), "hello\n");

    // A connection that waits for its client is closed when the server quits.
    let mut idle = server.connect();
    let mut answer = [0; 3];

    idle.write_all(b"hi\n").unwrap();
    idle.read_exact(&mut answer).unwrap();
    server.quit();
    assert_eq!(idle.read(&mut answer).unwrap(), 0);
}

fn a_slow_client_gets_all() {
    let mut server = Running::start("slow");

    server.lines(2);

    let mut client = server.connect();
    let mut received = vec![0; LARGE];

    // The second command waits until the answer to the first one is sent.
    client.write_all(b"large\nafter\n").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    client.read_exact(&mut received).unwrap();
    assert!(received.iter().all(|&byte| byte == b'x'));

    let mut rest = String::new();

    client.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "after\n");
    server.quit();
}

fn a_panic_costs_one_worker() {
    let mut server = Running::start("panic");

    server.lines(2);
    server.connect().write_all(b"panic\n").unwrap();
    assert!(server.line().starts_with("worker "));
    assert_eq!(server.ask("again\n"), "again\n");
    server.quit();
}

fn workers_have_messages() {
    let mut server = Running::start("messages");

    server.lines(2);
    assert_eq!(server.ask("tell\n"), "2\n");
    while server.ask("count\n") != "2\n" {}
    server.quit();
}

fn the_reason_of_a_failed_start() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--serve", "/nowhere/socket"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();

    assert!(
        text.contains("error ") && text.contains("/nowhere/socket"),
        "{text}"
    );

    let err: io::Error = Server::builder()
        .listen("a\0b", || |_: &mut Connection| Ok(()))
        .run();

    assert_eq!(err.kind(), io::ErrorKind::InvalidInput);
}
