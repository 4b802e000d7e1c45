//! The states in which a process has died, from which a recovery is tested.

use std::env;

/// All states if `T_LONG` is set, else `n` of them at equal distances.
pub fn chosen<T>(states: &[T], n: usize) -> impl Iterator<Item = &T> {
    let n = if env::var_os("T_LONG").is_some() {
        states.len()
    } else {
        n.min(states.len())
    };

    (0..n).map(move |i| &states[(2 * i + 1) * states.len() / (2 * n)])
}
