//! The programs in examples/lua.

use super::{Lua, WORKERS};

fn start(test: &str, name: &str, arguments: &str) -> Option<Lua> {
    Lua::start(
        test,
        &format!("it = require '{name}' assert(it.init_worker({arguments}))"),
    )
}

/// A page is purged in all workers.
#[test]
fn purge() {
    let Some(lua) = start("lua_purge", "purge", "") else {
        return;
    };
    let get =
        |text: &str| format!("return it.get('/x', function (url) return url .. '{text}' end)");

    for worker in 0..WORKERS {
        assert_eq!(lua.at(worker, &get(" old")), "/x old");
        assert_eq!(lua.at(worker, &get(" new")), "/x old");
    }

    lua.at(1, "assert(it.purge('/x'))");

    for worker in 0..WORKERS {
        // A page that was not purged stays.
        lua.wait_at(
            worker,
            "return it.get('/x', function () return 'gone' end)",
            "gone",
        );
    }

    // A worker that is started again begins with an empty cache.
    lua.kill(2);
    assert_eq!(lua.at(2, &get(" again")), "/x again");
    lua.quit();
}

/// The results of worker 0 are those of all workers, also of one that starts later.
#[test]
fn health() {
    let Some(lua) = start(
        "lua_health",
        "health",
        "{ 'a', 'b', 'c' }, 0.01, function (server) return server ~= down end",
    ) else {
        return;
    };
    let up = "return tostring(it.is_up('a')) .. tostring(it.is_up('b'))";

    for worker in 0..WORKERS {
        lua.wait_at(worker, up, "truetrue");
    }

    lua.at(0, "down = 'b'");

    for worker in 0..WORKERS {
        lua.wait_at(worker, up, "truefalse");
    }

    lua.kill(3);
    lua.wait_at(3, up, "truefalse");
    lua.quit();
}

/// A client that one worker blocks is blocked in all.
#[test]
fn blocklist() {
    let Some(lua) = start("lua_blocklist", "blocklist", "") else {
        return;
    };

    assert_eq!(
        lua.at(0, "return tostring(it.allows('10.0.0.1', 5))"),
        "true"
    );
    lua.at(
        2,
        "for i = 1, 1000 do if not it.allows('10.0.0.1', 5) then return end end error('allowed')",
    );

    for worker in 0..WORKERS {
        lua.wait_at(worker, "return tostring(it.allows('10.0.0.1', 5))", "false");
        assert_eq!(
            lua.at(worker, "return tostring(it.allows('10.0.0.2', 5))"),
            "true"
        );
    }

    lua.quit();
}

/// Settings are those that were set last, also after a reload.
#[test]
fn settings() {
    let Some(lua) = start("lua_settings", "settings", "") else {
        return;
    };
    let get = "return tostring(it.get('color')) .. tostring(it.get('size'))";

    assert_eq!(lua.at(0, get), "nilnil");
    lua.at(0, "assert(it.set { color = 'blue & red', size = 1 })");

    for worker in 0..WORKERS {
        lua.wait_at(worker, get, "blue & red1");
    }

    lua.at(1, "assert(it.set { color = 'green' })");

    for worker in 0..WORKERS {
        lua.wait_at(worker, get, "greennil");
    }

    lua.reload();

    for worker in 0..WORKERS {
        lua.wait_at(worker, get, "greennil");
    }

    lua.quit();
}
