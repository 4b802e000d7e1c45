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
        lua.at(1, "return select(2, ev:publish('all', '', 'e'))"),
        "source is required"
    );
    assert!(
        lua.at(1, "return select(2, ev:publish('all', 's', 'e', print))")
            .starts_with("the event cannot be encoded")
    );
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
        assert_eq!(
            lua.at(worker, "return log"),
            "resty-worker-events/started s/e s/g s/f "
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
    assert_eq!(lua.anywhere("return ev.poll()"), "done");
    lua.quit();
}
