//! nginx as the host. nginx's own `ngx_process_cycle.c` starts, signals and
//! reaps the processes, and nginx's event loop runs in them. This directory
//! connects both with the core.
//!
//! The code that depends on nginx's version, or on the layout of nginx's
//! structures, is in `nginx/ngx_ipc_host.c`, which nginx's own make compiles.

pub mod alarm;
pub mod channel;
pub mod described;
pub mod doorbell;
pub mod generation;
pub mod hooks;
pub mod kept_zone;
pub mod kept_zones;
pub mod loaded;
pub mod loaded_list;
pub mod message_conf;
pub mod message_loop;
pub mod on_signal;
mod shm_zone;
pub mod spawn;
pub mod type_room;
pub mod typed_zones;
pub mod types;
pub mod variables;
pub mod zone_copy;
mod zone_tag;
pub mod zones;
