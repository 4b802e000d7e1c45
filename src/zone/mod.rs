//! Shared memory that several processes change: nginx's zones.
//!
//! - [`slab`]: allocates pieces of a zone, nginx's `ngx_slab.c`

pub mod slab;
