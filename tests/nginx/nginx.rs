//! A real nginx: the stock one, or the same on the library.

use std::fs;
use std::io::{Read, Write};
use std::ops::Deref;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::support::build::{root, run};
use crate::support::server::Server;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Stock,
    Ipc,
}

pub const BOTH: [Which; 2] = [Which::Stock, Which::Ipc];

/// A nginx of `make nginx`, which is made first: `which` is "stock" or "ipc".
pub fn built(which: &str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    const DIR: &str = "build/nginx-1.28.3";

    BUILT.get_or_init(|| {
        run(Command::new("sh")
            .current_dir(root())
            .args(["nginx/build.sh", "1.28.3", DIR]));
    });

    root().join(DIR).join(which).join("nginx")
}

/// A running nginx with a folder of its own; what a [`Server`] can, it can.
pub struct Nginx {
    pub which: Which,
    server: Server,
}

impl Deref for Nginx {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Nginx {
    /// One with a configuration, not started yet.
    ///
    /// `main` are directives at the top, `http` those in the block of that
    /// name; `PORT` stands for the server's port, `FOLDER` for its folder.
    /// The log has debug lines.
    pub fn new(test: &str, which: Which, main: &str, http: &str) -> Self {
        let program = match which {
            Which::Stock => built("stock"),
            Which::Ipc => built("ipc"),
        };

        Self::of(&program, &format!("{test}-{which:?}"), which, main, http)
    }

    /// The same of another binary.
    pub fn of(program: &std::path::Path, test: &str, which: Which, main: &str, http: &str) -> Self {
        let mut server = Server::new(test, "nginx", program);
        let folder = server.folder.display().to_string();

        server.instead = ["-p", &folder, "-c", "conf", "-e", "log"]
            .map(Into::into)
            .to_vec();

        let nginx = Self { which, server };

        nginx.configure(main, http);
        nginx
    }

    /// Writes another configuration, for a reload.
    pub fn configure(&self, main: &str, http: &str) {
        let text = format!(
            "daemon off;\npid pid;\nerror_log log debug;\n{main}\n\
             events {{ worker_connections 1024; }}\n\
             http {{\naccess_log off;\n{http}\n}}\n"
        );
        let text = text
            .replace("PORT", &self.port.to_string())
            .replace("FOLDER", &self.folder.display().to_string());

        fs::write(self.folder.join("conf"), text).expect("a configuration");
    }

    /// Its own command with more options, such as `-s reload` or `-t`.
    pub fn run(&self, options: &[&str]) -> std::process::Output {
        Command::new(&self.exe)
            .args(&self.server.instead)
            .args(options)
            .stdin(Stdio::null())
            .output()
            .expect("nginx")
    }

    /// `nginx -s NAME`, which must succeed.
    pub fn command_signal(&self, name: &str) {
        let out = self.run(&["-s", name]);

        assert!(out.status.success(), "{out:?}");
    }

    /// The whole answer to a request of `path`, on a connection of its own.
    pub fn get(&self, path: &str) -> String {
        self.try_get(path).expect("an answer")
    }

    pub fn try_get(&self, path: &str) -> std::io::Result<String> {
        let mut stream = self.try_connect()?;
        let mut answer = Vec::new();

        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )?;
        stream.read_to_end(&mut answer)?;

        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// The module of the library, for `load_module`.
    pub fn status_module() -> PathBuf {
        built("ipc").with_file_name("ngx_http_ipc_status_module.so")
    }
}
