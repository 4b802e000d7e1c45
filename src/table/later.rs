//! Slots that are reserved for a process that is started later: the process has
//! exited, or could not be started.
//!
//! Such a slot has the pid `LATER`. No process has this pid, because it is larger
//! than the kernel's limit `PID_MAX_LIMIT`. So a signal to this pid reaches no
//! process. For C code the slot is in use, as in nginx, where the slot of a dead
//! process is in use until the process is respawned. So a module that searches
//! the table for the slots of the next workers skips the slot, as
//! [`Table::free`] does.
//!
//! [`Table::free`]: super::slots::Table::free

use super::slots::{Flag, LATER, ngx_process_t};
use crate::config::NGX_INVALID_PID;

impl ngx_process_t {
    /// Empties the slot, and reserves it for its process. The caller has
    /// closed the descriptors of the slot before.
    pub fn reserve(&self) {
        self.vacate();
        self.set_pid(LATER);
    }

    /// Whether the slot is reserved, and its process is not due yet.
    pub fn is_reserved(&self) -> bool {
        self.pid() == LATER && !self.is(Flag::Exited)
    }

    /// Makes a reserved slot look like the slot of a process that has just
    /// exited: the process is due, and nginx starts the process again.
    #[cfg(not(feature = "standalone"))]
    pub fn make_due(&self) {
        // nginx can have set the flag `exiting` of the slot, and then would not
        // start the process. The process is still wanted: `give_up_old` has freed
        // the slots of processes that are not wanted any more.
        self.set(Flag::Exiting, false);
        self.set_exited(0);
    }

    /// Whether `make_due` was called since the slot was reserved.
    #[cfg(not(feature = "standalone"))]
    pub fn is_due(&self) -> bool {
        self.pid() == LATER && self.is(Flag::Exited)
    }

    /// In a child: empties a slot whose process the parent starts later.
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
