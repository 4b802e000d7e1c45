//! The variables of the host that this directory uses.

#[cfg(not(feature = "standalone"))]
pub use crate::host::nginx::variables::{ngx_parent, ngx_pid, ngx_process};
#[cfg(feature = "standalone")]
pub use crate::host::standalone::variables::{ngx_parent, ngx_pid, ngx_process};
