//! The variables of the host that this directory uses.

#[cfg(not(feature = "standalone"))]
pub use crate::host::nginx::variables::{ngx_parent, ngx_pid, ngx_process};

/// Whether the master uses the region and gives slots to the others. If the library is a
/// dynamic module of an unmodified nginx, the master only makes the region, see
/// `host/nginx/loaded.rs`.
#[cfg(not(feature = "standalone"))]
#[inline]
pub fn has_member_as_master() -> bool {
    crate::host::nginx::variables::ngx_ipc_loaded == 0
}

/// Whether the master uses the region.
#[cfg(feature = "standalone")]
#[inline]
pub fn has_member_as_master() -> bool {
    true
}
#[cfg(feature = "standalone")]
pub use crate::host::standalone::variables::{ngx_parent, ngx_pid, ngx_process};
