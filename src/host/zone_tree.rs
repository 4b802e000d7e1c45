//! Trees in typed zones, `ngx_ipc_zone_tree_...()`.

use super::shm_zone::Zone;
use super::zone_transaction::with;
use crate::zone::transaction::Result;
use crate::zone::tree::Tree;

/// Works with a tree.
fn with_tree<T>(zone: Zone, tree: usize, work: impl FnOnce(&Tree<'_>) -> Result<T>) -> Option<T> {
    with(zone, 0, |transaction, _| {
        work(&Tree::open(transaction, tree)?)
    })
}

/// Inserts a node. Returns whether it has.
pub fn insert(zone: Zone, tree: usize, node: usize) -> bool {
    with_tree(zone, tree, |tree| tree.insert(node)).is_some()
}

/// Takes a node out of a tree. Returns whether it has.
pub fn delete(zone: Zone, tree: usize, node: usize) -> bool {
    with_tree(zone, tree, |tree| tree.delete(node)).is_some()
}

/// The first node with a key.
pub fn find(zone: Zone, tree: usize, key: usize) -> Option<usize> {
    with_tree(zone, tree, |tree| tree.find(key)).flatten()
}

/// The first node.
pub fn min(zone: Zone, tree: usize) -> Option<usize> {
    with_tree(zone, tree, |tree| tree.min()).flatten()
}

/// The first node whose key is `key` or greater.
pub fn lower_bound(zone: Zone, tree: usize, key: usize) -> Option<usize> {
    with_tree(zone, tree, |tree| tree.lower_bound(key)).flatten()
}

/// The node after `node`.
pub fn next(zone: Zone, tree: usize, node: usize) -> Option<usize> {
    with_tree(zone, tree, |tree| tree.next(node)).flatten()
}

/// The number of nodes of a tree.
pub fn count(zone: Zone, tree: usize) -> Option<usize> {
    with_tree(zone, tree, |tree| tree.count())
}
