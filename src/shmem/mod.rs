//! Shared memory, `ngx_shm_alloc`, with the backend that the probes picked.

pub mod huge_pages;

#[cfg(ngx_shmem = "map_anon")]
mod map_anon;
#[cfg(ngx_shmem = "map_anon")]
pub use map_anon::alloc;

#[cfg(ngx_shmem = "map_devzero")]
mod map_devzero;
#[cfg(ngx_shmem = "map_devzero")]
pub use map_devzero::alloc;

#[cfg(ngx_shmem = "sysvshm")]
mod sysvshm;
#[cfg(ngx_shmem = "sysvshm")]
pub use sysvshm::{alloc, free};

#[cfg(not(ngx_shmem = "sysvshm"))]
mod mapping;
#[cfg(not(ngx_shmem = "sysvshm"))]
pub use mapping::free;
