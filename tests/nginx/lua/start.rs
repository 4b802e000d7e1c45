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
