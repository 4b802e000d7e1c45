//! Messages that are sent while a worker starts.

use super::{Lua, WORKERS};

/// A worker handles what it sends to itself in its first turn of the event loop, before
/// anything else wakes it up.
#[test]
fn messages_in_the_first_turn() {
    let Some(lua) = Lua::start(
        "lua_first_turn",
        "local seen
         ipc.subscribe('c', function (data) seen = data end)
         ngx.timer.at(0, function () ipc.publish('c', 'x', { to = ngx.worker.id() }) end)
         ngx.timer.at(0.8, function () ngx.log(ngx.NOTICE, 'seen in time: ', seen) end)",
    ) else {
        return;
    };

    // The first workers are asked by the test whether they have started.
    lua.nginx.wait_for_lines(WORKERS, "seen in time: ");
    lua.nginx.signal(libc::SIGHUP);
    lua.nginx.wait_for_lines(2 * WORKERS, "seen in time: x");
    lua.quit();
}

/// A worker can send in init_worker_by_lua, also when it is started again.
#[test]
fn messages_in_init_worker() {
    let Some(lua) = Lua::start(
        "lua_init_worker",
        "ipc.subscribe('c', function (data) first = data end)
         n, err = ipc.publish('c', 'x', { to = ngx.worker.id() })",
    ) else {
        return;
    };
    let is_sent = |worker| {
        lua.wait_at(worker, "return tostring(first)", "x");
        assert_eq!(lua.at(worker, "return n"), "1");
    };

    (0..WORKERS).for_each(is_sent);
    lua.kill(1);
    is_sent(1);
    lua.reload();
    (0..WORKERS).for_each(is_sent);
    lua.quit();
}
