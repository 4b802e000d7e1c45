//! The modules with the functions of resty.events and resty.worker.events.

use super::{Lua, WORKERS};
use crate::support::wait_until;

/// The sum of a number over all workers.
fn total(lua: &Lua, text: &str) -> usize {
    (0..WORKERS)
        .map(|worker| lua.at(worker, text).parse::<usize>().expect("a number"))
        .sum()
}

/// A program for resty.events: all workers, one worker for a key, this worker.
#[test]
fn resty_events() {
    let Some(lua) = Lua::start(
        "lua_events",
        "ev = assert(require('resty.ngx_ipc.events').new { listening = 'unix:x' })
         seen = {}
         local function add(how)
             return function (data, event, source, worker)
                 seen[#seen + 1] = how .. ' ' .. source .. ' ' .. event .. ' '
                     .. tostring(type(data) == 'table' and data.x or data) .. ' '
                     .. tostring(worker)
             end
         end
         any = ev:subscribe('*', '*', add('any'))
         ev:subscribe('s', '*', add('source'))
         ev:subscribe('s', 'e', function () error('thrown on purpose') end)
         ev:subscribe('s', 'e', add('event'))
         assert(ev:init_worker() and ev:is_ready())",
    ) else {
        return;
    };

    lua.at(2, "assert(ev:publish('all', 's', 'e', { x = 'a\\0b' }))");

    for worker in 0..WORKERS {
        lua.wait_at(worker, "return #seen", "3");
        assert_eq!(
            lua.at(worker, "return (table.concat(seen, '; '):gsub('%z', '0'))"),
            "any s e a0b 2; source s e a0b 2; event s e a0b 2"
        );
    }

    // All workers post the same key: one of them handles the event, once.
    for worker in 0..WORKERS {
        lua.at(worker, "seen = {} ev:unsubscribe(any)");
    }

    for worker in 0..WORKERS {
        lua.at(worker, "assert(ev:publish('a key', 's', 'unique', worker))");
    }

    lua.at(0, "assert(ev:publish('all', 's', 'end'))");

    for worker in 0..WORKERS {
        lua.wait_at(worker, "return tostring(seen[#seen]):match('end')", "end");
    }

    wait_until("the event with the key", || {
        total(&lua, "return #seen") > WORKERS
    });
    assert_eq!(total(&lua, "return #seen"), WORKERS + 1);

    // Data of a local event is not copied.
    lua.at(
        1,
        "seen = {} t = {} t.x = t
         assert(ev:publish('current', 's', 'local', t))",
    );
    lua.wait_at(
        1,
        "return tostring(seen[1] == 'source s local ' .. tostring(t) .. ' nil')",
        "true",
    );
    assert_eq!(
        lua.at(1, "return select(2, ev:publish('all', 's', 'e', print))"),
        "failed to publish event: the event cannot be encoded: cannot serialize 'function'"
    );

    for (call, text) in [
        ("ev:publish('all', '', 'e')", "source is required"),
        ("ev:publish('', 's', 'e')", "target is required"),
        ("ev:unsubscribe(5)", "id is required"),
        ("new { listening = 'x' }", "starts with unix:"),
        (
            "new { listening = 'unix:x', unique_timeout = 0 }",
            "greater than 0",
        ),
        ("new()", "Expected a table, got nil"),
    ] {
        let found = lua.at(
            1,
            &format!(
                "local new = require('resty.ngx_ipc.events').new
                 return select(2, pcall(function () return {call} end))"
            ),
        );

        assert!(found.ends_with(text), "{call}: {found}");
    }
    lua.quit();
}

/// A program for resty.worker.events.
#[test]
fn resty_worker_events() {
    let Some(lua) = Lua::start(
        "lua_worker_events",
        "ev = require 'resty.ngx_ipc.worker_events'
         seen, strong = {}, {}
         function strong.f(data, event, source, pid)
             seen[#seen + 1] = source .. ' ' .. event .. ' ' .. tostring(data)
             from = pid
         end
         ev.register(strong.f, 's', 'e', 'f')
         ev.register(function (_, event, source) log = (log or '') .. source .. '/' .. event .. ' ' end)
         weak = function () n_weak = (n_weak or 0) + 1 end
         ev.register_weak(weak, 's')
         list = ev.event_list('s', 'e', 'f')
         assert(not ev.configured())
         assert(ev.configure { shm = 'ignored', timeout = 60 })
         assert(ev.configured())",
    ) else {
        return;
    };

    let pid = lua.pid(1);

    lua.at(
        1,
        "assert(ev.post(list._source, list.e, 'x'))
         assert(ev.post('s', 'g', 'y'))
         assert(ev.post('s', 'f', 'z'))",
    );

    for worker in 0..WORKERS {
        lua.wait_at(worker, "return table.concat(seen, '; ')", "s e x; s f z");
        assert_eq!(
            lua.at(worker, "return from .. ' ' .. n_weak"),
            format!("{pid} 3")
        );
        // Each worker tells the others that it has started.
        assert_eq!(
            lua.at(
                worker,
                "return (log:gsub('resty%-worker%-events/started ', ''))"
            ),
            "s/e s/g s/f "
        );
    }

    // A weak function that is gone is not called.
    lua.at(
        0,
        "weak = nil collectgarbage() collectgarbage()
         seen = {} assert(ev.unregister(strong.f, 's', 'e'))
         assert(not ev.unregister(strong.f, 's', 'e'))
         ev.post_local('s', 'e', 1) ev.post_local('s', 'f', 2)",
    );
    lua.wait_at(0, "return table.concat(seen, '; ')", "s f 2");
    assert_eq!(lua.at(0, "return n_weak"), "3");
    assert_eq!(lua.at(1, "return #seen"), "2");

    // All workers post: one handles the event.
    for worker in 0..WORKERS {
        lua.at(worker, "seen = {}");
    }

    for worker in 0..WORKERS {
        lua.at(worker, "assert(ev.post('s', 'f', 'once', 'key'))");
    }

    lua.at(0, "assert(ev.post('s', 'f', 'end'))");

    for worker in 0..WORKERS {
        lua.wait_at(worker, "return tostring(seen[#seen]):match('end')", "end");
    }

    wait_until("the event with the key", || {
        total(&lua, "return #seen") > WORKERS
    });
    assert_eq!(total(&lua, "return #seen"), WORKERS + 1);
    assert_eq!(
        lua.at(
            0,
            "return tostring(log:find('events/started', 1, true) ~= nil)"
        ),
        "true"
    );
    lua.quit();
}

/// What a program for resty.worker.events relies on besides: the order of the functions,
/// and `poll()`, after which the events of this worker are handled.
#[test]
fn order_of_functions() {
    let Some(lua) = Lua::start(
        "lua_order",
        "ev = require 'resty.ngx_ipc.worker_events'
         seen, fns = {}, {}
         local function f(name)
             fns[name] = function (data) seen[#seen + 1] = name .. data end
             return fns[name]
         end
         ev.register(f 'event', 's', 'e')
         ev.register(f 'source', 's')
         ev.register(f 'all')
         ev.register_weak(f 'weak event', 's', 'e')
         ev.register_weak(f 'weak all')
         ev.register(function () seen[#seen + 1] = ev.poll() end, 'p')
         assert(ev.configure { timeout = 60 })",
    ) else {
        return;
    };
    let polled = |text: &str| {
        lua.anywhere(&format!(
            "seen = {{}} {text} local done = ev.poll()
             return done .. ': ' .. table.concat(seen, ', ')"
        ))
    };

    // Events of the start.
    lua.anywhere("ngx.sleep(0.1)");

    for post in ["post", "post_local"] {
        assert_eq!(
            polled(&format!("assert(ev.{post}('s', 'e', 1))")),
            "done: weak all1, all1, source1, weak event1, event1"
        );
        assert_eq!(
            polled(&format!("assert(ev.{post}('p', 'e', 2))")),
            "done: weak all2, all2, recursive"
        );
    }

    // A key that is no text is the same as its text.
    for (key, seen) in [("5", 1), ("'5'", 0)] {
        // One worker posts both, so that they arrive in this order.
        lua.anywhere(&format!(
            "seen = {{}} assert(ev.post('u', 'e', 3, {key})) assert(ev.post('end', 'e', 4))"
        ));

        for worker in 0..WORKERS {
            lua.wait_at(worker, "return tostring(seen[#seen])", "all4");
        }

        let found = total(
            &lua,
            "local n = 0
             for _, text in ipairs(seen) do n = n + (text == 'all3' and 1 or 0) end
             seen = {}
             return n",
        );

        assert_eq!(found, seen);
    }

    for (options, text) in [
        ("{ timeout = 0 }", "\"timeout\" must be greater than 0"),
        (
            "{ interval = 'x' }",
            "optional \"interval\" option must be a number",
        ),
        (
            "{ wait_max = -1 }",
            "\"wait_max\" must be greater than or equal to 0",
        ),
    ] {
        assert_eq!(
            lua.anywhere(&format!("return select(2, ev.configure {options})")),
            text
        );
    }

    lua.quit();
}
