//! Queues that are full, and outcomes of calls that do not come.

use super::Lua;
use crate::support::wait_until;

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
