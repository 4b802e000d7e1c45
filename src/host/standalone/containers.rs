//! nginx's arrays, lists, queues and trees, as members of the structures in
//! `types.rs`. C declares them in `ngx_array.h` and the other headers of nginx.

use std::ffi::c_void;
use std::ptr;

use crate::config::ngx_uint_t;

/// An array that grows.
#[repr(C)]
pub struct ngx_array_t {
    pub(crate) elts: *mut c_void,
    pub(crate) nelts: ngx_uint_t,
    pub(crate) size: usize,
    pub(crate) nalloc: ngx_uint_t,
    /// The pool, an `ngx_pool_t`.
    pub(crate) pool: *mut c_void,
}

/// A part of a list.
#[repr(C)]
pub struct ngx_list_part_t {
    pub(crate) elts: *mut c_void,
    pub(crate) nelts: ngx_uint_t,
    pub(crate) next: *mut ngx_list_part_t,
}

/// A list of parts. An empty list whose `last` is NULL has not been put in its
/// place yet.
#[repr(C)]
pub struct ngx_list_t {
    pub(crate) last: *mut ngx_list_part_t,
    pub(crate) part: ngx_list_part_t,
    pub(crate) size: usize,
    pub(crate) nalloc: ngx_uint_t,
    /// The pool, an `ngx_pool_t`.
    pub(crate) pool: *mut c_void,
}

/// A link of a queue, or its head.
#[repr(C)]
pub struct ngx_queue_t {
    pub(crate) prev: *mut ngx_queue_t,
    pub(crate) next: *mut ngx_queue_t,
}

/// A node of a red-black tree.
#[repr(C)]
pub struct ngx_rbtree_node_t {
    pub(crate) key: ngx_uint_t,
    pub(crate) left: *mut ngx_rbtree_node_t,
    pub(crate) right: *mut ngx_rbtree_node_t,
    pub(crate) parent: *mut ngx_rbtree_node_t,
    pub(crate) color: u8,
    pub(crate) data: u8,
}

/// A red-black tree.
#[repr(C)]
pub struct ngx_rbtree_t {
    pub(crate) root: *mut ngx_rbtree_node_t,
    pub(crate) sentinel: *mut ngx_rbtree_node_t,
    pub(crate) insert: *mut c_void,
}

impl ngx_array_t {
    /// An array without elements and without memory.
    pub const fn none() -> Self {
        Self {
            elts: ptr::null_mut(),
            nelts: 0,
            size: 0,
            nalloc: 0,
            pool: ptr::null_mut(),
        }
    }
}

impl ngx_list_t {
    /// A list without elements and without memory.
    pub const fn none() -> Self {
        Self {
            last: ptr::null_mut(),
            part: ngx_list_part_t {
                elts: ptr::null_mut(),
                nelts: 0,
                next: ptr::null_mut(),
            },
            size: 0,
            nalloc: 0,
            pool: ptr::null_mut(),
        }
    }
}

impl ngx_queue_t {
    /// The link of an event that is in no queue.
    pub const fn none() -> Self {
        Self {
            prev: ptr::null_mut(),
            next: ptr::null_mut(),
        }
    }
}

impl ngx_rbtree_node_t {
    /// A node that is in no tree.
    pub const fn none() -> Self {
        Self {
            key: 0,
            left: ptr::null_mut(),
            right: ptr::null_mut(),
            parent: ptr::null_mut(),
            color: 0,
            data: 0,
        }
    }
}

impl ngx_rbtree_t {
    /// A tree that has not been put in its place yet.
    pub const fn none() -> Self {
        Self {
            root: ptr::null_mut(),
            sentinel: ptr::null_mut(),
            insert: ptr::null_mut(),
        }
    }
}
