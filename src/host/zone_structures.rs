//! Queues and tables in typed zones, `ngx_ipc_zone_queue_...()` and `ngx_ipc_zone_hash_...()`.

use std::ffi::c_void;
use std::sync::atomic::AtomicU8;

use super::shm_zone::Zone;
use super::zone_transaction::with;
use crate::config::u_char;
use crate::zone::hash::{self, Found, Place, Table};
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

/// The element after `x` in the queue with the head `h`. `x` is the head or an element.
pub fn next(zone: Zone, h: usize, x: usize) -> Option<usize> {
    with(zone, 0, |transaction, _| queue::next(transaction, x)).filter(|&next| next != h)
}

/// The number of elements of the queue with the head `h`.
pub fn queue_count(zone: Zone, h: usize) -> Option<usize> {
    with(zone, 0, |transaction, _| queue::count(transaction, h))
}

/// Makes a table. Returns its address.
pub fn create(zone: Zone, lists: usize, size: usize) -> Option<usize> {
    with(zone, hash::table_size(lists), |transaction, _| {
        hash::create(transaction, lists, size)
    })
}

/// Where the value of a key is.
pub fn get(zone: Zone, table: usize, key: &[AtomicU8], size: usize) -> Option<usize> {
    with(zone, 0, |transaction, _| {
        Table::open(transaction, table, Some(size))?.get(key)
    })
    .flatten()
}

/// Sets the value of a key. Returns whether it has.
pub fn set(zone: Zone, table: usize, key: &[AtomicU8], value: &[AtomicU8]) -> bool {
    let size = hash::entry_size(key.len(), value.len());

    with(zone, size, |transaction, _| {
        Table::open(transaction, table, Some(value.len()))?.set(key, value)
    })
    .is_some()
}

/// Deletes a key. Returns whether the table has had it; `None` if the function has failed.
pub fn delete(zone: Zone, table: usize, key: &[AtomicU8]) -> Option<bool> {
    with(zone, 0, |transaction, _| {
        Table::open(transaction, table, None)?.delete(key)
    })
}

/// The number of keys of a table.
pub fn hash_count(zone: Zone, table: usize) -> Option<usize> {
    with(zone, 0, |transaction, _| {
        Table::open(transaction, table, None)?.count()
    })
}

/// The place of a walk over a table. The program sets all fields to 0, and does not change them
/// during the walk.
#[repr(C)]
pub struct ngx_ipc_zone_hash_walk_t {
    /// The key of the entry.
    pub key: *const u_char,
    /// The length of the key in bytes.
    pub len: usize,
    /// The value of the entry.
    pub value: *mut c_void,
    /// The number of the list. This field and the next three are the library's.
    pub list: usize,
    /// The link to the entry.
    pub link: usize,
    /// The entry.
    pub entry: usize,
    /// The number of entries so far.
    pub seen: usize,
}

/// Takes a step of a walk over a table with values of `size` bytes. Returns whether there was
/// another entry, which `walk` has then; `None` if the function has failed.
pub fn hash_next(
    zone: Zone,
    table: usize,
    size: usize,
    walk: &mut ngx_ipc_zone_hash_walk_t,
) -> Option<bool> {
    let mut place = Place {
        list: walk.list,
        link: walk.link,
        entry: walk.entry,
        seen: walk.seen,
    };
    let found = with(zone, 0, |transaction, _| {
        Table::open(transaction, table, Some(size))?.next(&mut place)
    })?;

    (walk.list, walk.link) = (place.list, place.link);
    (walk.entry, walk.seen) = (place.entry, place.seen);

    if let Some(Found { key, len, value }) = found {
        walk.key = zone.memory().with_addr(key).cast();
        walk.len = len;
        walk.value = zone.memory().with_addr(value);
    }

    Some(found.is_some())
}
