//! Tests of `src/message/`, the messages between processes in shared memory.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "messages/basics.rs"]
mod basics;
#[path = "messages/broadcasts.rs"]
mod broadcasts;
#[path = "messages/death.rs"]
mod death;
#[path = "messages/fuzz.rs"]
mod fuzz;
#[path = "messages/garbage.rs"]
mod garbage;
#[path = "messages/hostile.rs"]
mod hostile;
#[path = "messages/hostile_memory.rs"]
mod hostile_memory;
#[path = "messages/identity.rs"]
mod identity;
#[path = "messages/interleavings.rs"]
mod interleavings;
#[path = "messages/ledger.rs"]
mod ledger;
#[path = "messages/lost.rs"]
mod lost;
#[path = "messages/model.rs"]
mod model;
#[path = "messages/overwritten.rs"]
mod overwritten;
#[path = "messages/pauses.rs"]
mod pauses;
#[path = "messages/repairs.rs"]
mod repairs;
#[path = "messages/replaced.rs"]
mod replaced;
#[path = "messages/replaced_world.rs"]
mod replaced_world;
#[path = "messages/slots.rs"]
mod slots;
#[path = "messages/step_check.rs"]
mod step_check;
#[path = "messages/step_scene.rs"]
mod step_scene;
#[path = "messages/steps.rs"]
mod steps;
#[path = "messages/steps_fds.rs"]
mod steps_fds;
#[path = "messages/stress.rs"]
mod stress;
#[path = "messages/stress_worker.rs"]
mod stress_worker;
#[path = "messages/switch.rs"]
mod switch;
#[path = "messages/times.rs"]
mod times;
#[path = "messages/tracee.rs"]
mod tracee;
#[path = "messages/untold.rs"]
mod untold;
#[path = "messages/world.rs"]
mod world;
