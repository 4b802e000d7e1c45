//! Trees in a zone, nginx's `ngx_rbtree_t`, that transactions change: nodes in the order of their
//! keys.
//!
//! A tree is a red-black tree: no red node has a red parent, and all paths from the root down have
//! the same number of black nodes. [`tree_links`](super::tree_links) explains the layout, and how
//! damaged trees are found.

use super::transaction::{Fault, Result, Transaction};
use super::tree_links::{BLACK, LEFT, Links, Place, RED, RIGHT, other};

/// A tree.
pub struct Tree<'a>(Links<'a>);

impl<'a> Tree<'a> {
    /// The tree at `address`.
    pub fn open(transaction: &'a Transaction<'a>, address: usize) -> Result<Self> {
        Links::open(transaction, address).map(Self)
    }

    /// Inserts a node behind the nodes with the same key.
    pub fn insert(&self, node: usize) -> Result {
        self.0.or_fail(self.add(node))
    }

    /// Takes a node out of the tree.
    pub fn delete(&self, node: usize) -> Result {
        self.0.or_fail(self.take_out(node))
    }

    /// The first node.
    pub fn min(&self) -> Result<Option<usize>> {
        self.lower_bound(0)
    }

    /// The first node with this key.
    pub fn find(&self, key: usize) -> Result<Option<usize>> {
        match self.lower_bound(key)? {
            Some(node) if self.0.key(node)? == key => Ok(Some(node)),
            _ => Ok(None),
        }
    }

    /// The first node whose key is `key` or greater.
    pub fn lower_bound(&self, key: usize) -> Result<Option<usize>> {
        let (mut node, mut found) = (self.0.root()?, None);

        self.0.on_each_level(|| {
            if node == self.0.sentinel {
                return Ok(Some(found));
            }

            if self.0.key(node)? < key {
                node = self.0.child(node, RIGHT)?;
            } else {
                found = Some(node);
                node = self.0.child(node, LEFT)?;
            }

            Ok(None)
        })
    }

    /// The node after `node`, which is in the tree.
    pub fn next(&self, node: usize) -> Result<Option<usize>> {
        let right = self.0.child(node, RIGHT)?;

        if right != self.0.sentinel {
            return self.0.leftmost(right).map(Some);
        }

        let mut node = node;

        self.0.on_each_level(|| match self.0.place(node)? {
            None => Ok(Some(None)),
            Some((parent, LEFT)) => Ok(Some(Some(parent))),
            Some((parent, _)) => {
                node = parent;
                Ok(None)
            }
        })
    }

    /// The number of nodes.
    pub fn count(&self) -> Result<usize> {
        let mut node = self.min()?;

        for n in 0..=self.0.most() {
            match node {
                None => return Ok(n),
                Some(last) => node = self.next(last)?,
            }
        }

        Err(Fault::NoTree)
    }

    fn add(&self, node: usize) -> Result {
        // This refuses bytes that are not those of a module.
        self.0.clear(node)?;

        let place = self.place_for(self.0.key(node)?)?;

        self.0.attach(place, node)?;
        self.balance_new(node)
    }

    fn take_out(&self, node: usize) -> Result {
        let place = self.0.place(node)?;
        let [left, right] = [self.0.child(node, LEFT)?, self.0.child(node, RIGHT)?];

        if left == self.0.sentinel || right == self.0.sentinel {
            let child = if left == self.0.sentinel { right } else { left };
            let color = self.0.color_of(node)?;

            self.0.attach(place, child)?;

            return self.balance_gap(place, color);
        }

        // The next node has no left child. It takes the place of the node.
        let next = self.0.leftmost(right)?;
        let color = self.0.color_of(next)?;
        let mut gap = self.0.place(next)?;

        self.0.attach(gap, self.0.child(next, RIGHT)?)?;
        self.0.attach(place, next)?;

        for side in [LEFT, RIGHT] {
            self.0
                .attach(Some((next, side)), self.0.child(node, side)?)?;
        }

        self.0.paint(next, self.0.color_of(node)?)?;

        if gap == Some((node, RIGHT)) {
            gap = Some((next, RIGHT));
        }

        self.balance_gap(gap, color)
    }

    /// Balances the tree after the red node `node` was added: no red node has a red parent then.
    fn balance_new(&self, node: usize) -> Result {
        let mut node = node;

        self.0.on_each_level(|| {
            let Some((parent, side)) = self.0.place(node)? else {
                return self.0.paint(node, BLACK).map(Some);
            };

            if !self.0.is_red(parent)? {
                return Ok(Some(()));
            }

            let Some((grand, parent_side)) = self.0.place(parent)? else {
                return self.0.paint(parent, BLACK).map(Some);
            };
            let uncle = self.0.child(grand, other(parent_side))?;

            if self.0.is_red(uncle)? {
                self.0.paint(parent, BLACK)?;
                self.0.paint(uncle, BLACK)?;
                self.0.paint(grand, RED)?;
                node = grand;
                return Ok(None);
            }

            let mut top = parent;

            if side != parent_side {
                self.0.rotate(parent, parent_side)?;
                top = node;
            }

            self.0.paint(top, BLACK)?;
            self.0.paint(grand, RED)?;
            self.0.rotate(grand, other(parent_side)).map(Some)
        })
    }

    /// Balances the tree after a node of this color has left the place: if it was black, the paths
    /// through the place have one black node too few.
    fn balance_gap(&self, place: Place, color: u8) -> Result {
        if color == RED {
            return Ok(());
        }

        let mut place = place;

        self.0.on_each_level(|| {
            let node = match place {
                Some((parent, side)) => self.0.child(parent, side)?,
                None => self.0.root()?,
            };

            if self.0.is_red(node)? {
                return self.0.paint(node, BLACK).map(Some);
            }

            let Some((parent, side)) = place else {
                return Ok(Some(()));
            };
            let mut sibling = self.0.node(parent, other(side))?;

            if self.0.is_red(sibling)? {
                self.0.paint(sibling, BLACK)?;
                self.0.paint(parent, RED)?;
                self.0.rotate(parent, side)?;
                sibling = self.0.node(parent, other(side))?;
            }

            let [near, far] = [
                self.0.child(sibling, side)?,
                self.0.child(sibling, other(side))?,
            ];
            let mut top = sibling;

            if self.0.is_red(far)? {
                self.0.paint(far, BLACK)?;
            } else if self.0.is_red(near)? {
                self.0.rotate(sibling, other(side))?;
                top = near;
            } else {
                self.0.paint(sibling, RED)?;
                place = self.0.place(parent)?;
                return Ok(None);
            }

            self.0.paint(top, self.0.color_of(parent)?)?;
            self.0.paint(parent, BLACK)?;
            self.0.rotate(parent, side).map(Some)
        })
    }

    /// The place of a new node.
    fn place_for(&self, key: usize) -> Result<Place> {
        let (mut place, mut node) = (None, self.0.root()?);

        self.0.on_each_level(|| {
            if node == self.0.sentinel {
                return Ok(Some(place));
            }

            let side = if key < self.0.key(node)? { LEFT } else { RIGHT };

            place = Some((node, side));
            node = self.0.child(node, side)?;

            Ok(None)
        })
    }
}
