//! Which processes wait to be started again, and when they are due.

use crate::config::ngx_msec_t;
use crate::log::{Level, Log};
use crate::table::globals::Globals;
use crate::table::info;
use crate::table::restart::now;
use crate::table::slots::Flag;

/// The process of slot `i` has exited and is to be started again: in how many
/// milliseconds. If that is not at once, a line says so (`D4`).
pub fn delay_after_exit(g: &Globals, log: Log, i: usize) -> ngx_msec_t {
    let delay = info::of_child(g, i).restart.after_exit(now());

    if delay != 0 {
        log.error(
            Level::Warn,
            None,
            format_args!(
                "{} exits too often, respawning in {delay} ms",
                g.table.get(i).work().name
            ),
        );
    }

    delay
}

/// Milliseconds until a process that waits to be started again is due; `None`
/// if none waits.
pub fn next_due(g: &Globals, now: ngx_msec_t) -> Option<ngx_msec_t> {
    g.table
        .iter()
        .filter(|(_, slot)| slot.is(Flag::Lost))
        .map(|(i, _)| info::of_child(g, i).restart.due_in(now))
        .min()
}
