//! `Modules` and `Module`, safe handles for the modules of a cycle. The
//! library calls all hooks of modules in this file.

use std::ptr::NonNull;

use super::cycle::Cycle;
use super::log::ErrorLog;
use super::types::{ngx_cycle_t, ngx_module_t};
use crate::config::{NGX_ERROR, ngx_int_t};
use crate::log::{Level, Log};
use crate::status::{Result, Status};

/// A hook that can fail.
type InitHook = unsafe extern "C" fn(cycle: *mut ngx_cycle_t) -> ngx_int_t;
/// A hook that cannot fail.
type ExitHook = unsafe extern "C" fn(cycle: *mut ngx_cycle_t);

/// A module of a cycle.
///
/// Invariant: the pointer points to an `ngx_module_t` that lives as long as the
/// program, and whose hooks can be called with any cycle that has the module.
#[derive(Clone, Copy)]
pub(super) struct Module(NonNull<ngx_module_t>);

impl Module {
    /// The pointer to the module, for C.
    pub(super) fn as_ptr(self) -> *mut ngx_module_t {
        self.0.as_ptr()
    }

    fn get(&self) -> &ngx_module_t {
        // SAFETY: the module lives as long as the program (the invariant of
        // `Module`).
        unsafe { self.0.as_ref() }
    }

    fn init_master(self, cycle: Cycle) -> Result {
        match self.get().init_master {
            // SAFETY: the hook can be called with a log that is NULL or valid
            // (the invariant of `Module`), and this is the log of a cycle.
            Some(hook) => check(unsafe { hook(ErrorLog::optional_ptr(cycle.error_log())) }),
            None => Ok(()),
        }
    }

    fn init(hook: Option<InitHook>, cycle: Cycle) -> Result {
        match hook {
            // SAFETY: the hook can be called with any valid cycle that has the
            // module (the invariant of `Module`), and a `Cycle` is valid.
            Some(hook) => check(unsafe { hook(cycle.as_ptr()) }),
            None => Ok(()),
        }
    }

    fn exit(hook: Option<ExitHook>, cycle: Cycle) {
        if let Some(hook) = hook {
            // SAFETY: the hook can be called with any valid cycle that has the
            // module (the invariant of `Module`), and a `Cycle` is valid.
            unsafe { hook(cycle.as_ptr()) };
        }
    }
}

/// Turns the result of a hook into a `Result`: a hook has failed if it returns
/// NGX_ERROR.
fn check(code: ngx_int_t) -> Result {
    if code == NGX_ERROR {
        Err(Status::Error)
    } else {
        Ok(())
    }
}

/// The modules of a cycle, in the order in which the program lists them.
#[derive(Clone, Copy)]
pub struct Modules(Cycle);

impl Cycle {
    /// The modules of this cycle.
    pub fn modules(self) -> Modules {
        Modules(self)
    }
}

impl Modules {
    pub(super) fn iter(self) -> impl Iterator<Item = Module> {
        let mut next = self.0.module_array();

        std::iter::from_fn(move || {
            // SAFETY: `next` is NULL or points to an element of an array that
            // ends with NULL (the invariant of `Cycle`), and `next` never goes
            // beyond the NULL.
            let module = NonNull::new(unsafe { *next.as_ref()? })?;

            // SAFETY: this element is not the last one, because the last
            // element is NULL.
            next = unsafe { next.add(1) };

            Some(Module(module))
        })
    }

    /// Calls the hook `init_module` of each module, and before it the hook
    /// `init_master`, if this is the `first` cycle of the program.
    ///
    /// Stops at the first hook that fails, and returns an error, with an
    /// emergency in `log`.
    pub fn init_module(self, first: bool, log: Log) -> Result {
        let cycle = self.0;

        for module in self.iter() {
            let master = if first {
                module.init_master(cycle)
            } else {
                Ok(())
            };

            master
                .and_then(|()| Module::init(module.get().init_module, cycle))
                .inspect_err(|_| {
                    log.error(
                        Level::Emerg,
                        None,
                        format_args!("a module could not be initialized"),
                    );
                })?;
        }

        Ok(())
    }

    /// Calls the hook `init_process` of each module. Stops at the first hook
    /// that fails, and returns an error.
    pub fn init_process(self) -> Result {
        self.iter()
            .try_for_each(|module| Module::init(module.get().init_process, self.0))
    }

    /// Calls the hook `exit_process` of each module.
    pub fn exit_process(self) {
        for module in self.iter() {
            Module::exit(module.get().exit_process, self.0);
        }
    }

    /// Calls the hook `exit_master` of each module.
    pub fn exit_master(self) {
        for module in self.iter() {
            Module::exit(module.get().exit_master, self.0);
        }
    }
}
