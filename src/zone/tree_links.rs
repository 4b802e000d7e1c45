//! The links between the nodes of a tree in a zone, nginx's `ngx_rbtree_t`: they are checked before they
//! are followed, and saved before they are changed.
//!
//! ```text
//! tree: root | sentinel | insert
//! node: key  | left | right | parent | color, data
//! ```
//!
//! A missing child is the sentinel. The functions do not change the sentinel, do not call `insert`,
//! and do not read `parent` of the root, which nginx does not always set. `color` and `data` are
//! bytes.
//!
//! Other processes can write anything to a tree. So a link is followed only if it leads back: the
//! parent of a child is the node, and a node is exactly one child of its parent. No link leads to
//! the root. Then no two nodes have the same next node, and the first node is the next one of
//! none, so a walk from the first node finds no node twice. A path has an end because a red-black
//! tree is low: a longer one is damaged.

use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::{Relaxed, Release};

use super::slab::layout::WORD;
use super::transaction::{Fault, Result, Transaction};

/// The words of a tree.
const ROOT: usize = 0;
const SENTINEL: usize = WORD;

/// The words of a node.
const KEY: usize = 0;
/// The link to the left child.
pub const LEFT: usize = WORD;
/// The link to the right child.
pub const RIGHT: usize = 2 * WORD;
const PARENT: usize = 3 * WORD;
/// The byte with the color of a node.
const COLOR: usize = 4 * WORD;
/// The size of a node in bytes.
const NODE: usize = 5 * WORD;

/// The color of a black node.
pub const BLACK: u8 = 0;
/// The color of a red node.
pub const RED: u8 = 1;

/// The place of a node: its parent and the side, [`LEFT`] or [`RIGHT`]; `None` for the root.
pub type Place = Option<(usize, usize)>;

/// The other side.
pub const fn other(side: usize) -> usize {
    LEFT + RIGHT - side
}

/// The links of a tree.
pub struct Links<'a> {
    transaction: &'a Transaction<'a>,
    /// The address of the tree.
    address: usize,
    /// The address of the sentinel.
    pub sentinel: usize,
}

impl<'a> Links<'a> {
    /// The links of the tree at `address`.
    pub fn open(transaction: &'a Transaction<'a>, address: usize) -> Result<Self> {
        let sentinel = transaction.word(address.wrapping_add(SENTINEL));
        let links = Self {
            transaction,
            address,
            sentinel: sentinel.or(Err(Fault::NoTree))?,
        };

        links.checked(links.sentinel)?;
        links.root()?;

        Ok(links)
    }

    /// The result of a function that changes the tree. If it has failed, the transaction cannot
    /// become final.
    pub fn or_fail(&self, result: Result) -> Result {
        self.transaction.or_fail(result)
    }

    /// Makes `node` a red node without children.
    pub fn clear(&self, node: usize) -> Result {
        self.transaction
            .save(node.wrapping_add(LEFT), COLOR - LEFT + 1)?;

        for side in [LEFT, RIGHT] {
            let link = node.wrapping_add(side);

            self.transaction.pool().put(link, self.sentinel)?;
        }

        self.color(node)?.store(RED, Release);

        Ok(())
    }

    /// The root; the sentinel if the tree is empty.
    pub fn root(&self) -> Result<usize> {
        self.checked(self.word(self.address.wrapping_add(ROOT))?)
    }

    /// The child of a node, or the sentinel.
    pub fn child(&self, node: usize, side: usize) -> Result<usize> {
        let child = self.checked(self.word(node.wrapping_add(side))?)?;
        let is_child = child == self.sentinel
            || (child != self.root()? && self.word(child.wrapping_add(PARENT))? == node);

        if is_child {
            Ok(child)
        } else {
            Err(Fault::NoTree)
        }
    }

    /// The child of a node, which must have one on this side.
    pub fn node(&self, node: usize, side: usize) -> Result<usize> {
        match self.child(node, side)? {
            child if child != self.sentinel => Ok(child),
            _ => Err(Fault::NoTree),
        }
    }

    /// The place of a node.
    pub fn place(&self, node: usize) -> Result<Place> {
        if node == self.sentinel {
            return Err(Fault::NoTree);
        }

        if node == self.root()? {
            return Ok(None);
        }

        let parent = self.word(node.wrapping_add(PARENT))?;

        self.checked(parent)?;

        let is_left = self.word(parent.wrapping_add(LEFT))? == node;
        let is_right = self.word(parent.wrapping_add(RIGHT))? == node;

        if parent == self.sentinel || is_left == is_right {
            return Err(Fault::NoTree);
        }

        Ok(Some((parent, if is_left { LEFT } else { RIGHT })))
    }

    /// The first node of the part of the tree below `node`.
    pub fn leftmost(&self, node: usize) -> Result<usize> {
        let mut node = node;

        self.on_each_level(|| {
            let left = self.child(node, LEFT)?;

            if left == self.sentinel {
                return Ok(Some(node));
            }

            node = left;

            Ok(None)
        })
    }

    /// Links a node, or the sentinel, at a place.
    pub fn attach(&self, place: Place, node: usize) -> Result {
        let (parent, link) = match place {
            Some((parent, side)) => (parent, parent.wrapping_add(side)),
            None => (0, self.address.wrapping_add(ROOT)),
        };

        self.transaction.change(link, node)?;

        if node == self.sentinel {
            return Ok(());
        }

        self.transaction.change(node.wrapping_add(PARENT), parent)
    }

    /// Moves a node down to `side`. Its child on the other side takes its place.
    pub fn rotate(&self, node: usize, side: usize) -> Result {
        let up = self.node(node, other(side))?;
        let inner = self.child(up, side)?;
        let place = self.place(node)?;

        self.attach(Some((node, other(side))), inner)?;
        self.attach(place, up)?;
        self.attach(Some((up, side)), node)
    }

    /// The key of a node.
    pub fn key(&self, node: usize) -> Result<usize> {
        self.word(node.wrapping_add(KEY))
    }

    /// The color of a node.
    pub fn color_of(&self, node: usize) -> Result<u8> {
        Ok(if self.is_red(node)? { RED } else { BLACK })
    }

    /// Whether a node is red; the sentinel is not.
    pub fn is_red(&self, node: usize) -> Result<bool> {
        Ok(node != self.sentinel && self.color(node)?.load(Relaxed) != BLACK)
    }

    /// Changes the color of a node.
    pub fn paint(&self, node: usize, color: u8) -> Result {
        let byte = self.color(node)?;

        if byte.load(Relaxed) != color {
            self.transaction.save(node.wrapping_add(COLOR), 1)?;
            byte.store(color, Release);
        }

        Ok(())
    }

    /// The byte with the color of a node.
    fn color(&self, node: usize) -> Result<&AtomicU8> {
        self.transaction
            .pool()
            .words()
            .byte(node.wrapping_add(COLOR))
            .ok_or(Fault::NoTree)
    }

    /// Checks that all bytes of a node lie in the pool.
    fn checked(&self, node: usize) -> Result<usize> {
        if self.transaction.pool().words().contains(node, NODE) {
            Ok(node)
        } else {
            Err(Fault::NoTree)
        }
    }

    fn word(&self, address: usize) -> Result<usize> {
        self.transaction.word(address).or(Err(Fault::NoTree))
    }

    /// Repeats `step`, which goes to the next level of the tree, until it has a result.
    pub fn on_each_level<T>(&self, mut step: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        for _ in 0..=self.deepest() {
            if let Some(result) = step()? {
                return Ok(result);
            }
        }

        Err(Fault::NoTree)
    }

    /// The largest number of nodes for which the zone has room.
    pub fn most(&self) -> usize {
        self.transaction.pool().words().size() / NODE
    }

    /// The largest number of levels of a red-black tree with so many nodes: twice the logarithm
    /// of the number.
    fn deepest(&self) -> usize {
        2 * (usize::BITS - self.most().leading_zeros()) as usize
    }
}
