//! Shared memory: `ngx_shm_alloc` and `ngx_shm_free` with one backend.
//!
//! `src/shmem/backends` lists the backends, the best first, each with the
//! feature that it needs. `build.rs` chooses the first one whose feature the
//! probes found, and writes what is included below: a `mod` for each backend,
//! and a `pub use` of the chosen one's `alloc` and `free`. All backends are
//! compiled, so that an error in one shows on every system.

pub mod huge_pages;
mod mapping;

include!(concat!(env!("OUT_DIR"), "/shmem_backends.rs"));
