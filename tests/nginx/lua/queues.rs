//! Queues that are full, and outcomes of calls that do not come.

use super::{Lua, open};
use crate::support::wait_until;

/// The number of messages of 100,000 bytes that a worker takes before its senders are told
/// that it is full.
const FILL: &str = "
    local n, refused = 0, 0

    for i = 1, 600 do
        if ipc.publish('slow', i .. ('x'):rep(100000), { to = 1 }) then
            n, refused = n + 1, 0
        else
            refused = refused + 1
            if refused > 50 then return n end
            ngx.sleep(0.01)
        end
    end

    return n";

/// The memory of a queue is limited also in a worker that always waits in a call. The call
/// ends when its time is over, and nothing that was sent is lost.
#[test]
fn a_queue_that_is_full_while_a_call_waits() {
    let Some(lua) = Lua::start(
        "lua_overfull",
        "n, outcomes = 0, {}
         ipc.subscribe('slow', function ()
             while not is_open do ngx.sleep(0.01) end
             if n == 0 then first = select(2, ipc.call('run', 'return 1', { to = 2 })) end
             n = n + 1
         end)
         ipc.subscribe('silent', function ()
             while not is_open do ngx.sleep(0.01) end
         end)
         if ngx.worker.id() == 1 then
             ngx.timer.at(0, function ()
                 while not is_open do
                     local _, err = ipc.call('silent', 'x', { to = 2, timeout = 0.2 })
                     outcomes[tostring(err)] = true
                 end
             end)
         end",
    ) else {
        return;
    };
    let sent: usize = lua.anywhere(FILL).parse().expect("a number");

    // A queue has 16 MiB then, and the shared memory 4 MiB.
    assert!((150..400).contains(&sent), "{sent}");

    // The call ends although its reply cannot come.
    wait_until("a call that has waited too long", || {
        lua.anywhere("return ngx.worker.id() == 1 and outcomes.timeout and 'ended' or 'no'")
            == "ended"
    });

    open(&lua, 2);
    open(&lua, 1);
    lua.wait_at(1, "return n", &sent.to_string());
    assert_eq!(lua.at(1, "return first"), "full");
    assert_eq!(lua.at(1, "return #gaps"), "0");
    assert_eq!(
        lua.at(
            1,
            "return (ipc.call('run', 'return 1', { to = 2, timeout = 30 }))"
        ),
        "1"
    );
    lua.quit();
}

/// A virtual machine of Lua that ends while its queue is full does not hold back the
/// messages of the others.
#[test]
fn a_queue_that_is_full_and_closed() {
    let Some(lua) = Lua::with(
        "lua_closed",
        "error_log log info;",
        &[(
            "LOCATION",
            "location = /off {
                 lua_code_cache off;
                 content_by_lua_block {
                     ngx.req.read_body()
                     ngx.print(assert(loadstring(ngx.req.get_body_data()))())
                 }
             }",
        )],
    ) else {
        return;
    };

    // "lua_code_cache off": the virtual machine of the request ends with its last light
    // thread.
    let worker = lua
        .post(
            "/off",
            b"local ipc = require 'resty.ngx_ipc'
              local n = 0

              assert(ipc.subscribe('c', function ()
                  n = n + 1
                  if n == 1 then ipc.publish('run', 'c_runs = true', { to = ngx.worker.id() }) end
                  ngx.sleep(0.5)
                  ngx.exit(0)
              end))
              return ngx.worker.id()",
        )
        .expect("an answer");
    let worker = crate::nginx::body(&worker).parse().expect("a number");

    lua.at(
        worker,
        "for i = 1, 45 do
             local n, err
             repeat
                 n, err = ipc.publish('c', ('x'):rep(100000), { to = ngx.worker.id() })
                 ngx.sleep(0.001)
             until n
         end",
    );
    lua.wait_at(worker, "return tostring(c_runs)", "true");
    lua.wait_at(worker, "return 'here'", "here");
    lua.nginx
        .quit(&["exited on signal 9", "lua_code_cache is off"]);
}

/// A reply for which there is no memory is an error of the call.
#[test]
fn a_reply_without_memory() {
    let Some(lua) = Lua::start(
        "lua_no_memory",
        "ipc.subscribe('large', function () return ('x'):rep(2^21 - 1000) end)",
    ) else {
        return;
    };

    assert_eq!(
        lua.at(
            0,
            "local ffi = require 'ffi'
             ffi.cdef 'int setrlimit(int resource, const uint64_t *limits);'
             local old, none = ffi.new('uint64_t[2]', -1, -1), ffi.new('uint64_t[2]', 1, -1)
             local RLIMIT_AS = 9

             assert(ffi.C.setrlimit(RLIMIT_AS, none) == 0)
             local value, err = ipc.call('large', 'x', { to = 1, timeout = 20 })
             assert(ffi.C.setrlimit(RLIMIT_AS, old) == 0)
             return tostring(value and #value) .. ' ' .. tostring(err)"
        ),
        "nil no memory"
    );
    lua.nginx.quit(&["exited on signal 9", "malloc("]);
}
