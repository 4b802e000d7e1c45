//! The results of the core, and their return codes.

use crate::config::{NGX_AGAIN, NGX_ERROR, NGX_OK, ngx_int_t};

/// Why a function of the core has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It has failed, and has logged why.
    Error,
    /// It would have blocked. Nothing was done.
    Again,
}

/// The result of a function of the core.
pub type Result<T = ()> = std::result::Result<T, Status>;

impl From<Status> for ngx_int_t {
    fn from(status: Status) -> Self {
        match status {
            Status::Error => NGX_ERROR,
            Status::Again => NGX_AGAIN,
        }
    }
}

/// The return code of a function that returns nothing else.
pub fn code(result: Result) -> ngx_int_t {
    result.map_or_else(ngx_int_t::from, |()| NGX_OK)
}
