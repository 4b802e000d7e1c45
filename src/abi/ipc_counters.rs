//! `ngx_ipc_counters.h`: counters of many processes.

use std::ffi::c_void;
use std::ptr::NonNull;

use crate::config::{NGX_ERROR, NGX_OK, ngx_int_t, ngx_uint_t};
use crate::host::lock_owner::{log, own};
use crate::sys::words::Words;
use crate::zone::counters::{Shape, ngx_ipc_counters_t};
use crate::zone::owner::find_out;

/// The memory of counters; `None` if they were not initialised.
///
/// # Safety
///
/// ngx_ipc_counters_init() has set the fields, and the memory is mapped.
#[inline]
unsafe fn words(counters: &ngx_ipc_counters_t) -> Option<Words> {
    let (address, size) = counters.lanes();
    let start = NonNull::new(std::ptr::with_exposed_provenance_mut::<c_void>(address))?;

    // SAFETY: the caller promises that these bytes are mapped; no reference to them
    // exists.
    unsafe { Words::new(start, size) }
}

/// Returns the size in bytes of the memory for counters and gauges. Returns 0 if there are no
/// counters and no gauges, if `processes` is 0, or if no memory can be so large.
///
/// The memory has a lane for each of `processes` processes, and one more, which further
/// processes share. A lane takes whole cache lines of 64 bytes, each with up to 8 words: one
/// for the process, and one for each counter and gauge.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_counters_size(
    counters: ngx_uint_t,
    gauges: ngx_uint_t,
    processes: ngx_uint_t,
) -> usize {
    let shape = Shape {
        counters,
        gauges,
        processes,
    };

    shape.size().unwrap_or(0)
}

/// Prepares a structure for counters in shared memory. Each process that uses the memory
/// has a structure of its own, or inherits one, and all give the same numbers.
///
/// `memory` has as many bytes as ngx_ipc_counters_size() returns. They are 0 until the first
/// process adds to a number; this function does not write to them. The memory can be a piece of
/// ngx_slab_calloc(). `processes` is the number of lanes: how many processes add at a time,
/// old workers of a reload and the processes of an old binary among them.
///
/// Returns NGX_OK. Returns NGX_ERROR if a pointer is NULL, if `memory` is not aligned to a
/// word, or if ngx_ipc_counters_size() returns 0 for these numbers.
///
/// # Safety
///
/// `group` is NULL or valid for writes. `memory` is NULL or memory of this size, which stays
/// mapped while the structure is used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_counters_init(
    group: *mut ngx_ipc_counters_t,
    memory: *mut c_void,
    counters: ngx_uint_t,
    gauges: ngx_uint_t,
    processes: ngx_uint_t,
) -> ngx_int_t {
    let shape = Shape {
        counters,
        gauges,
        processes,
    };

    match shape.at(memory.expose_provenance()) {
        Some(prepared) if !group.is_null() => {
            // SAFETY: C passes NULL or a structure that may be written.
            unsafe { group.write(prepared) };
            NGX_OK
        }
        _ => NGX_ERROR,
    }
}

/// Adds `value`, which can be negative, to the number `n`: a counter, from 0, or a gauge, from
/// the number of counters.
///
/// The function needs no atomic instruction and waits for no process. At its first call, a
/// process takes a free lane, or the lane of a process that has exited. If other running
/// processes have all lanes, the function writes a warning to the log of ngx_cycle, and this
/// process adds to the lane that processes share: the sums are right all the same, but what
/// it has added to gauges stays when it is killed.
///
/// Returns NGX_OK. Returns NGX_ERROR, and changes nothing, if `group` is NULL or if there is
/// no number `n`.
///
/// # Safety
///
/// `group` is NULL, or ngx_ipc_counters_init() has returned NGX_OK for it. One thread of a
/// process uses the memory, and no signal handler.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_counters_add(
    group: *mut ngx_ipc_counters_t,
    n: ngx_uint_t,
    value: ngx_int_t,
) -> ngx_int_t {
    // SAFETY: C passes NULL or a structure that only this thread uses.
    let Some(counters) = (unsafe { group.as_mut() }) else {
        return NGX_ERROR;
    };
    let own = own().unwrap_or_else(find_out);
    // SAFETY: the memory of counters that were initialised is mapped.
    let added = unsafe { words(counters) }
        .and_then(|words| counters.add(words, n, value.cast_unsigned(), own, log));

    if added.is_some() { NGX_OK } else { NGX_ERROR }
}

/// Returns the sum of the number `n` over all processes. For a gauge, only processes that run
/// count.
///
/// If the system has no pidfd_open(2), a process that has exited counts as running until
/// its parent has reaped it. Returns 0 if `group` is NULL or if there is no number `n`.
///
/// # Safety
///
/// `group` is NULL, or ngx_ipc_counters_init() has returned NGX_OK for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_counters_get(
    group: *const ngx_ipc_counters_t,
    n: ngx_uint_t,
) -> ngx_int_t {
    // SAFETY: C passes NULL or a structure that no other thread writes meanwhile.
    let Some(counters) = (unsafe { group.as_ref() }) else {
        return 0;
    };
    // SAFETY: the memory of counters that were initialised is mapped.
    let sum = unsafe { words(counters) }.and_then(|words| counters.sum(words, n));

    sum.unwrap_or(0).cast_signed()
}
