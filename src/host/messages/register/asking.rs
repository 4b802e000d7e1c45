//! Asks for the messages that were kept before this process has registered their types.

use super::{Registered, TYPES};
use crate::config::ngx_pid_t;
use crate::host::messages::variables::ngx_pid;
use crate::messaging::retained::GaveUp;
use crate::table::globals::own_pid;

impl Registered {
    fn is_unasked(&self, own: ngx_pid_t) -> bool {
        self.asked != own && self.number.is_some()
    }

    /// Records that the process `own` asks for the kept message. Returns the number of
    /// the type if there can be such a message.
    fn take_unasked(&mut self, own: ngx_pid_t) -> Option<u16> {
        if !self.is_unasked(own) {
            return None;
        }

        self.asked = own;
        self.number.filter(|_| self.gets_kept())
    }
}

/// Whether there are types whose kept message this process has not asked for.
pub fn has_unasked() -> bool {
    let own = own_pid(&ngx_pid);

    TYPES.lock().iter().any(|known| known.is_unasked(own))
}

/// Calls `ask` with the number of each type whose kept message this process has not
/// asked for. If `ask` fails, this process has still not asked for it, and the next call
/// of this function calls `ask` again. The list is not locked while `ask` runs.
pub fn ask_for_kept(ask: impl Fn(u16) -> Result<(), GaveUp>) {
    let own = own_pid(&ngx_pid);

    if !has_unasked() {
        return;
    }

    for index in 0.. {
        let unasked = TYPES
            .lock()
            .get_mut(index)
            .map(|known| known.take_unasked(own));
        let Some(number) = unasked else { return };

        if number.is_some_and(|number| ask(number).is_err())
            && let Some(known) = TYPES.lock().get_mut(index)
        {
            known.asked = 0;
        }
    }
}

#[cfg(test)]
mod tests;
