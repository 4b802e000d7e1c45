//! Tests of servers.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::process::{ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::Case;
use super::started::Started;
use ngx_ipc::api::{Connection, Level, MessageType, Server, Set, SharedMemory};

pub const CASES: &[Case] = &[
    ("server::it_echoes_and_quits", it_echoes_and_quits),
    ("server::a_slow_client_gets_all", a_slow_client_gets_all),
    (
        "server::a_client_that_is_refused_is_read_later",
        a_client_that_is_refused_is_read_later,
    ),
    (
        "server::a_handler_can_leave_data_unread",
        a_handler_can_leave_data_unread,
    ),
    (
        "server::the_reason_of_a_failed_read",
        the_reason_of_a_failed_read,
    ),
    (
        "server::a_failed_test_leaves_no_process",
        a_failed_test_leaves_no_process,
    ),
    ("server::a_panic_costs_one_worker", a_panic_costs_one_worker),
    ("server::workers_have_messages", workers_have_messages),
    (
        "server::the_reason_of_a_failed_start",
        the_reason_of_a_failed_start,
    ),
];

/// The size of the answer to "large".
const LARGE: usize = 8 << 20;

/// The size of the answer to each byte at the address ".full".
const ANSWER: usize = 32 << 10;

/// The time after which a client gives up.
const PATIENCE: Duration = Duration::from_secs(30);

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
        .listen(&format!("unix:{address}.full"), answer_each_byte)
        .listen(&format!("unix:{address}.words"), || echo_one_word)
        .run();

    println!("error {err}");
}

/// Makes a handler that answers each byte, and waits until the client receives before it
/// returns. When the worker shuts down, the handler tells the client, and waits for more.
fn answer_each_byte() -> impl FnMut(&mut Connection) -> io::Result<()> {
    let mut has_told = false;

    move |client| {
        let mut byte = [0];

        if client.is_closing() && !has_told {
            has_told = true;
            client.write_all(b".")?;
            wait(client, libc::POLLIN);
        }

        loop {
            match client.read(&mut byte) {
                Ok(0) => return Ok(()),
                Ok(_) => client.write_all(&vec![byte[0]; ANSWER])?,
                Err(err) => {
                    // With this room the socket takes all that waits to be sent.
                    wait(client, libc::POLLOUT);
                    return Err(err);
                }
            }
        }
    }
}

/// Waits for `events` of the socket, `poll(2)`.
#[allow(unsafe_code)]
fn wait(client: &impl AsFd, events: libc::c_short) {
    let mut fd = libc::pollfd {
        fd: client.as_fd().as_raw_fd(),
        events,
        revents: 0,
    };

    // SAFETY: poll() reads and writes one structure, which is local.
    assert_eq!(unsafe { libc::poll(&raw mut fd, 1, -1) }, 1);
}

/// Reads and sends one word of 4 bytes, and then waits.
fn echo_one_word(client: &mut Connection) -> io::Result<()> {
    let mut word = [0; 4];

    client.read_exact(&mut word).inspect_err(|err| {
        if err.kind() == io::ErrorKind::ConnectionReset {
            println!("reset");
        }
    })?;
    client.write_all(&word)?;
    Err(io::ErrorKind::WouldBlock.into())
}

/// A server that runs, and its output.
struct Running {
    started: Started,
    output: BufReader<ChildStdout>,
    socket: String,
}

impl Running {
    fn start(name: &str) -> Self {
        let socket = format!(
            "{}/ngx-ipc-{name}-{}",
            std::env::temp_dir().display(),
            std::process::id()
        );
        let mut started = Started::start(
            Command::new(std::env::current_exe().unwrap())
                .args(["--serve", &socket])
                .stdout(Stdio::piped()),
        );
        let output = BufReader::new(started.child().stdout.take().unwrap());

        Self {
            started,
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
        self.connect_to("")
    }

    /// Connects to the address that ends with `suffix`.
    fn connect_to(&self, suffix: &str) -> UnixStream {
        let client = UnixStream::connect(format!("{}{suffix}", self.socket)).unwrap();

        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client
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

    fn quit(self) {
        self.started.quit();
        self.finish();
    }

    /// Waits until the server, which was told to quit, has exited.
    fn finish(mut self) {
        assert_eq!(self.lines(2), ["exit 0", "exit 1"]);
        assert!(self.started.wait().success());
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

fn a_client_that_is_refused_is_read_later() {
    let mut server = Running::start("refused");

    server.lines(2);

    let mut client = server.connect_to(".full");

    ask_for_much(&mut client);

    // The server also answers all that has arrived before it closes the connection.
    server.started.quit();
    client.read_exact(&mut [0]).unwrap();
    ask_for_much(&mut client);
    server.finish();
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
}

fn ask_for_much(client: &mut UnixStream) {
    const BYTES: usize = 64;

    let mut received = vec![0; BYTES * ANSWER];

    client.write_all(&[b'x'; BYTES]).unwrap();
    client.read_exact(&mut received).unwrap();
    assert!(received.iter().all(|&byte| byte == b'x'));
}

fn a_handler_can_leave_data_unread() {
    let mut server = Running::start("unread");

    server.lines(2);

    let mut client = server.connect_to(".words");
    let mut received = [0; 12];

    client.write_all(b"one two six ").unwrap();
    client.read_exact(&mut received).unwrap();
    assert_eq!(&received, b"one two six ");
    server.quit();
}

fn the_reason_of_a_failed_read() {
    let mut server = Running::start("reset");

    server.lines(2);

    let mut client = server.connect_to(".words");

    client.write_all(b"word").unwrap();
    // A client that closes its socket without reading all has reset the connection.
    wait(&client, libc::POLLIN);
    drop(client);
    assert_eq!(server.line(), "reset");
    server.quit();
}

fn a_failed_test_leaves_no_process() {
    let mut server = Running::start("dropped");

    server.lines(2);

    let Running {
        started,
        mut output,
        socket,
    } = server;

    drop(started);
    // The output ends when no process has it any more.
    output.read_to_string(&mut String::new()).unwrap();
    assert!(!fs::exists(socket).unwrap());
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
