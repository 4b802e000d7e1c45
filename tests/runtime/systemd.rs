//! The unit files in examples/, with systemd itself.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::build;
use crate::support::client::echo;
use crate::support::server::{Server, connect_to};
use crate::support::{find, proc, sys, wait_until};

/// Copies the units to `to`, for the program of `server`. Lines that begin with one of
/// `drop` are left out.
fn copy_units(server: &Server, to: &Path, drop: &[&str]) -> [PathBuf; 2] {
    ["echo.service", "echo.socket"].map(|name| {
        let unit = fs::read_to_string(build::root().join("examples").join(name)).unwrap();
        let unit: String = unit
            .replace("/usr/local/bin/echo-server", server.exe.to_str().unwrap())
            .replace("127.0.0.1:7000", &server.place)
            .lines()
            .filter(|line| !drop.iter().any(|text| line.starts_with(text)))
            .map(|line| format!("{line}\n"))
            .collect();
        let path = to.join(name);

        fs::create_dir_all(to).unwrap();
        fs::write(&path, unit).unwrap();
        path
    })
}

fn is_there(program: &str) -> bool {
    let there = Command::new(program)
        .arg("--version")
        .output()
        .is_ok_and(|out| out.status.success());

    if !there {
        eprintln!("skipped: this machine has no {program}");
    }

    there
}

/// systemd understands each line of the units.
#[test]
fn the_units_are_valid() {
    if !is_there("systemd-analyze") {
        return;
    }

    let server = Server::echo("units");
    let units = copy_units(&server, &server.directory.join("work"), &[]);
    let out = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .args(units)
        .output()
        .unwrap();

    assert!(out.status.success());
    assert_eq!(String::from_utf8(out.stderr).unwrap(), "");
}

/// The systemd that runs on this machine: that of the system for root, else that of the
/// user.
struct Systemd {
    /// The name of the units.
    name: String,
    /// The directory of the manager's runtime files.
    run: PathBuf,
    units: Vec<PathBuf>,
}

impl Drop for Systemd {
    fn drop(&mut self) {
        self.ctl(&["stop", &self.unit("socket"), &self.unit("service")]);
        for unit in &self.units {
            let _ = fs::remove_file(unit);
        }
        self.ctl(&["daemon-reload"]);
    }
}

impl Systemd {
    /// `None`, with the reason on stderr, if systemd does not run on this machine. The
    /// test starts no systemd, because it would move other processes to its own control
    /// groups.
    fn find() -> Option<Self> {
        let run = if sys::is_root() {
            Some(PathBuf::from("/run"))
        } else {
            std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from)
        };
        let systemd = Self {
            name: format!("ngx-ipc-test-{}", std::process::id()),
            run: run.unwrap_or_default(),
            units: Vec::new(),
        };

        if !Path::new("/run/systemd/system").exists() || systemd.show("Id").is_empty() {
            eprintln!("skipped: systemd does not run on this machine");
            return None;
        }

        Some(systemd)
    }

    /// Copies the units to the manager.
    fn add_units(&mut self, server: &Server) {
        let kind = if sys::is_root() { "system" } else { "user" };
        let units = self.run.join("systemd").join(kind);

        // The server's file can be in a directory that only its owner may read.
        for unit in copy_units(server, &server.directory.join("work"), &["DynamicUser="]) {
            let text = fs::read_to_string(&unit).unwrap();
            let to = units.join(self.unit(unit.extension().unwrap().to_str().unwrap()));
            let text = text
                .replace("%t/echo", &format!("%t/{}", self.name))
                .replace(
                    "RuntimeDirectory=echo",
                    &format!("RuntimeDirectory={}", self.name),
                );

            fs::create_dir_all(&units).unwrap();
            fs::write(&to, text).unwrap();
            self.units.push(to);
        }

        self.ctl(&["daemon-reload"]);
    }

    fn unit(&self, kind: &str) -> String {
        format!("{}.{kind}", self.name)
    }

    /// What `systemctl` prints.
    fn ctl(&self, arguments: &[&str]) -> String {
        let manager = if sys::is_root() { "--system" } else { "--user" };
        let out = Command::new("systemctl")
            .args([manager, "--no-pager"])
            .args(arguments)
            .output()
            .expect("systemctl");

        String::from_utf8_lossy(&out.stdout).trim().to_string()
    }

    /// A property of the service.
    fn show(&self, property: &str) -> String {
        self.ctl(&["show", "--value", "-p", property, &self.unit("service")])
    }

    fn main_pid(&self) -> i32 {
        self.show("MainPID").parse().unwrap()
    }

    fn wait_for(&self, property: &str, value: &str) {
        wait_until(&format!("{property} {value}"), || {
            self.show(property) == value
        });
    }
}

/// systemd starts the server when the first client connects, reloads it, follows it to a
/// new binary, and stops it. Then the socket still listens, and the next client makes
/// systemd start the server again.
#[test]
fn systemd_manages_the_server() {
    if !is_there("systemctl") {
        return;
    }

    let Some(mut systemd) = Systemd::find() else {
        return;
    };
    let server = Server::echo("systemd");

    systemd.add_units(&server);

    let [service, socket] = ["service", "socket"].map(|kind| systemd.unit(kind));
    let greet = |text: &str| {
        let mut stream: TcpStream = find("a connection", || connect_to(server.address()).ok());

        echo(&mut stream, text);
    };

    systemd.ctl(&["start", &socket]);
    assert_eq!(systemd.show("ActiveState"), "inactive");
    greet("first\n");
    systemd.wait_for("SubState", "running");

    let old = systemd.main_pid();
    let status = |generation: u32| {
        let n = std::thread::available_parallelism().unwrap();

        if n.get() == 1 {
            format!("1 worker, generation {generation}")
        } else {
            format!("{n} workers, generation {generation}")
        }
    };

    assert_eq!(systemd.show("StatusText"), status(1));
    systemd.ctl(&["reload", &service]);
    systemd.wait_for("StatusText", &status(2));
    assert_eq!(systemd.main_pid(), old);

    // An upgrade: the old master is the main process until it exits.
    let pidfile = systemd.run.join(&systemd.name).join("echo.pid");
    let pid = || {
        fs::read_to_string(&pidfile)
            .ok()?
            .trim()
            .parse::<i32>()
            .ok()
    };

    sys::kill(old, libc::SIGUSR2);

    let new = find("the new master", || pid().filter(|&pid| pid != old));

    systemd.wait_for("StatusText", &format!("new binary {new} runs too"));
    wait_until("the new workers", || !server.workers_of(new).is_empty());
    assert_eq!(systemd.main_pid(), old);
    sys::kill(old, libc::SIGQUIT);
    systemd.wait_for("MainPID", &new.to_string());
    systemd.wait_for("StatusText", &status(1));
    wait_until("the old master's end", || !proc::alive(old));
    assert_eq!(systemd.show("ActiveState"), "active");
    assert_eq!(systemd.show("NRestarts"), "0");
    greet("second\n");

    systemd.ctl(&["stop", &service]);
    systemd.wait_for("ActiveState", "inactive");
    assert_eq!(systemd.show("Result"), "success");
    wait_until("the server's end", || server.processes().is_empty());
    greet("third\n");
    systemd.wait_for("SubState", "running");
    systemd.ctl(&["stop", &service, &socket]);
    systemd.wait_for("ActiveState", "inactive");
    wait_until("the server's end", || server.processes().is_empty());
    assert!(server.try_connect().is_err());
}
