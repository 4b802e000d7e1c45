//! Messages arrive: at all workers, at those that the option `to` chooses, and over HTTP.

use std::io::{Read, Write};
use std::thread;

use super::{Lua, WORKERS};
use crate::nginx::code;
use crate::support::server::connect_to;
use crate::support::wait_until;

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

/// While Lua handles a message, its worker counts as awake. So a sender does not write to the
/// wake-up descriptor. Here the sender is the worker itself.
#[test]
fn a_worker_is_awake_while_lua_handles_a_message() {
    let Some(lua) = Lua::start("lua_awake", "") else {
        return;
    };
    let text = r"local function written()
                     local n = 0
                     for fd = 0, 1023 do
                         local file = io.open('/proc/self/fdinfo/' .. fd)
                         local count = file and file:read('*a'):match('eventfd%-count:%s*(%x+)')

                         n = n + (count and tonumber(count, 16) or 0)
                         if file then file:close() end
                     end
                     return n
                 end

                 local before = written()

                 for i = 1, 3 do assert(ipc.publish('a', i, { to = 1 }) == 1) end
                 return written() - before";

    assert_eq!(lua.at(1, text), "0");
    lua.wait_at(1, "return #got.a", "3");
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
