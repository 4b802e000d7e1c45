//! Checks that the types of a configuration can be registered, before nginx goes on with it.

use crate::host::messages::shared;
use crate::messaging::names;

/// Counts the types of a configuration that are not registered yet, one at each call.
/// `others` is the number before the type `name`. Returns the number with this type; `None`
/// if there is no room for so many.
pub fn count(name: &[u8], others: usize) -> Option<usize> {
    let region = shared::get();
    let is_known = region.is_some_and(|region| names::is_known(&region.board, name));
    let known = region.map_or(0, |region| usize::from(names::count(&region.board)));

    if is_known {
        return Some(others);
    }

    Some(others + 1).filter(|new| known + new <= usize::from(names::MAX_TYPES))
}
