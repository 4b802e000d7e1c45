//! The failures that a caller of the library sees, and their return codes.

use crate::config::{NGX_AGAIN, NGX_ERROR, NGX_OK, ngx_int_t};

/// Why nothing came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It failed, and a log line says why.
    Error,
    /// It would have blocked.
    Again,
}

/// What the core returns.
pub type Result<T = ()> = std::result::Result<T, Status>;

impl From<Status> for ngx_int_t {
    fn from(status: Status) -> Self {
        match status {
            Status::Error => NGX_ERROR,
            Status::Again => NGX_AGAIN,
        }
    }
}

/// The return code of a call that has no other result than success.
pub fn code(result: Result) -> ngx_int_t {
    result.map_or_else(ngx_int_t::from, |()| NGX_OK)
}
