//! The part of `ngx_ipc_zone.h` for trees.

use std::ffi::c_void;

use super::ipc_zone::{done, piece};
use super::ipc_zone_structures::number;
use crate::config::{ngx_int_t, ngx_uint_t};
use crate::host::shm_zone::{Zone, ngx_shm_zone_t};
use crate::host::zone_tree;

/// Inserts a node into a tree as ngx_rbtree_insert() does, in the transaction that this process has
/// begun. `tree` is an `ngx_rbtree_t` and `node` an `ngx_rbtree_node_t`, which is in no tree and whose
/// `key` the program has set. Tree, sentinel and nodes are in the zone. ngx_rbtree_init() makes the
/// tree; its function `insert` can be NULL. The node goes behind the nodes with the same key.
///
/// Returns NGX_OK. Returns NGX_ERROR, with an alert in the log of ngx_cycle, as
/// ngx_ipc_zone_save() does, or if `tree` is no tree, or if another process has overwritten the
/// tree. Then ngx_ipc_zone_commit() undoes the transaction.
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_tree_insert(
    zone: *mut ngx_shm_zone_t,
    tree: *mut c_void,
    node: *mut c_void,
) -> ngx_int_t {
    // SAFETY: C passes NULL or a zone.
    unsafe {
        done(zone, |zone| {
            zone_tree::insert(zone, tree.addr(), node.addr())
        })
    }
}

/// Removes a node from a tree as ngx_rbtree_delete() does, in the transaction that this process has
/// begun. The node keeps its key. The results are those of ngx_ipc_zone_tree_insert(); the function
/// also fails if the node is not in the tree.
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_tree_delete(
    zone: *mut ngx_shm_zone_t,
    tree: *mut c_void,
    node: *mut c_void,
) -> ngx_int_t {
    // SAFETY: C passes NULL or a zone.
    unsafe {
        done(zone, |zone| {
            zone_tree::delete(zone, tree.addr(), node.addr())
        })
    }
}

/// Finds the first node of a tree that has the key `key`, in the transaction that this process has
/// begun. ngx_ipc_zone_tree_next() finds the other nodes with this key.
///
/// Returns the node, an `ngx_rbtree_node_t`. Returns NULL if there is none. Also returns NULL, with an
/// alert in the log of ngx_cycle, if this process has not begun a transaction, if `tree` is no tree, or
/// if another process has overwritten it.
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_tree_find(
    zone: *mut ngx_shm_zone_t,
    tree: *mut c_void,
    key: ngx_uint_t,
) -> *mut c_void {
    // SAFETY: C passes NULL or a zone.
    unsafe { piece(zone, |zone| zone_tree::find(zone, tree.addr(), key)) }
}

/// Finds the first node of a tree, which has the least key, as ngx_rbtree_min() does, in the
/// transaction that this process has begun. The results are those of ngx_ipc_zone_tree_find().
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_tree_min(
    zone: *mut ngx_shm_zone_t,
    tree: *mut c_void,
) -> *mut c_void {
    // SAFETY: C passes NULL or a zone.
    unsafe { piece(zone, |zone| zone_tree::min(zone, tree.addr())) }
}

/// Finds the first node of a tree whose key is `key` or greater, in the transaction that this process
/// has begun. The results are those of ngx_ipc_zone_tree_find().
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_tree_lower_bound(
    zone: *mut ngx_shm_zone_t,
    tree: *mut c_void,
    key: ngx_uint_t,
) -> *mut c_void {
    // SAFETY: C passes NULL or a zone.
    unsafe { piece(zone, |zone| zone_tree::lower_bound(zone, tree.addr(), key)) }
}

/// Finds the node after `node` in a tree as ngx_rbtree_next() does, in the transaction that this
/// process has begun. `node` is in the tree. So a program that deletes `node` asks for the next node
/// before. The results are those of ngx_ipc_zone_tree_find().
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_tree_next(
    zone: *mut ngx_shm_zone_t,
    tree: *mut c_void,
    node: *mut c_void,
) -> *mut c_void {
    // SAFETY: C passes NULL or a zone.
    unsafe { piece(zone, |zone| zone_tree::next(zone, tree.addr(), node.addr())) }
}

/// Counts the nodes of a tree, in the transaction that this process has begun.
///
/// Returns their number. Returns NGX_ERROR, with an alert in the log of ngx_cycle, as
/// ngx_ipc_zone_tree_find() does.
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_tree_count(
    zone: *mut ngx_shm_zone_t,
    tree: *mut c_void,
) -> ngx_int_t {
    // SAFETY: C passes NULL or a zone.
    number(unsafe { Zone::from_ptr(zone) }.and_then(|zone| zone_tree::count(zone, tree.addr())))
}
