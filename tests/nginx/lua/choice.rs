//! The worker that gets a message to exactly one: what waits in Lua counts.

use super::{Lua, WORKERS};
use crate::support::wait_until;

/// A worker with a function that waits gets no message as long as others have fewer, whichever
/// worker sends.
#[test]
fn exactly_one() {
    let Some(lua) = Lua::start(
        "lua_choice",
        "jobs, batch = 0, 0
         ipc.subscribe('job', function (data)
             jobs = jobs + 1
             while data == 'hold' and not is_open do ngx.sleep(0.01) end
             return ngx.worker.id()
         end)
         ipc.subscribe('batch', function ()
             batch = batch + 1
             while not is_open do ngx.sleep(0.01) end
         end)",
    ) else {
        return;
    };

    // One message that worker 0 has in hand.
    lua.at(2, "ipc.publish('job', 'hold', { to = 0 })");
    lua.wait_at(0, "return jobs", "1");

    for _ in 0..12 {
        let text = "return (assert(ipc.call('job', 'x', { timeout = 60 })))";

        assert_ne!(lua.anywhere(text), "0");
    }

    assert_eq!(lua.at(0, "return jobs"), "1");

    // Many messages of another worker that worker 1 has taken: the reply comes after them.
    lua.at(
        3,
        "for i = 1, 40 do assert(ipc.publish('batch', i, { to = 1 }) == 1) end
         assert(ipc.call('run', 'return 1', { to = 1, timeout = 60 }))",
    );
    lua.at(
        0,
        "for i = 1, 30 do
             assert(ipc.publish('batch', i, { to = 'exactly_one' }) == 1)
         end",
    );

    for worker in 0..WORKERS {
        lua.at(worker, "is_open = true");
    }

    let handled = || -> Vec<usize> {
        (0..WORKERS)
            .map(|worker| lua.at(worker, "return batch").parse().expect("a number"))
            .collect()
    };

    wait_until("all messages", || handled().iter().sum::<usize>() == 70);

    let handled = handled();

    assert_eq!(handled.get(1), Some(&40), "{handled:?}");
    // A message that is being taken can count twice.
    assert!(handled.iter().all(|&n| n >= 5), "{handled:?}");
    lua.quit();
}
