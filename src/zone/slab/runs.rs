//! The runs of pages in a pool whose parts this process knows, for [`run_alloc`](super::run_alloc)
//! and [`run_free`](super::run_free).

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{Relaxed, Release};

use super::layout::{WORD, field};
use super::short::Free;
use crate::sys::parts::table::Table;
use crate::sys::parts::{Node, Parts, address_of};

/// The pages of a pool, and the list of its free runs.
pub struct Pages<'a> {
    /// The descriptors.
    pub table: Table<'a>,
    /// The head of the list.
    pub head: &'a Node,
    /// The number of free pages.
    pub pfree: &'a AtomicUsize,
}

impl<'a> Pages<'a> {
    /// The pages of the pool with these parts.
    #[inline(always)]
    pub fn of(parts: &'a Parts) -> Option<Self> {
        let (_, free) = parts.header().split_at(field::FREE / WORD);
        let (head, rest) = free.split_first_chunk()?;

        Some(Self {
            table: parts.table(),
            head,
            pfree: rest.get((field::PFREE - field::FREE) / WORD - head.len())?,
        })
    }

    /// A link to the first free run, or to the head.
    #[inline(always)]
    pub fn first(&self) -> usize {
        self.head[1].load(Relaxed)
    }

    /// Whether a link leads to the head.
    #[inline(always)]
    pub fn is_head(&self, link: usize) -> bool {
        link == address_of(&self.head[0])
    }

    /// The descriptor or head to which a link leads.
    #[inline(always)]
    pub fn at(&self, link: usize) -> Option<&'a Node> {
        if self.is_head(link) {
            return Some(self.head);
        }

        self.table.entry(link).map(|(_, node)| node.get())
    }

    /// The free run that begins with the descriptor `node`.
    #[inline(always)]
    pub fn run(&self, node: &'a Node, free: Free) -> Option<Run<'a>> {
        Some(Run {
            free,
            node,
            prev: self.at(free[2])?,
            next: self.at(free[1])?,
        })
    }
}

/// Writes a descriptor.
#[inline(always)]
pub fn set([slab, next, prev]: &Node, values: [usize; 3]) {
    slab.store(values[0], Release);
    next.store(values[1], Release);
    prev.store(values[2], Release);
}

/// Reads a descriptor.
#[inline(always)]
pub fn values([slab, next, prev]: &Node) -> Free {
    [slab.load(Relaxed), next.load(Relaxed), prev.load(Relaxed)]
}

/// A free run. The length 0 stands for no run.
pub struct Run<'a> {
    /// The values of its first descriptor.
    pub free: Free,
    /// Its first descriptor.
    pub node: &'a Node,
    /// The descriptor or head before it in the list.
    pub prev: &'a Node,
    /// The descriptor or head behind it in the list.
    pub next: &'a Node,
}

impl Run<'_> {
    /// Makes the neighbours in the list point to `next` and `prev`.
    #[inline(always)]
    pub fn set_neighbours(&self, next: usize, prev: usize) {
        self.prev[1].store(next, Release);
        self.next[2].store(prev, Release);
    }
}
