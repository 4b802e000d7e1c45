//! The processes that the page lists.

use crate::host::introspect::{ngx_ipc_process_t, processes};
#[cfg(not(feature = "standalone"))]
use crate::host::nginx::loaded_list;
#[cfg(not(feature = "standalone"))]
use crate::host::nginx::variables::ngx_ipc_loaded;
use crate::table::slot::Slot;

/// Whether the master is that of an unmodified nginx, which counts nothing: neither its own
/// start is known, nor what it does for its processes.
#[cfg(not(feature = "standalone"))]
pub fn is_partial() -> bool {
    ngx_ipc_loaded != 0
}

/// The master is that of the library.
#[cfg(feature = "standalone")]
pub fn is_partial() -> bool {
    false
}

/// Calls `found` for each process.
pub fn each(found: &mut dyn FnMut(ngx_ipc_process_t)) {
    #[cfg(not(feature = "standalone"))]
    if is_partial() {
        return loaded_list::each(found);
    }

    processes(Slot::new(0)).for_each(found);
}
