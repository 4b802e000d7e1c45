//! The last argument of `ngx_spawn_process`. The headers get the numbers of the
//! modes from here.

use crate::config::ngx_int_t;
use crate::table::slot::Slot;
use crate::table::slots::{Flag, ngx_process_t};

/// The process is not started again when it exits.
pub const NGX_PROCESS_NORESPAWN: isize = -1;
/// The process is not started again when it exits, and the next signal to all
/// workers leaves it out.
pub const NGX_PROCESS_JUST_SPAWN: isize = -2;
/// The process is started again when it exits, in the same slot.
pub const NGX_PROCESS_RESPAWN: isize = -3;
/// The process is started again when it exits, in the same slot, and the next
/// signal to all workers leaves it out.
pub const NGX_PROCESS_JUST_RESPAWN: isize = -4;
/// The process has no channel and gets no signals.
pub const NGX_PROCESS_DETACHED: isize = -5;

/// How a process is started, and what the master does when it exits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `NGX_PROCESS_NORESPAWN`.
    NoRespawn,
    /// `NGX_PROCESS_JUST_SPAWN`.
    JustSpawn,
    /// `NGX_PROCESS_RESPAWN`.
    Respawn,
    /// `NGX_PROCESS_JUST_RESPAWN`.
    JustRespawn,
    /// `NGX_PROCESS_DETACHED`.
    Detached,
    /// The process of this slot has exited and is started again.
    Again(Slot),
}

impl Mode {
    /// The mode that C passes: one of the constants, or the number of a slot.
    /// `None` if it is neither.
    pub fn from_c(mode: ngx_int_t) -> Option<Self> {
        Some(match mode {
            NGX_PROCESS_NORESPAWN => Self::NoRespawn,
            NGX_PROCESS_JUST_SPAWN => Self::JustSpawn,
            NGX_PROCESS_RESPAWN => Self::Respawn,
            NGX_PROCESS_JUST_RESPAWN => Self::JustRespawn,
            NGX_PROCESS_DETACHED => Self::Detached,
            slot => Self::Again(Slot::from_c(slot)?),
        })
    }

    /// Whether the process is started in its slot for the first time.
    pub fn is_first_start(self) -> bool {
        !matches!(self, Self::Again(_))
    }

    /// Whether the process is started again when it exits.
    pub fn is_respawned(self) -> bool {
        matches!(self, Self::Respawn | Self::JustRespawn)
    }

    /// Sets the flags of a process that has been started. A process that is
    /// started again keeps them.
    pub fn set_flags(self, entry: &ngx_process_t) {
        if !self.is_first_start() {
            return;
        }

        entry.set(Flag::Respawn, self.is_respawned());
        entry.set(
            Flag::JustSpawn,
            matches!(self, Self::JustSpawn | Self::JustRespawn),
        );
        entry.set(Flag::Detached, self == Self::Detached);
        entry.set(Flag::Exiting, false);
    }
}
