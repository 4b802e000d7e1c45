//! Runs a helper: a process that the master starts beside the workers, in which
//! a timer calls a function of the program.

use std::ffi::c_void;
use std::sync::atomic::Ordering::Relaxed;

use super::conf::HelperContext;
use super::cycle::Cycle;
use super::event::StaticEvent;
use super::init_process::{exit_unless_set_up, set_up};
use super::message_loop;
use super::process_events::process_events_and_timers;
use super::reopen::reopen_if_requested;
use super::setproctitle::set_title;
use super::types::ngx_cycle_t;
use super::variables::{ngx_process, ngx_quit, ngx_terminate};
use crate::log::Level;
use crate::sys::process;
use crate::table::role;

/// The event whose handler is the function of the helper.
static EVENT: StaticEvent = StaticEvent::new();

/// The function that the process of a helper runs. `data` is the context of the
/// helper.
///
/// # Safety
///
/// `cycle` is a valid cycle, `data` is a valid `ngx_cache_manager_ctx_t`, and
/// the calling process is a child that has just been forked.
pub unsafe extern "C" fn helper_process_cycle(cycle: *mut ngx_cycle_t, data: *mut c_void) {
    // SAFETY: the master passes its cycle and a context of its configuration,
    // and the child has a copy of both.
    let (cycle, context) =
        unsafe { (Cycle::from_ptr(cycle), HelperContext::from_ptr(data.cast())) };

    if let (Some(cycle), Some(context)) = (cycle, context) {
        run(cycle, context);
    }
}

/// Calls the function of `context` after the delay of the context, and again
/// each time that the event's timer expires, if the function has added the
/// timer again. Does not return: the process exits at a command or a signal.
fn run(cycle: Cycle, context: HelperContext) -> ! {
    let log = cycle.log();

    ngx_process.store(role::NGX_PROCESS_HELPER, Relaxed);

    for ls in cycle.listening() {
        ls.close(log);
    }

    exit_unless_set_up(set_up(cycle, None));

    if let Some(name) = context.name().bytes() {
        set_title(cycle, name);
    }

    let event = EVENT.init(context.handler(), cycle.error_log());

    event.add_timer(context.delay());

    loop {
        if ngx_terminate.load(Relaxed) != 0 || ngx_quit.load(Relaxed) != 0 {
            log.error(Level::Notice, None, format_args!("exiting"));

            if ngx_terminate.load(Relaxed) == 0 {
                message_loop::finish(log);
            }

            process::exit(0);
        }

        reopen_if_requested(cycle);
        process_events_and_timers(log);
    }
}
