//! Another process overwrites what a slot says of its process.

use std::mem::offset_of;
use std::sync::atomic::Ordering::Relaxed;

use ngx_ipc::message::event::Event;
use ngx_ipc::message::identity::Identity;
use ngx_ipc::message::layout::{MAX_SLOTS, RegionHead, Slot};
use ngx_ipc::message::lineage::Lineage;
use ngx_ipc::message::memory::Memory;
use ngx_ipc::message::peers::appoint;
use ngx_ipc::message::used;
use ngx_ipc::messaging::address::Set;

use super::replaced_world::{DATA as KIND, FIRST, Process as ReplacedProcess, Shared};
use super::world::{DATA, Process, SMALL, World, events, messages, to};

const USED: usize = offset_of!(RegionHead, used);
/// The offsets of the words of a slot that say what its process is.
const FIELDS: [usize; 7] = [
    offset_of!(Slot, worker),
    offset_of!(Slot, generation),
    offset_of!(Slot, role),
    offset_of!(Slot, master),
    offset_of!(Slot, place),
    offset_of!(Slot, line),
    offset_of!(Slot, seal),
];

fn identity() -> Identity {
    Identity {
        worker: Some(3),
        generation: 4,
        role: 5,
        master: (6, 7),
        place: Some(8),
    }
}

fn start(world: &World, slot: u32) -> Process {
    let World { memory, layout } = world;

    assert!(appoint(
        memory,
        layout,
        slot,
        identity(),
        Lineage::stranger(1)
    ));
    Process::attach(memory, slot).unwrap()
}

#[test]
fn an_overwritten_identity_is_unknown_until_its_process_writes_it_again() {
    let world = World::new(SMALL);
    let (mut a, mut b) = (start(&world, 0), start(&world, 1));

    for field in FIELDS {
        let at = world.layout.slot(1) + field;
        let whole = (&world.memory).load(at, Relaxed);

        assert_eq!(a.peer(1).unwrap().identity, identity());
        (&world.memory).store(at, whole + 1, Relaxed);
        assert!(a.peer(1).unwrap().identity.is_unknown(), "{field}");

        a.member().ask_for_identity(1);
        assert!(events(&mut b).contains(&Event::Looked(0)));
        assert_eq!(a.peer(1).unwrap().identity, identity(), "{field}");
        assert_eq!((&world.memory).load(at, Relaxed), whole);
    }

    // It works as before.
    a.send(to(1), DATA, b"message").unwrap();
    assert_eq!(messages(&mut b).len(), 1);
}

/// A program can use the place as an index of `ngx_processes`.
#[test]
fn an_identity_has_a_place_that_exists() {
    let world = World::new(SMALL);
    let World { memory, layout } = &world;
    let identity = |place| Identity {
        place: Some(place),
        ..identity()
    };
    let a = start(&world, 0);

    for (place, is_known) in [
        (MAX_SLOTS - 1, true),
        (MAX_SLOTS, false),
        (u32::MAX - 1, false),
    ] {
        appoint(memory, layout, 1, identity(place), Lineage::stranger(1));
        assert_ne!(
            a.peer(1).unwrap().identity.is_unknown(),
            is_known,
            "{place}"
        );
    }
}

#[test]
fn the_head_of_the_region_is_written_again() {
    let world = World::new(SMALL);
    let mut a = start(&world, 0);

    for at in (0..USED).step_by(8) {
        let whole = (&world.memory).load(at, Relaxed);

        (&world.memory).store(at, u64::MAX, Relaxed);
        assert!(Process::attach(world.memory, 0).is_err(), "{at}");

        // A process that was forked from one that knows the layout needs no head.
        assert!(Process::begin(a.member().clone()).is_ok());

        a.tidy(3);
        assert_eq!((&world.memory).load(at, Relaxed), whole, "{at}");
    }
}

/// Processes that run already find only slots before this number.
#[test]
fn each_process_makes_the_number_of_used_slots_large_enough() {
    let world = World::new(SMALL);
    let World { memory, layout } = &world;
    let mut processes = [2, 0, 1].map(|slot| start(&world, slot));

    assert_eq!(used::slots(memory, layout), 3);

    for (slot, process) in [2, 0, 1].into_iter().zip(&mut processes) {
        memory.store(USED, 0, Relaxed);
        process.tidy(3);
        assert_eq!(used::slots(memory, layout), slot + 1);
    }
}

/// Whatever the number of used slots is, each process finds the others, and makes the number
/// large enough.
#[test]
fn an_overwritten_number_of_used_slots_hides_no_process() {
    let shared = Shared::new();
    let memory = shared.memory();
    let workers = Set::new(Set::WORKERS).unwrap();
    let sent = |process: &mut ReplacedProcess| {
        process
            .broadcast(workers, KIND, b"text", |_, _| panic!())
            .unwrap()
    };
    let mut master = shared.start(0, FIRST);
    let _idle = shared.start(3, FIRST);

    for used in [4, 0, 1, u64::MAX] {
        memory.store(USED, used, Relaxed);
        assert_eq!(sent(&mut master), 1, "{used}");
        assert!(used::slots(&memory, &shared.layout) >= 4, "{used}");
    }

    memory.store(USED, 0, Relaxed);

    let mut new = shared.start(1, FIRST);

    assert_eq!(sent(&mut new), 1);
    assert_eq!(used::slots(&memory, &shared.layout), 4);
}
