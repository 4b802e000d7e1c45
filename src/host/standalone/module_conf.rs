//! Makes the configurations of a cycle's modules, which C finds with
//! `ngx_get_conf()`.

use std::ffi::{c_char, c_void};

use super::cycle::Cycle;
use super::types::{ngx_cycle_t, ngx_module_t};
use crate::config::{ngx_str_t, ngx_uint_t, numbers};
use crate::log::{Level, Log};
use crate::status::{Result, Status};

/// The context of a module of the type `NGX_CORE_MODULE`.
#[repr(C)]
struct Context {
    name: ngx_str_t,
    create_conf: Option<unsafe extern "C" fn(cycle: *mut ngx_cycle_t) -> *mut c_void>,
    init_conf:
        Option<unsafe extern "C" fn(cycle: *mut ngx_cycle_t, conf: *mut c_void) -> *mut c_char>,
}

/// Sets the index of each module of `cycle`, and makes the modules' configurations:
/// calls `create_conf` of each module, then `init_conf` of each module, as nginx does
/// before and after it reads its configuration file.
///
/// Returns an error, with an emergency in `log`, if a function of a module fails.
pub fn make(cycle: Cycle, log: Log) -> Result {
    let modules = cycle.modules();

    for (i, module) in modules.iter().enumerate() {
        // SAFETY: the module lives as long as the program, and `conf_ctx` has an
        // element for each module behind that of `ngx_core_module`.
        unsafe {
            (*module.as_ptr()).index = i + 1;
            create(cycle, module.as_ptr(), log)?;
        }
    }

    for module in modules.iter() {
        // SAFETY: as above.
        unsafe { init(cycle, module.as_ptr(), log)? };
    }

    Ok(())
}

/// The context of `module`, if it is a core module.
///
/// # Safety
///
/// `module` is a module of the program. If its type is `NGX_CORE_MODULE`, its context
/// is NULL or an `ngx_core_module_t`.
unsafe fn context<'a>(module: *const ngx_module_t) -> Option<&'a Context> {
    // SAFETY: the caller passes a valid module.
    unsafe {
        if (*module).r#type != numbers::NGX_CORE_MODULE as ngx_uint_t {
            return None;
        }

        (*module).ctx.cast::<Context>().as_ref()
    }
}

/// Calls `create_conf` of a module, and stores the result in the cycle.
///
/// # Safety
///
/// `module` is a module of the cycle, whose index has been set.
unsafe fn create(cycle: Cycle, module: *const ngx_module_t, log: Log) -> Result {
    // SAFETY: the caller passes a module of the cycle.
    let Some(create_conf) = unsafe { context(module) }.and_then(|context| context.create_conf)
    else {
        return Ok(());
    };

    // SAFETY: the module's function can be called with each cycle that has it.
    let conf = unsafe { create_conf(cycle.as_ptr()) };

    if conf.is_null() {
        return Err(refuse(log));
    }

    // SAFETY: `conf_ctx` has an element with the index of each module.
    unsafe {
        (*cycle.as_ptr())
            .conf_ctx
            .add((*module).index)
            .cast::<*mut c_void>()
            .write(conf);
    }

    Ok(())
}

/// Calls `init_conf` of a module.
///
/// # Safety
///
/// `module` is a module of the cycle, whose index has been set.
unsafe fn init(cycle: Cycle, module: *const ngx_module_t, log: Log) -> Result {
    // SAFETY: the caller passes a module of the cycle.
    let Some(init_conf) = unsafe { context(module) }.and_then(|context| context.init_conf) else {
        return Ok(());
    };

    // SAFETY: `conf_ctx` has an element with the index of each module, which `create`
    // has set or which is NULL. The module's function can be called with each cycle
    // that has it.
    let error = unsafe {
        let conf = *(*cycle.as_ptr())
            .conf_ctx
            .add((*module).index)
            .cast::<*mut c_void>();

        init_conf(cycle.as_ptr(), conf)
    };

    // NGX_CONF_ERROR is -1.
    if error.addr() == usize::MAX {
        return Err(refuse(log));
    }

    Ok(())
}

fn refuse(log: Log) -> Status {
    log.error(
        Level::Emerg,
        None,
        format_args!("a module's configuration could not be initialized"),
    );
    Status::Error
}
