//! Process titles: what ps shows in place of a program's arguments.

use std::sync::atomic::Ordering::Relaxed;

use super::cycle::Cycle;
use crate::host::globals::ngx_os_argv;
use crate::sys::{daemon, text};

/// Makes room for titles where `ngx_os_argv` points to.
///
/// # Safety
///
/// `ngx_os_argv` is NULL or the argument of main(). The program has copies of
/// the arguments and of the environment that it still uses.
pub unsafe fn init() {
    // SAFETY: as this function demands.
    unsafe { daemon::init_title(ngx_os_argv.load(Relaxed)) };
}

/// Shows the title "NAME: TITLE". NAME is what `cycle` is configured with, or
/// the program's name.
pub fn set_title(cycle: Cycle, title: &str) {
    let name = cycle.conf().name().unwrap_or(text::program_name());

    daemon::set_title(&[name, b": ", title.as_bytes()].concat());
}
