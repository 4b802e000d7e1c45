//! Slots that are reserved for a process that is started later: it has exited,
//! or could not be started.
//!
//! Such a slot has a pid that no process has, since the kernel's are at most
//! `PID_MAX_LIMIT`: no signal reaches one. To C the slot is in use, as it is in
//! nginx until the process is respawned. So a module that searches the table
//! for the slots of the next workers skips it, as [`Table::free`] does.
//!
//! [`Table::free`]: super::slots::Table::free

use super::slots::{Flag, LATER, ngx_process_t};
use crate::config::NGX_INVALID_PID;

impl ngx_process_t {
    /// Empties the slot, whose descriptors have been closed, and reserves it
    /// for its process.
    pub fn reserve(&self) {
        self.vacate();
        self.set_pid(LATER);
    }

    /// Whether the slot is reserved, and its process is not due yet.
    pub fn is_reserved(&self) -> bool {
        self.pid() == LATER && !self.is(Flag::Exited)
    }

    /// Makes a reserved slot look like that of a process that has just exited:
    /// the process is due, and nginx starts it again.
    #[cfg(not(feature = "standalone"))]
    pub fn make_due(&self) {
        // nginx may have told the process to exit, which is no reason not to
        // start it: those that are not wanted any more have been given up.
        self.set(Flag::Exiting, false);
        self.set_exited(0);
    }

    /// Whether `make_due` was called since the slot was reserved.
    #[cfg(not(feature = "standalone"))]
    pub fn is_due(&self) -> bool {
        self.pid() == LATER && self.is(Flag::Exited)
    }

    /// In a child: what its parent starts later is nothing to it.
    pub fn forget_later(&self) {
        if self.pid() == LATER {
            self.set_pid(NGX_INVALID_PID);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserved_slot_is_in_use_without_a_process() {
        let slot = ngx_process_t::zeroed();

        slot.reserve();
        assert!(slot.is_reserved());
        assert!(!slot.occupied());
        assert!(slot.pid() != NGX_INVALID_PID && slot.pid() != 0);
        assert_eq!(slot.writable(), None);

        slot.forget_later();
        assert!(!slot.is_reserved());
        assert_eq!(slot.pid(), NGX_INVALID_PID);
    }
}
