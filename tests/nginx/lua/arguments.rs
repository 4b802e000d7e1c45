//! Arguments that are not valid, and phases in which a function cannot be called.

use super::{Lua, WORKERS};
use crate::support::wait_until;

/// Each wrong argument has a text that says what is wrong.
#[test]
fn wrong_arguments() {
    let Some(lua) = Lua::start("lua_arguments", "") else {
        return;
    };

    for (call, text) in [
        ("publish()", "the type of a message is a string"),
        (
            "publish('', 'x')",
            "invalid name of a type: it has 1 to 48 bytes, no byte 0, and does not begin with \"(\"",
        ),
        (
            "publish(('x'):rep(49), 'x')",
            "invalid name of a type: it has 1 to 48 bytes, no byte 0, and does not begin with \"(\"",
        ),
        (
            "publish('a', 'x', 'exactly_one')",
            "options are a table, not a string",
        ),
        (
            "publish('a', 'x', { to = 'one' })",
            "no receiver: \"to\" is \"all\", \"others\", \"exactly_one\", the number of a worker, \
             or { key = TEXT }",
        ),
        (
            "call('a', 'x', { to = 'all' })",
            "no receiver: \"to\" is \"exactly_one\", the number of a worker, or { key = TEXT }",
        ),
        (
            "call('a', 'x', { timeout = '1' })",
            "the timeout is a number of seconds",
        ),
        (
            "call('a', 'x', { timeout = 0 / 0 })",
            "the timeout is a number of seconds",
        ),
        ("publish('a', 'x', { too = 1 })", "unknown option \"too\""),
        (
            "call('a', 'x', { all_generations = true })",
            "unknown option \"all_generations\"",
        ),
        ("call('a', 'x', 5)", "options are a table, not a number"),
        ("subscribe('a')", "subscribe() needs a function"),
        ("on_gap('a')", "on_gap() needs a function"),
        (
            "register('c', { retain = true })",
            "unknown option \"retain\"",
        ),
        (
            "register('c', 'retained')",
            "options are a table, not a string",
        ),
        (
            "register('a', { retained = true })",
            "the type is registered with other options",
        ),
        ("retained('a')", "the type is not registered as retained"),
    ] {
        let found = lua.anywhere(&format!(
            "local ok, value, err = pcall(function () return ipc.{call} end)
             return not ok and value or err"
        ));

        // An error of Lua begins with its place.
        assert!(found.ends_with(text), "{call}: {found}");
    }

    // A long time is not too long for a timer.
    assert_eq!(
        lua.anywhere("return (ipc.call('run', 'return 5', { to = 1, timeout = 1 / 0 }))"),
        "5"
    );

    // A function can be there twice, and goes one by one.
    assert_eq!(
        lua.at(
            0,
            "local n = 0
             local function f() n = n + 1 end
             ipc.subscribe('c', f) ipc.subscribe('c', f)
             ipc.call('c', '', { to = 0 })
             local is = ipc.unsubscribe('c', f)
             ipc.call('c', '', { to = 0 })
             return n .. tostring(is) .. tostring(ipc.unsubscribe('c', f))
                    .. tostring(ipc.unsubscribe('c', f))"
        ),
        "3truetruefalse"
    );
    lua.quit();
}

/// The functions that cannot be called before the workers run, or where Lua cannot wait.
#[test]
fn phases() {
    const EARLY: &str = "init_by_lua_block {
         local ipc = require 'resty.ngx_ipc'

         for _, name in ipairs { 'subscribe', 'publish', 'call' } do
             ngx.log(ngx.ERR, name, ': ', select(2, ipc[name]('a', print)))
         end
         ngx.log(ngx.ERR, 'register: ', select(2, ipc.register('a')))
         ngx.log(ngx.ERR, 'on_gap: ', select(2, ipc.on_gap(print)))
     }";

    let Some(lua) = Lua::with(
        "lua_phases",
        "error_log log info;",
        &[
            ("HTTP", EARLY),
            ("MORE", "assert(ipc.publish('a', 'from the start'))"),
            (
                "LOCATION",
                "location = /log {
                     return 200;
                     log_by_lua_block {
                         ngx.log(ngx.ERR, 'in log: ', ipc.publish('a', 'from log'), ' ',
                                 select(2, ipc.call('a', 'x')))
                     }
                 }",
            ),
        ],
    ) else {
        return;
    };

    assert_eq!(
        lua.nginx
            .lines("no messages in init_by_lua: use init_worker_by_lua")
            .len(),
        5
    );

    // nginx initializes the module for Lua before ngx_ipc_module.so.
    for worker in 0..WORKERS {
        lua.wait_at(worker, "return #got.a", &WORKERS.to_string());
    }

    lua.post("/log", b"").expect("an answer");
    wait_until("a line of the phase log", || {
        !lua.nginx
            .lines("in log: 4 no call in log_by_lua: it cannot wait")
            .is_empty()
    });
    lua.wait_at(0, "return got.a[#got.a].data", "from log");
    lua.quit();
}
