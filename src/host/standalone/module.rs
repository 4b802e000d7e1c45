//! The handles `Modules` and `Module`: all hooks of modules are called
//! here.

use std::ptr::NonNull;

use super::cycle::Cycle;
use super::log::ErrorLog;
use super::types::{ngx_cycle_t, ngx_module_t};
use crate::config::{NGX_ERROR, ngx_int_t};
use crate::log::{Level, Log};
use crate::status::{Result, Status};

/// A hook that may fail.
type InitHook = unsafe extern "C" fn(cycle: *mut ngx_cycle_t) -> ngx_int_t;
/// A hook that cannot fail.
type ExitHook = unsafe extern "C" fn(cycle: *mut ngx_cycle_t);

/// A module of a cycle.
///
/// Invariant: the pointer is to an `ngx_module_t` that lives as long as the
/// program, and whose hooks may be called with any cycle that has the module.
#[derive(Clone, Copy)]
struct Module(NonNull<ngx_module_t>);

impl Module {
    fn get(&self) -> &ngx_module_t {
        // SAFETY: the invariant of `Module`.
        unsafe { self.0.as_ref() }
    }

    fn init_master(self, cycle: Cycle) -> Result {
        match self.get().init_master {
            // SAFETY: the invariant of `Module`; the log is the cycle's own.
            Some(hook) => check(unsafe { hook(ErrorLog::optional_ptr(cycle.error_log())) }),
            None => Ok(()),
        }
    }

    fn init(hook: Option<InitHook>, cycle: Cycle) -> Result {
        match hook {
            // SAFETY: the invariant of `Module`; a `Cycle` is valid.
            Some(hook) => check(unsafe { hook(cycle.as_ptr()) }),
            None => Ok(()),
        }
    }

    fn exit(hook: Option<ExitHook>, cycle: Cycle) {
        if let Some(hook) = hook {
            // SAFETY: the invariant of `Module`; a `Cycle` is valid.
            unsafe { hook(cycle.as_ptr()) };
        }
    }
}

/// A hook fails if it returns NGX_ERROR.
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
    fn iter(self) -> impl Iterator<Item = Module> {
        let mut next = self.0.module_array();

        std::iter::from_fn(move || {
            // SAFETY: the invariant of `Cycle`: `next` is NULL, or an element
            // of an array that ends with NULL, which is not passed.
            let module = NonNull::new(unsafe { *next.as_ref()? })?;

            // SAFETY: this element is not the last one, which is NULL.
            next = unsafe { next.add(1) };

            Some(Module(module))
        })
    }

    /// Calls the `init_master` of each module, if this is the `first` cycle of
    /// the program, and its `init_module`.
    ///
    /// Stops at a hook that fails, with an emergency in `log`.
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

    /// Calls the `init_process` of each module; stops at one that fails.
    pub fn init_process(self) -> Result {
        self.iter()
            .try_for_each(|module| Module::init(module.get().init_process, self.0))
    }

    /// Calls the `exit_process` of each module.
    pub fn exit_process(self) {
        for module in self.iter() {
            Module::exit(module.get().exit_process, self.0);
        }
    }

    /// Calls the `exit_master` of each module.
    pub fn exit_master(self) {
        for module in self.iter() {
            Module::exit(module.get().exit_master, self.0);
        }
    }
}
