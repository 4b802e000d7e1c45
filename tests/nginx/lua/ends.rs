//! Workers that start later, that end, and that have nothing to do.

use std::fs;
use std::thread;

use super::{Lua, WORKERS};
use crate::nginx::times;
use crate::support::{proc, wait_until};

/// The last message of a type is there in workers that are started later: after a kill and
/// after a reload.
#[test]
fn a_message_that_is_kept() {
    let Some(lua) = Lua::start(
        "lua_kept",
        "assert(ipc.register('conf', { retained = true }))",
    ) else {
        return;
    };
    let kept = "return tostring(ipc.retained('conf'))";

    assert_eq!(lua.anywhere(kept), "nil");
    lua.at(0, "ipc.publish('conf', 'old') ipc.publish('conf', 'new')");

    for worker in 0..WORKERS {
        lua.wait_at(worker, kept, "new");
    }

    lua.kill(3);
    lua.wait_at(3, kept, "new");

    lua.reload();

    for worker in 0..WORKERS {
        lua.wait_at(worker, kept, "new");
    }

    assert_eq!(
        lua.anywhere("return select(2, ipc.register('conf', {}))"),
        "the type is registered with other options"
    );
    lua.quit();
}

/// Messages that a killed worker had taken and not handled are reported to the worker that
/// replaces it.
#[test]
fn messages_of_a_killed_worker() {
    // A request that came while there was no worker is a gap with another cause.
    const DIED: &str = "local counts = {}
         for _, gap in ipairs(gaps) do
             if gap.cause == 'died' then counts[#counts + 1] = gap.count end
         end
         return table.concat(counts, ' ')";

    let Some(lua) = Lua::start(
        "lua_killed",
        "ipc.subscribe('slow', function () ngx.sleep(60) end)",
    ) else {
        return;
    };

    lua.anywhere("for i = 1, 7 do assert(ipc.publish('slow', i, { to = 1 })) end");
    // They have arrived: this message comes after them, if the worker is the sender.
    lua.wait_at(1, "return 'here'", "here");
    assert_eq!(
        lua.at(
            1,
            "for i = 1, 3 do ipc.publish('slow', i, { to = 1 }) end return 'sent'"
        ),
        "sent"
    );
    lua.wait_at(1, "return 'here'", "here");

    lua.kill(1);
    lua.wait_at(1, DIED, "10");
    assert_eq!(
        lua.nginx
            .lines("10 messages are lost: the previous process died")
            .len(),
        1
    );

    // A worker that handles what comes leaves no gap.
    lua.at(2, "for i = 1, 50 do ipc.publish('a', i) end");
    lua.wait_at(3, "return #got.a", "50");
    lua.kill(3);
    assert_eq!(lua.at(3, DIED), "");
    lua.quit();
}

/// Old workers of a reload exit at once. One that still serves a request handles messages
/// until the request ends.
#[test]
fn a_reload() {
    let Some(lua) = Lua::start("lua_reload", "") else {
        return;
    };
    let old = lua.nginx.workers();

    let client = lua.client;
    let answer = thread::scope(|scope| {
        let request = scope.spawn(move || {
            client.run(
                "/run",
                "ngx.log(ngx.WARN, 'the request waits')
                 while not ngx.worker.exiting() do ngx.sleep(0.01) end
                 ngx.sleep(0.3)
                 assert(ipc.publish('a', 'late', { to = ngx.worker.id() }))
                 for i = 1, 3000 do
                     if #got.a == 1 then return 'handled' end
                     ngx.sleep(0.01)
                 end
                 return 'lost'",
            )
        });

        wait_until("a request that waits", || {
            !lua.nginx.lines("the request waits").is_empty()
        });
        lua.nginx.signal(libc::SIGHUP);
        request.join().expect("an answer")
    });

    assert_eq!(answer.as_deref(), Ok("handled"));
    wait_until("the end of the old workers", || {
        let now = lua.nginx.workers();

        now.len() == WORKERS && now.is_disjoint(&old)
    });

    lua.wait_for_workers();
    lua.at(0, "ipc.publish('a', 'new')");

    for worker in 0..WORKERS {
        lua.wait_at(worker, "return #got.a", "1");
    }

    lua.quit();
    assert!(lua.nginx.lines("are lost").is_empty());
}

/// A worker that exits with messages that Lua has not handled says so.
#[test]
fn messages_of_a_worker_that_is_terminated() {
    let Some(lua) = Lua::start(
        "lua_term",
        "ipc.subscribe('slow', function () ngx.sleep(60) end)",
    ) else {
        return;
    };

    lua.at(
        1,
        "for i = 1, 5 do assert(ipc.publish('slow', i, { to = 1 })) end",
    );
    lua.wait_at(1, "return 'here'", "here");
    lua.nginx.signal(libc::SIGTERM);
    lua.nginx.finish(&[]);
    assert_eq!(
        lua.nginx
            .lines("5 messages are lost: the process exits before")
            .len(),
        1
    );
}

/// Without messages the light threads wait, and no timer expires.
#[test]
fn idle_workers() {
    let Some(lua) = Lua::configured("lua_idle", "error_log log debug;", "") else {
        return;
    };

    lua.at(0, "ipc.publish('a', 'x')");
    wait_until("workers that wait for a long time", || {
        lua.nginx.workers().iter().all(|pid| {
            let text = format!(" {pid}#{pid}: epoll timer: ");
            let lines = lua.nginx.lines(&text);

            lines.last().is_some_and(|line| {
                line.rsplit(' ')
                    .next()
                    .and_then(|time| time.parse::<i64>().ok())
                    .is_some_and(|time| time > 3_600_000)
            })
        })
    });
    lua.quit();
}

/// Workers send until they exit. Each message that was sent to an old worker is handled there.
#[test]
fn workers_that_send_until_they_exit() {
    let Some(lua) = Lua::start(
        "lua_last_messages",
        "ipc.subscribe('c', function () end)
         ngx.timer.every(0.02, function () ipc.publish('c', 'x') end)",
    ) else {
        return;
    };

    for _ in 0..times(20, 5) {
        lua.reload();
    }

    let old = lua.nginx.workers();

    lua.nginx.signal(libc::SIGHUP);
    lua.nginx.wait_for_others(WORKERS, &old);
    assert_eq!(lua.nginx.lines(" lost"), Vec::<String>::new());
    lua.quit();
}

/// A worker that uses messages for the first time while it exits ends when its requests have
/// ended.
#[test]
fn a_worker_that_begins_when_it_exits() {
    let Some(lua) = Lua::start("lua_late_begin", "") else {
        return;
    };
    let conf = lua.nginx.directory.join("conf");
    let text = fs::read_to_string(&conf).expect("a configuration");
    let begin = "init_worker_by_lua_block {";

    // The next workers do nothing at their start.
    fs::write(
        &conf,
        text.replace(begin, &format!("{begin} do return end")),
    )
    .expect("a file");

    let first = lua.nginx.workers();

    lua.nginx.signal(libc::SIGHUP);

    let second = lua.nginx.wait_for_others(WORKERS, &first);
    let client = lua.client;
    let answer = thread::scope(|scope| {
        let request = scope.spawn(move || {
            client.run(
                "/run",
                "ngx.log(ngx.WARN, 'the request waits')
                 while not ngx.worker.exiting() do ngx.sleep(0.01) end
                 local ipc = require 'resty.ngx_ipc'
                 assert(ipc.subscribe('late', function () end))
                 return (ipc.publish('late', 'x', { to = ngx.worker.id() }))",
            )
        });

        lua.nginx.wait_for_line("the request waits");
        lua.nginx.signal(libc::SIGHUP);
        request.join().expect("an answer")
    });

    assert_eq!(answer.as_deref(), Ok("1"));
    wait_until("the end of the old workers", || {
        second.iter().all(|&pid| !proc::alive(pid))
    });
    // The module for Lua leaves its own connection when the first timer begins so late.
    lua.nginx.quit(&["open socket #-2", "aborting"]);
}
