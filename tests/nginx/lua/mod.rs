//! Messages for programs in Lua: lua/resty/ngx_ipc.lua, in Debian's nginx with its module
//! for Lua.
//!
//! A test runs pieces of Lua in the workers. [`Lua::at`] runs one in a worker with a number,
//! which gets it as a message.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::nginx::{Nginx, Which, body, code};
use crate::support::build::{root, run};
use crate::support::server::connect_to;
use crate::support::{sys, wait_until};

mod arguments;
mod calls;
mod choice;
mod delivery;
mod ends;
mod examples;
mod queues;
mod shapes;
mod start;
mod threads;

const WORKERS: usize = 4;

/// The directory of Debian's nginx.
const DEBIAN: &str = "build/debian-nginx";
/// The directory of ngx_ipc_module.so.
const MODULE: &str = "build/nginx-module";

/// Each worker keeps what it gets of some types in the tables `got`, in this order.
const BEGIN: &str = r#"
    HTTP
    lua_package_path "ROOT/lua/?.lua;ROOT/examples/lua/?.lua;DEBIAN/usr/share/lua/5.1/?.lua;;";

    init_worker_by_lua_block {
        ipc = require "resty.ngx_ipc"
        got, gaps = {}, {}

        assert(ipc.subscribe("run", function (text)
            return assert(loadstring(text))()
        end))

        for _, name in ipairs { "a", "b" } do
            got[name] = {}
            assert(ipc.subscribe(name, function (data, worker)
                local list = got[name]

                list[#list + 1] = { data = data, worker = worker }
            end))
        end

        assert(ipc.on_gap(function (gap) gaps[#gaps + 1] = gap end))
        MORE
    }

    server {
        listen 127.0.0.1:PORT;
        client_max_body_size 10m;
        client_body_buffer_size 2m;

        location = /run {
            content_by_lua_block {
                ngx.req.read_body()

                local text = ngx.req.get_body_data()
                local to = tonumber(ngx.var.arg_worker)
                local value, err

                if to then
                    value, err = ipc.call("run", text, { to = to, timeout = 60 })
                else
                    value, err = assert(loadstring(text))()
                end

                if value == nil and err ~= nil then
                    ngx.status = 500
                    value = err
                end

                ngx.print(tostring(value))
            }
        }

        LOCATION
        location = /publish { ipc_publish a; }
        location = /events  { ipc_receive a; }
    }
"#;

/// The directory with Debian's nginx, in which ngx_ipc_module.so was built; an error says
/// why a test is skipped.
fn debian() -> Result<&'static Path, &'static str> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();

    BUILT
        .get_or_init(|| {
            let directory = root().join(DEBIAN);
            let out = Command::new("sh")
                .current_dir(root())
                .args(["c-tests/run/debian-nginx.sh", DEBIAN])
                .output()
                .expect("a shell");

            if !out.status.success() {
                return Err(String::from_utf8_lossy(&out.stderr).trim().to_string());
            }

            run(Command::new("sh")
                .current_dir(root())
                .args(["nginx/module.sh", "build", MODULE])
                .env("NGINX", directory.join("usr/sbin/nginx"))
                .env("NGINX_SRC", directory.join("usr/share/nginx/src")));

            Ok(directory)
        })
        .as_deref()
        .map_err(String::as_str)
}

/// The address of an nginx, which threads share.
#[derive(Clone, Copy)]
struct Client(SocketAddr);

impl Client {
    /// Runs Lua in a worker; returns its value, or the error.
    fn try_at(&self, worker: usize, text: &str) -> Result<String, String> {
        self.run(&format!("/run?worker={worker}"), text)
    }

    /// Runs Lua in a worker; returns its value.
    fn at(&self, worker: usize, text: &str) -> String {
        self.try_at(worker, text)
            .unwrap_or_else(|err| panic!("{text} in worker {worker}: {err}"))
    }

    /// Runs Lua in a request of any worker; returns its value.
    fn anywhere(&self, text: &str) -> String {
        self.run("/run", text)
            .unwrap_or_else(|err| panic!("{text}: {err}"))
    }

    fn run(&self, path: &str, text: &str) -> Result<String, String> {
        let answer = self
            .post(path, text.as_bytes())
            .map_err(|err| err.to_string())?;
        let value = body(&answer).to_string();

        match code(&answer) {
            "200" => Ok(value),
            _ => Err(value),
        }
    }

    fn post(&self, path: &str, bytes: &[u8]) -> std::io::Result<String> {
        let mut stream = connect_to(self.0)?;
        let mut answer = Vec::new();

        write!(
            stream,
            "POST {path} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
            bytes.len()
        )?;
        stream.write_all(bytes)?;
        stream.read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// Waits until Lua in a worker returns this value.
    fn wait_at(&self, worker: usize, text: &str, value: &str) {
        let mut last = Ok(String::new());

        wait_until(&format!("{value} of {text} in worker {worker}"), || {
            last = self.try_at(worker, text);
            last.as_deref() == Ok(value)
        });
    }
}

/// An nginx of Debian with the two modules.
struct Lua {
    nginx: Nginx,
    client: Client,
}

impl Deref for Lua {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Lua {
    /// Starts nginx; `more` is Lua that each worker runs at its start. `None`: this system
    /// has no nginx with Lua, and the test is skipped.
    fn start(test: &str, more: &str) -> Option<Self> {
        Self::configured(test, "error_log log info;", more)
    }

    fn configured(test: &str, main: &str, more: &str) -> Option<Self> {
        Self::with(test, main, &[("MORE", more)])
    }

    /// Starts nginx with these texts in the places `HTTP`, `MORE` and `LOCATION` of the
    /// configuration.
    fn with(test: &str, main: &str, texts: &[(&str, &str)]) -> Option<Self> {
        let debian = match debian() {
            Ok(debian) => debian,
            Err(why) => {
                eprintln!("skipped: no nginx of Debian: {why}");
                return None;
            }
        };
        let modules = debian.join("usr/lib/nginx/modules");
        let modules = modules.display();
        let main = format!(
            "load_module {}/ngx_ipc_module.so;\nload_module {modules}/ndk_http_module.so;\n\
             load_module {modules}/ngx_http_lua_module.so;\n\
             user root;\nworker_processes {WORKERS};\nipc_messages memory=4m max=2m;\n{main}",
            root().join(MODULE).display()
        );
        let mut http = BEGIN
            .replace("ROOT", &root().display().to_string())
            .replace("DEBIAN", &debian.display().to_string());

        for place in ["HTTP", "MORE", "LOCATION"] {
            let text = texts.iter().find(|(name, _)| *name == place);

            http = http.replace(place, text.map_or("", |(_, text)| text));
        }

        let program = debian.join("usr/sbin/nginx");
        let nginx = Nginx::with_program(&program, test, Which::Ipc, &main, &http);
        let client = Client(nginx.address());
        let lua = Self { nginx, client };

        lua.nginx.spawn(&[]);
        lua.wait_for_workers();
        Some(lua)
    }

    /// Waits until all workers take messages, and have handled those that were sent before.
    fn wait_for_workers(&self) {
        self.nginx.wait_for_workers(WORKERS);

        for worker in 0..WORKERS {
            wait_until("a worker that takes messages", || {
                self.try_at(worker, "return 'here'")
                    .is_ok_and(|text| text == "here")
            });
        }
    }

    /// The pid of a worker.
    fn pid(&self, worker: usize) -> i32 {
        self.at(worker, "return ngx.worker.pid()")
            .parse()
            .expect("a pid")
    }

    /// Kills a worker, and waits for the one that replaces it.
    fn kill(&self, worker: usize) {
        let pid = self.pid(worker);

        sys::kill(pid, libc::SIGKILL);
        wait_until("a worker that was started again", || {
            self.try_at(worker, "return ngx.worker.pid()")
                .is_ok_and(|now| now.parse() != Ok(pid))
        });
    }

    /// Reloads nginx, and waits for the new workers.
    fn reload(&self) {
        let old = self.nginx.workers();

        self.nginx.signal(libc::SIGHUP);
        wait_until("new workers", || {
            let now = self.nginx.workers();

            now.len() == WORKERS && now.is_disjoint(&old)
        });
        self.wait_for_workers();
    }

    fn quit(&self) {
        self.nginx.quit(&["exited on signal 9"]);
    }
}
