//! Calls, and functions that fail.

use super::Lua;
use crate::support::{sys, wait_until};

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
