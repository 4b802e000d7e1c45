//! The modes of `ngx_spawn_process`, its last argument. The C headers get the
//! constants from this file.

use crate::config::ngx_int_t;
use crate::table::slot::Slot;
use crate::table::slots::{Flag, ngx_process_t};

/// The process is not started again when it exits.
pub const NGX_PROCESS_NORESPAWN: isize = -1;
/// The process is not started again when it exits. The process does not get the
/// next signal to all workers.
pub const NGX_PROCESS_JUST_SPAWN: isize = -2;
/// The process is started again in the same slot when it exits.
pub const NGX_PROCESS_RESPAWN: isize = -3;
/// The process is started again in the same slot when it exits. The process
/// does not get the next signal to all workers.
pub const NGX_PROCESS_JUST_RESPAWN: isize = -4;
/// The process has no channel and gets no signals.
pub const NGX_PROCESS_DETACHED: isize = -5;

/// The way in which a process is started: with or without a channel, and with
/// or without a new start when the process exits.
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
    /// Converts the mode that C passes: one of the constants, or the number of
    /// a slot. `None` if `mode` is neither.
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

    /// Sets the flags in the slot of a process that has been started. The slot
    /// of a process that is started again keeps its flags.
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
