//! Queues and tables in typed zones, `ngx_ipc_zone_queue_...()` and `ngx_ipc_zone_hash_...()`.

use super::shm_zone::Zone;
use super::zone_transaction::with;
use crate::zone::hash::{self, Table};
use crate::zone::queue;

/// Inserts an element of a queue behind the head `h`. Returns whether it has.
pub fn insert_head(zone: Zone, h: usize, x: usize) -> bool {
    with(zone, 0, |transaction, _| {
        queue::insert_after(transaction, h, x)
    })
    .is_some()
}

/// Inserts an element of a queue before the head `h`. Returns whether it has.
pub fn insert_tail(zone: Zone, h: usize, x: usize) -> bool {
    with(zone, 0, |transaction, _| {
        queue::insert_before(transaction, h, x)
    })
    .is_some()
}

/// Removes an element of a queue. Returns whether it has.
pub fn remove(zone: Zone, x: usize) -> bool {
    with(zone, 0, |transaction, _| queue::remove(transaction, x)).is_some()
}

/// Makes a table. Returns its address.
pub fn create(zone: Zone, lists: usize, size: usize) -> Option<usize> {
    with(zone, 0, |transaction, _| {
        hash::create(transaction, lists, size)
    })
}

/// Where the value of a key is.
pub fn get(zone: Zone, table: usize, key: &[u8], size: usize) -> Option<usize> {
    with(zone, 0, |transaction, _| {
        Table::open(transaction, table, Some(size))?.get(key)
    })
    .flatten()
}

/// Sets the value of a key. Returns whether it has.
pub fn set(zone: Zone, table: usize, key: &[u8], value: &[u8]) -> bool {
    with(zone, 0, |transaction, _| {
        Table::open(transaction, table, Some(value.len()))?.set(key, value)
    })
    .is_some()
}

/// Deletes a key. Returns whether the table has had it; `None` if the function has failed.
pub fn delete(zone: Zone, table: usize, key: &[u8]) -> Option<bool> {
    with(zone, 0, |transaction, _| {
        Table::open(transaction, table, None)?.delete(key)
    })
}
