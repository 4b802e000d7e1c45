//! Process titles: what ps shows in place of a program's arguments.

use std::sync::atomic::Ordering::Relaxed;

use super::cycle::Cycle;
use crate::host::globals::ngx_os_argv;
use crate::sys::{text, title};

/// Prepares for process titles, see [`title::init_title`].
///
/// # Safety
///
/// `ngx_os_argv` is NULL or the argument of main().
pub unsafe fn init() {
    // SAFETY: the caller has stored NULL or the argument of main() there.
    unsafe { title::init_title(ngx_os_argv.load(Relaxed)) };
}

/// Sets the process title to "NAME: TITLE". NAME is the `name` in the
/// configuration of `cycle`, or else the name of the program.
pub fn set_title(cycle: Cycle, title: &[u8]) {
    set_title_of(cycle, [title].into_iter());
}

/// Sets the process title to "NAME: TITLE", as [`set_title`] does. TITLE is
/// `parts`, joined.
pub fn set_title_of<'a>(cycle: Cycle, parts: impl Iterator<Item = &'a [u8]>) {
    let conf = cycle.conf();
    let name = conf.name().unwrap_or(text::program_name());

    title::set_title(name, parts);
}
