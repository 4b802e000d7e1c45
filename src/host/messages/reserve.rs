//! In nginx's master: gives slots of the region to the processes of a configuration before
//! it forks the first of them.

use super::shared::{self, Region};
use super::{region, table};
use crate::log::Log;
use crate::message::identity::Identity;
use crate::table::globals::Globals;
use crate::table::role::Role;

/// Gives slots of the region to the workers and helpers that nginx's master starts
/// next, before it forks the first of them. nginx forks its processes one by one, and
/// the first one can then send to the others at once. nginx starts them in this order,
/// each in the first empty slot of the table.
pub fn by_master(g: &Globals, log: Log, workers: usize, helpers: usize) {
    region::prepare(log, None);

    if let Some(region) = shared::get().filter(Region::is_mine) {
        in_region(g, &region, workers, helpers);
    }
}

/// Does the same in a region that the caller has made or taken over.
pub fn in_region(g: &Globals, region: &Region, workers: usize, helpers: usize) {
    let workers = (0..workers).map(|worker| (u32::try_from(worker).ok(), Role::Worker));
    let helpers = (0..helpers).map(|_| (None, Role::Helper));

    for (place, (worker, role)) in g.table.free().zip(workers.chain(helpers)) {
        let identity = Identity {
            worker,
            generation: region::generation(),
            role: role.to_c() as u64,
            master: region.master,
            place: u32::try_from(place.index()).ok(),
        };

        table::set(place, region::appoint(region, place, identity, false));
    }
}
