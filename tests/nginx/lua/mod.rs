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
use std::thread;

use crate::nginx::{Nginx, Which, body, code};
use crate::support::build::{root, run};
use crate::support::server::connect_to;
use crate::support::{sys, wait_until};

mod arguments;
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

/// Each worker gets the messages of each sender once and in their order, also more messages
/// than a light thread handles before another one takes over.
#[test]
fn messages_to_all_workers() {
    const EACH: usize = 2500;

    let Some(lua) = Lua::start(
        "lua_all",
        "threads = {}
         ipc.subscribe('a', function () threads[coroutine.running()] = true end)",
    ) else {
        return;
    };
    let timers = "return ngx.timer.running_count() .. ' ' .. ngx.timer.pending_count()";
    let before = lua.at(1, timers);

    thread::scope(|scope| {
        for sender in 0..WORKERS {
            let client = lua.client;

            scope.spawn(move || {
                client.at(
                    sender,
                    &format!(
                        "for i = 1, {EACH} do
                             repeat
                                 local n, missed = ipc.publish('a', i)

                                 assert(n == {WORKERS} and #missed == 0, n)
                             until true
                             if i % 50 == 0 then ngx.sleep(0.001) end
                         end"
                    ),
                )
            });
        }
    });

    for worker in 0..WORKERS {
        lua.wait_at(worker, "return #got.a", &(EACH * WORKERS).to_string());

        let text = "local last, right = {}, 0
                    for _, m in ipairs(got.a) do
                        if tonumber(m.data) == (last[m.worker] or 0) + 1 then
                            right = right + 1
                        end
                        last[m.worker] = tonumber(m.data)
                    end
                    return right";

        assert_eq!(lua.at(worker, text), (EACH * WORKERS).to_string());
        assert_eq!(lua.at(worker, "return #gaps"), "0");

        // nginx frees the memory of a light thread when it ends.
        let text = "local n = 0 for _ in pairs(threads) do n = n + 1 end return n";

        assert_ne!(lua.at(worker, text), "1");
    }

    assert_eq!(lua.at(1, timers), before);
    lua.quit();
}

/// Bodies of any bytes, and large ones, arrive as they are.
#[test]
fn bodies() {
    let Some(lua) = Lua::start("lua_bodies", "") else {
        return;
    };
    let sizes = "{ 0, 1, 55, 56, 57, 4000, 4096, 100000, 1048576, 2097152 }";

    lua.at(
        0,
        &format!(
            "for _, size in ipairs {sizes} do
                 local bytes = {{}}
                 for i = 0, 255 do bytes[i + 1] = string.char(i) end
                 local text = table.concat(bytes):rep(size / 256 + 1):sub(1, size)
                 local n, missed
                 repeat
                     n, missed = ipc.publish('a', text, {{ to = 3 }})
                     if n == nil then assert(missed == 'full'); ngx.sleep(0.01) end
                 until n
                 assert(n == 1)
             end"
        ),
    );
    lua.wait_at(3, "return #got.a", "10");
    assert_eq!(
        lua.at(
            3,
            &format!(
                "for i, size in ipairs {sizes} do
                     local data = got.a[i].data

                     assert(#data == size, size)
                     for at = 1, size do
                         if data:byte(at) ~= (at - 1) % 256 then
                             return size .. ' is wrong at ' .. at
                         end
                     end
                 end
                 return 'right'"
            )
        ),
        "right"
    );

    assert_eq!(
        lua.anywhere("return tostring(select(2, ipc.publish('a', ('x'):rep(2^21 + 1))))"),
        "too large"
    );
    lua.quit();
}

/// The option `to`.
#[test]
fn receivers() {
    let Some(lua) = Lua::start("lua_to", "") else {
        return;
    };

    assert_eq!(
        lua.at(2, "return (ipc.publish('a', 'others', { to = 'others' }))"),
        "3"
    );
    lua.at(2, "ipc.publish('b', 'end')");

    for worker in 0..WORKERS {
        lua.wait_at(worker, "return #got.b", "1");
        assert_eq!(
            lua.at(worker, "return #got.a"),
            if worker == 2 { "0" } else { "1" }
        );
    }

    let total = || -> usize {
        (0..WORKERS)
            .map(|worker| {
                lua.at(worker, "return #got.a")
                    .parse::<usize>()
                    .expect("a number")
            })
            .sum()
    };

    lua.at(
        1,
        "for i = 1, 40 do assert(ipc.publish('a', i, { to = 'exactly_one' }) == 1) end",
    );
    wait_until("one worker for each message", || total() == 3 + 40);

    // One worker has the key, whichever worker sends.
    for worker in 0..WORKERS {
        lua.at(
            worker,
            "assert(ipc.publish('b', 'key', { to = { key = '/x' } }) == 1)",
        );
    }

    wait_until("one worker for the key", || {
        (0..WORKERS).any(|worker| lua.at(worker, "return #got.b") == "5")
    });

    // The last ones are no numbers of workers.
    for to in ["4", "-1", "0.5", "2^32", "2^57"] {
        assert_eq!(
            lua.anywhere(&format!(
                "return select(2, ipc.publish('a', 'x', {{ to = {to} }}))"
            )),
            "no process",
            "{to}"
        );
    }

    assert_eq!(total(), 43);
    lua.quit();
}

/// The outcomes of calls.
#[test]
fn calls() {
    let Some(lua) = Lua::start(
        "lua_calls",
        "ipc.subscribe('echo', function (data) return data end)
         ipc.subscribe('nothing', function () end)
         ipc.subscribe('refuse', function () return nil, 'not today' end)
         ipc.subscribe('throw', function () error('thrown', 0) end)
         ipc.subscribe('large', function () return ('x'):rep(3 * 2^20) end)
         ipc.subscribe('slow', function () ngx.sleep(0.5) return 'late' end)
         ipc.subscribe('gone', print)
         ipc.unsubscribe('gone', print)
         ipc.subscribe('two', function () error('thrown', 0) end)
         ipc.subscribe('two', function (data) return data end)",
    ) else {
        return;
    };
    let call = |name: &str, options: &str| {
        lua.anywhere(&format!(
            "local value, err = ipc.call('{name}', 'x\\0y', {options})
             return (type(value) .. ' ' .. tostring(value):gsub('%z', '0')
                     .. ' ' .. tostring(err))"
        ))
    };

    for to in ["{ to = 3 }", "{ to = { key = '/a' } }", "nil"] {
        assert_eq!(call("echo", to), "string x0y nil", "{to}");
    }

    for (name, options, outcome) in [
        ("nothing", "{ to = 0 }", "boolean true nil"),
        ("refuse", "{ to = 0 }", "nil nil not today"),
        ("throw", "{ to = 0 }", "nil nil thrown"),
        ("two", "{ to = 0 }", "string x0y nil"),
        (
            "large",
            "{ to = 0 }",
            "nil nil the reply could not be sent: too large",
        ),
        ("gone", "{ to = 0 }", "nil nil no subscriber"),
        ("echo", "{ to = 9 }", "nil nil no process"),
        ("slow", "{ to = 1, timeout = 0.05 }", "nil nil timeout"),
        ("slow", "{ to = 1, timeout = 30 }", "string late nil"),
    ] {
        assert_eq!(call(name, options), outcome, "{name} {options}");
    }

    // Worker 0 does not know the type.
    assert_eq!(
        lua.at(
            1,
            "return select(2, ipc.call('unknown', 'x', { to = 0, timeout = 0.1 }))"
        ),
        "timeout"
    );

    // A worker asks itself, many at once.
    assert_eq!(
        lua.at(
            2,
            "local threads = {}
             for i = 1, 300 do
                 threads[i] = ngx.thread.spawn(function ()
                     return ipc.call('echo', i, { to = i % 4, timeout = 30 })
                 end)
             end
             local right = 0
             for i = 1, 300 do
                 local ok, value = ngx.thread.wait(threads[i])
                 if value == tostring(i) then right = right + 1 end
             end
             return right"
        ),
        "300"
    );

    // A worker that dies. No request waits for the outcome, because the worker that dies
    // could serve the request.
    let pid = lua.pid(1);

    lua.at(
        0,
        "ngx.timer.at(0, function ()
             local value, err = ipc.call('run', [[
                 ngx.log(ngx.WARN, 'the worker is asked')
                 ngx.sleep(60)
             ]], { to = 1, timeout = 50 })

             outcome = tostring(value) .. ' ' .. err
         end)",
    );
    wait_until("a worker that is asked", || {
        !lua.nginx.lines("the worker is asked").is_empty()
    });
    sys::kill(pid, libc::SIGKILL);
    lua.wait_at(0, "return tostring(outcome)", "nil died");

    lua.wait_for_workers();
    lua.quit();
}

/// A function that fails is logged, and no other function and no later message is affected.
#[test]
fn a_function_that_fails() {
    let Some(lua) = Lua::start(
        "lua_throws",
        "n = 0
         ipc.subscribe('c', function () error('thrown on purpose') end)
         ipc.subscribe('c', function () error({}) end)
         ipc.subscribe('c', function () n = n + 1 end)
         once = function () ipc.unsubscribe('c', once) n = n + 100 end
         ipc.subscribe('c', once)",
    ) else {
        return;
    };

    lua.at(0, "for i = 1, 5 do ipc.publish('c', i, { to = 1 }) end");
    lua.wait_at(1, "return n", "105");
    assert_eq!(lua.nginx.lines("thrown on purpose").len(), 5);
    assert_eq!(
        lua.anywhere("return tostring(ipc.unsubscribe('c', print))"),
        "false"
    );
    lua.quit();
}

/// The last message of a type is there in workers that are started later: after a kill and
/// after a reload.
#[test]
fn a_message_that_is_kept() {
    let Some(lua) = Lua::start(
        "lua_kept",
        "assert(ipc.register('conf', { retained = true }))",
    ) else {
        return;
    };
    let kept = "return tostring(ipc.retained('conf'))";

    assert_eq!(lua.anywhere(kept), "nil");
    lua.at(0, "ipc.publish('conf', 'old') ipc.publish('conf', 'new')");

    for worker in 0..WORKERS {
        lua.wait_at(worker, kept, "new");
    }

    lua.kill(3);
    lua.wait_at(3, kept, "new");

    lua.reload();

    for worker in 0..WORKERS {
        lua.wait_at(worker, kept, "new");
    }

    assert_eq!(
        lua.anywhere("return select(2, ipc.register('conf', {}))"),
        "the type is registered with other options"
    );
    lua.quit();
}

/// A worker that handles nothing for a second gets all messages afterwards.
#[test]
fn a_worker_that_is_busy() {
    let Some(lua) = Lua::start("lua_busy", "") else {
        return;
    };

    lua.anywhere(
        "assert(ipc.publish('run',
             'ngx.update_time() local t = ngx.now() \
              repeat ngx.update_time() until ngx.now() > t + 1', { to = 2 }))",
    );

    // Worker 2 can accept this connection only when it is not busy any more.
    lua.at(
        0,
        "for i = 1, 5000 do
             local n, missed = ipc.publish('a', i)
             assert(n == 4 and #missed == 0)
         end",
    );
    lua.wait_at(2, "return #got.a", "5000");
    assert_eq!(
        lua.at(2, "return got.a[5000].data .. ' ' .. #gaps"),
        "5000 0"
    );
    lua.quit();
}

/// If a function waits and its queue is full, messages wait in the shared memory, and then
/// senders are told. What was sent arrives.
#[test]
fn a_queue_that_is_full() {
    let Some(lua) = Lua::start(
        "lua_full",
        "sums = {}
         ipc.subscribe('slow', function (data)
             while not is_open do ngx.sleep(0.01) end
             sums[#sums + 1] = tonumber(data:match('^%d+'))
         end)
         ipc.subscribe('open', function () is_open = true end)",
    ) else {
        return;
    };

    // A queue has 4 MiB, and the shared memory too: 100 of these messages.
    let sent: usize = lua
        .anywhere(
            "local n, refused = 0, 0
             for i = 1, 10000 do
                 local sent, err = ipc.publish('slow', i .. ('x'):rep(100000), { to = 1 })
                 if sent then
                     n = n + 1
                 else
                     assert(err == 'full')
                     refused = refused + 1
                     if refused > 50 then return n end
                     ngx.sleep(0.01)
                 end
             end
             return n",
        )
        .parse()
        .expect("a number");

    assert!((40..500).contains(&sent), "{sent}");

    // No message of another worker reaches it now. If it waits for a reply itself, it takes
    // messages.
    wait_until("a request of another worker", || {
        let value = lua.anywhere(
            "if ngx.worker.id() == 1 then return 'itself' end
             return tostring((ipc.call('run', 'return 1', { to = 1, timeout = 0.3 })))",
        );

        assert!(["itself", "nil"].contains(&value.as_str()), "{value}");
        value == "nil"
    });
    open(&lua, 1);
    lua.wait_at(1, "return #sums", &sent.to_string());
    assert_eq!(lua.at(1, "return #gaps"), "0");
    lua.quit();
}

/// Opens the queue of a worker in a request of this worker: it can take no messages now.
fn open(lua: &Lua, worker: usize) {
    let text = format!(
        "if ngx.worker.id() == {worker} then is_open = true return 'open' end return 'another'"
    );

    wait_until("a request of the worker", || lua.anywhere(&text) == "open");
}

/// Messages that a killed worker had taken and not handled are reported to the worker that
/// replaces it.
#[test]
fn messages_of_a_killed_worker() {
    // A request that came while there was no worker is a gap with another cause.
    const DIED: &str = "local n = 0
         for _, gap in ipairs(gaps) do if gap.cause == 'died' then n = n + 1 end end
         return n";

    let Some(lua) = Lua::start(
        "lua_killed",
        "ipc.subscribe('slow', function () ngx.sleep(60) end)",
    ) else {
        return;
    };

    lua.anywhere("for i = 1, 7 do assert(ipc.publish('slow', i, { to = 1 })) end");
    // They have arrived: this message comes after them, if the worker is the sender.
    lua.wait_at(1, "return 'here'", "here");
    assert_eq!(
        lua.at(
            1,
            "for i = 1, 3 do ipc.publish('slow', i, { to = 1 }) end return 'sent'"
        ),
        "sent"
    );
    lua.wait_at(1, "return 'here'", "here");

    lua.kill(1);
    lua.wait_at(
        1,
        "local gap = gaps[1] return gap and gap.count .. ' ' .. gap.cause",
        "10 died",
    );
    assert_eq!(lua.at(1, DIED), "1");
    assert_eq!(
        lua.nginx
            .lines("10 messages are lost: the previous process died")
            .len(),
        1
    );

    // A worker that handles what comes leaves no gap.
    lua.at(2, "for i = 1, 50 do ipc.publish('a', i) end");
    lua.wait_at(3, "return #got.a", "50");
    lua.kill(3);
    assert_eq!(lua.at(3, DIED), "0");
    lua.quit();
}

/// Old workers of a reload exit at once. One that still serves a request handles messages
/// until the request ends.
#[test]
fn a_reload() {
    let Some(lua) = Lua::start("lua_reload", "") else {
        return;
    };
    let old = lua.nginx.workers();

    let client = lua.client;
    let answer = thread::scope(|scope| {
        let request = scope.spawn(move || {
            client.run(
                "/run",
                "ngx.log(ngx.WARN, 'the request waits')
                 while not ngx.worker.exiting() do ngx.sleep(0.01) end
                 ngx.sleep(0.3)
                 assert(ipc.publish('a', 'late', { to = ngx.worker.id() }))
                 for i = 1, 3000 do
                     if #got.a == 1 then return 'handled' end
                     ngx.sleep(0.01)
                 end
                 return 'lost'",
            )
        });

        wait_until("a request that waits", || {
            !lua.nginx.lines("the request waits").is_empty()
        });
        lua.nginx.signal(libc::SIGHUP);
        request.join().expect("an answer")
    });

    assert_eq!(answer.as_deref(), Ok("handled"));
    wait_until("the end of the old workers", || {
        let now = lua.nginx.workers();

        now.len() == WORKERS && now.is_disjoint(&old)
    });

    lua.wait_for_workers();
    lua.at(0, "ipc.publish('a', 'new')");

    for worker in 0..WORKERS {
        lua.wait_at(worker, "return #got.a", "1");
    }

    lua.quit();
    assert!(lua.nginx.lines("are lost").is_empty());
}

/// A worker that exits with messages that Lua has not handled says so.
#[test]
fn messages_of_a_worker_that_is_terminated() {
    let Some(lua) = Lua::start(
        "lua_term",
        "ipc.subscribe('slow', function () ngx.sleep(60) end)",
    ) else {
        return;
    };

    lua.at(
        1,
        "for i = 1, 5 do assert(ipc.publish('slow', i, { to = 1 })) end",
    );
    lua.wait_at(1, "return 'here'", "here");
    lua.nginx.signal(libc::SIGTERM);
    lua.nginx.finish(&[]);
    assert_eq!(
        lua.nginx
            .lines("5 messages are lost: the process exits before")
            .len(),
        1
    );
}

/// Without messages the light threads wait, and no timer expires.
#[test]
fn idle_workers() {
    let Some(lua) = Lua::configured("lua_idle", "error_log log debug;", "") else {
        return;
    };

    lua.at(0, "ipc.publish('a', 'x')");
    wait_until("workers that wait for a long time", || {
        lua.nginx.workers().iter().all(|pid| {
            let text = format!(" {pid}#{pid}: epoll timer: ");
            let lines = lua.nginx.lines(&text);

            lines.last().is_some_and(|line| {
                line.rsplit(' ')
                    .next()
                    .and_then(|time| time.parse::<i64>().ok())
                    .is_some_and(|time| time > 3_600_000)
            })
        })
    });
    lua.quit();
}

/// The type of a location is the same as that of Lua.
#[test]
fn messages_over_http() {
    let Some(lua) = Lua::start("lua_http", "") else {
        return;
    };
    let answer = lua.post("/publish", b"from curl").expect("an answer");

    assert_eq!(code(&answer), "200", "{answer}");
    assert!(answer.contains("\"missed\":[]"), "{answer}");

    for worker in 0..WORKERS {
        assert_eq!(lua.at(worker, "return got.a[1].data"), "from curl");
    }

    let mut stream = connect_to(lua.client.0).expect("a connection");
    let mut event = Vec::new();

    write!(stream, "GET /events HTTP/1.0\r\n\r\n").expect("a request");

    let mut read_to = |end: &str| {
        while !String::from_utf8_lossy(&event).ends_with(end) {
            let mut byte = [0];

            assert_eq!(stream.read(&mut byte).expect("a byte"), 1);
            event.push(byte[0]);
        }
    };

    read_to("retry: 1000\n\n");
    lua.at(0, "ipc.publish('a', 'from Lua')");
    read_to("data: from Lua\n\n");
    lua.quit();
}
