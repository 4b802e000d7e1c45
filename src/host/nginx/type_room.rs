//! Checks that the types of a configuration can be registered, before nginx goes on with it.

use crate::config::{NGX_ERROR, ngx_int_t, ngx_uint_t};
use crate::host::messages::shared;
use crate::messaging::names;
use crate::sys::text::Text;

/// Counts the types of a configuration that are not registered yet, one at each call.
/// `others` is the number before the type `name`. Returns the number with this type;
/// NGX_ERROR if there is no room for so many.
pub fn count(name: Text, others: ngx_uint_t) -> ngx_int_t {
    let name = name.bytes().unwrap_or_default();
    let region = shared::get();
    let is_known = region.is_some_and(|region| names::is_known(&region.board, name));
    let known = region.map_or(0, |region| usize::from(names::count(&region.board)));

    if is_known {
        return others as ngx_int_t;
    }

    let new = others.saturating_add(1);

    if known.saturating_add(new) <= usize::from(names::MAX_TYPES) {
        new as ngx_int_t
    } else {
        NGX_ERROR
    }
}
