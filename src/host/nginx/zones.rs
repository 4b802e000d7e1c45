//! The zones of nginx's cycle.

use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::slice;

use crate::sys::words::Words;

/// A zone, as `nginx/ngx_ipc_zone_list.c` describes it.
#[repr(C)]
struct ngx_ipc_zone_t {
    name: *const u8,
    name_len: usize,
    addr: *mut c_void,
    size: usize,
}

unsafe extern "C" {
    /// Describes the zone number `n` of ngx_cycle. Returns 0 if there is none.
    fn ngx_ipc_zone(n: usize, zone: *mut ngx_ipc_zone_t) -> isize;
}

/// Calls `show` with the name and the memory of each zone of `ngx_cycle` that has a pool with the
/// layout that the library knows.
pub fn each(show: &mut dyn FnMut(&[u8], Words)) {
    let mut zone = ngx_ipc_zone_t {
        name: ptr::null(),
        name_len: 0,
        addr: ptr::null_mut(),
        size: 0,
    };

    for n in 0.. {
        // SAFETY: the function writes to `zone`, which is local.
        if unsafe { ngx_ipc_zone(n, &raw mut zone) } == 0 {
            return;
        }

        let (Some(start), false) = (NonNull::new(zone.addr), zone.name.is_null()) else {
            continue;
        };

        // SAFETY: nginx keeps the zones of ngx_cycle mapped, with this size, and their names as
        // long as it is its cycle, so also while `show` runs. Rust code accesses the bytes of
        // zones through `Words` only.
        let (words, name) = unsafe {
            (
                Words::new(start, zone.size),
                slice::from_raw_parts(zone.name, zone.name_len),
            )
        };

        if let Some(words) = words {
            show(name, words);
        }
    }
}
