//! Tests of `src/zone/slab/`, the allocator of zones, and of transactions and their
//! structures.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "slab/damaged.rs"]
mod damaged;
#[path = "slab/looked_at.rs"]
mod looked_at;
#[path = "slab/model.rs"]
mod model;
#[path = "slab/pointers.rs"]
mod pointers;
#[path = "slab/states.rs"]
mod states;
#[path = "slab/steps.rs"]
mod steps;
#[path = "messages/tracee.rs"]
mod tracee;
#[path = "slab/transactions.rs"]
mod transactions;
#[path = "slab/transactions_model.rs"]
mod transactions_model;
#[path = "slab/tree_model.rs"]
mod tree_model;
#[path = "slab/zone.rs"]
mod zone;
