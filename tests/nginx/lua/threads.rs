//! Light threads that a function of the program ends, and those that nginx does not start.

use super::{Lua, WORKERS};
use crate::nginx::code;
use crate::support::wait_until;

/// A function that ends its light thread is in the log, its caller gets an error, and the
/// other functions and the next messages are handled.
#[test]
fn a_function_that_ends_its_light_thread() {
    let Some(lua) = Lua::start(
        "lua_exit",
        "n = 0
         ipc.subscribe('c', function (data)
             if data == 'wait' then ngx.sleep(0.01) end
             if data ~= 'go on' then ngx.exit(ngx.ERROR) end
             n = n + 1
             return 'first'
         end)
         ipc.subscribe('c', function () n = n + 100 end)
         ipc.subscribe('later', function ()
             ngx.thread.spawn(function () ngx.sleep(0.01) ngx.exit(0) end)
         end)
         ipc.subscribe('later', function () n_later = (n_later or 0) + 1 return n_later end)
         ipc.subscribe('a', function (data) if data == 'exit' then ngx.exit(0) end end)
         ipc.on_gap(function () ngx.exit(0) end)",
    ) else {
        return;
    };
    let call = |data: &str| {
        lua.at(
            0,
            &format!(
                "local value, err = ipc.call('c', '{data}', {{ to = 1, timeout = 30 }})
                 return tostring(value) .. ' ' .. tostring(err)"
            ),
        )
    };

    for data in ["exit", "wait"] {
        assert_eq!(call(data), "nil the function has ended its light thread");
        assert_eq!(call("go on"), "first nil");
    }

    assert_eq!(lua.at(1, "return n"), "402");

    let lines = lua
        .nginx
        .lines("a function for messages of the type \"c\" has ended its light thread");

    assert_eq!(lines.len(), 2);
    assert!(
        lines.iter().all(|line| line.contains("init_worker_by_lua")),
        "{lines:?}"
    );

    // Messages that wait, and a thread of the function that ends it afterwards.
    lua.at(
        0,
        "for i = 1, 50 do ipc.publish('c', 'exit', { to = 1 }) end",
    );
    lua.wait_at(1, "return n", "5402");

    for n in 1..=3 {
        assert_eq!(
            lua.at(
                0,
                "return (ipc.call('later', '', { to = 1, timeout = 30 }))"
            ),
            n.to_string()
        );
        lua.at(0, "ngx.sleep(0.03)");
    }

    // All workers have failed, so a request over HTTP says so.
    let answer = lua.post("/publish", b"exit").expect("an answer");

    assert_eq!(code(&answer), "503", "{answer}");
    assert_eq!(answer.matches("\"error\"").count(), WORKERS, "{answer}");

    // A function for gaps ends only itself: calls get their outcomes.
    lua.at(
        0,
        "ngx.thread.spawn(function () ipc.call('c', 'x', { to = 1, timeout = 0.001 }) end)",
    );
    assert_eq!(call("go on"), "first nil");
    lua.quit();
}

/// nginx starts no light thread as long as too many timers run. The log says so, and the
/// messages are handled when it starts one.
#[test]
fn a_light_thread_that_does_not_start() {
    // Outcomes, "run", "a" and "b" have a light thread.
    let Some(lua) = Lua::with(
        "lua_not_started",
        "error_log log info;",
        &[
            ("HTTP", "lua_max_running_timers 6;"),
            (
                "MORE",
                "for i = 1, 2 do
             ngx.timer.at(0, function () while not ended do ngx.sleep(0.01) end end)
         end
         n = 0
         assert(ipc.subscribe('c', function () n = n + 1 end))",
            ),
        ],
    ) else {
        return;
    };

    lua.at(0, "for i = 1, 3 do assert(ipc.publish('c', i)) end");

    wait_until("a line of each worker", || {
        lua.nginx
            .lines("no light thread of Lua handles messages of the type \"c\", trying again")
            .len()
            >= WORKERS
    });

    for worker in 0..WORKERS {
        assert_eq!(
            lua.at(worker, "local before = n ended = true return before"),
            "0"
        );
        lua.wait_at(worker, "return n", "3");
    }

    lua.nginx.quit(&[
        "exited on signal 9",
        "lua_max_running_timers are not enough",
    ]);
}
