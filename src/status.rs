//! The results of the core's functions, and their C return codes.

use crate::config::{NGX_AGAIN, NGX_DECLINED, NGX_ERROR, NGX_OK, ngx_int_t};

/// Why a function of the core has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The function failed and logged why.
    Error,
    /// The function did nothing, because it would have blocked.
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

/// Converts the result of a function that returns no value to NGX_OK, NGX_ERROR
/// or NGX_AGAIN.
pub fn code(result: Result) -> ngx_int_t {
    result.map_or_else(ngx_int_t::from, |()| NGX_OK)
}

/// Converts the result of a function that looks for something to NGX_OK, to
/// NGX_DECLINED if it has found nothing, or to NGX_ERROR.
pub fn found(result: Result<bool>) -> ngx_int_t {
    result.map_or_else(
        ngx_int_t::from,
        |found| if found { NGX_OK } else { NGX_DECLINED },
    )
}
