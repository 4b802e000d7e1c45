//! The last argument of `ngx_spawn_process`. The headers get its numbers from
//! here.

use crate::config::ngx_int_t;
use crate::table::slots::{Flag, MAX_PROCESSES, ngx_process_t};

/// What becomes of a process that exits: the last argument of
/// `ngx_spawn_process`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Respawn {
    /// `NGX_PROCESS_NORESPAWN`.
    Never,
    /// `NGX_PROCESS_JUST_SPAWN`: never, and the next signal passes it by.
    JustSpawn,
    /// `NGX_PROCESS_RESPAWN`: it is started again.
    Always,
    /// `NGX_PROCESS_JUST_RESPAWN`: both.
    JustRespawn,
    /// `NGX_PROCESS_DETACHED`: nobody cares; it has no channel.
    Detached,
    /// This is a respawn, into the slot of the process that has exited.
    Slot(usize),
}

impl Respawn {
    /// The mode or slot that C names; `None` if it is neither.
    pub fn new(respawn: ngx_int_t) -> Option<Self> {
        Some(match respawn {
            -1 => Self::Never,
            -2 => Self::JustSpawn,
            -3 => Self::Always,
            -4 => Self::JustRespawn,
            -5 => Self::Detached,
            _ => Self::Slot(
                usize::try_from(respawn)
                    .ok()
                    .filter(|&slot| slot < MAX_PROCESSES)?,
            ),
        })
    }

    /// Sets the flags of the slot of a process that was started in this way.
    pub fn mark(self, slot: &ngx_process_t) {
        if let Self::Slot(_) = self {
            return;
        }

        slot.set(
            Flag::Respawn,
            matches!(self, Self::Always | Self::JustRespawn),
        );
        slot.set(
            Flag::JustSpawn,
            matches!(self, Self::JustSpawn | Self::JustRespawn),
        );
        slot.set(Flag::Detached, self == Self::Detached);
        slot.set(Flag::Exiting, false);
    }
}
