//! Each allocation of `src/message/` fails once. The operation then reports it
//! and changes nothing, or does its work without the memory, and it succeeds
//! when it is repeated.
//!
//! The test has a program of its own, because it replaces the allocator.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    unsafe_code
)]

#[path = "messages/world.rs"]
mod world;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;

use ngx_ipc::message::endpoint::{AttachError, Endpoint};
use ngx_ipc::message::identity::Identity;
use ngx_ipc::message::layout::Sizes;
use ngx_ipc::message::letter::Refused;
use ngx_ipc::message::memory::Memory;
use ngx_ipc::message::peers::Heritage;
use ngx_ipc::message::peers::appoint;
use ngx_ipc::message::verify::verify;

use world::{DATA, Process, World, events, lineage_of, messages, payload, to};

const SIZES: Sizes = Sizes {
    slots: 4,
    chunks: 16,
    control_chunks: 1,
    quota: 12,
};

thread_local! {
    /// How many allocations of this thread succeed before one fails; `None`: all.
    static LEFT: Cell<Option<u32>> = const { Cell::new(None) };
}

struct Failing;

fn fails() -> bool {
    let left = LEFT.try_with(|left| left.replace(left.get().and_then(|left| left.checked_sub(1))));

    left == Ok(Some(0))
}

// SAFETY: the methods call those of `System` with the same arguments, or return
// NULL, which says that there is no memory.
unsafe impl GlobalAlloc for Failing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if fails() {
            return ptr::null_mut();
        }

        // SAFETY: see above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if fails() {
            return ptr::null_mut();
        }

        // SAFETY: see above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if fails() {
            return ptr::null_mut();
        }

        // SAFETY: see above.
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: see above.
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Failing = Failing;

/// Runs `operation` while the allocation after the first `left` fails. Returns
/// its result, and whether one has failed.
fn without_memory<T>(left: u32, operation: impl FnOnce() -> T) -> (T, bool) {
    LEFT.set(Some(left));

    let result = operation();

    (result, LEFT.replace(None).is_none())
}

/// The bytes of the region, other than those of the chunks: free chunks can have
/// any contents.
fn region(world: &World) -> Vec<u8> {
    let mut bytes = vec![0; world.layout.chunk(0, 0)];

    (&world.memory).read(0, &mut bytes);
    bytes
}

/// Two processes.
struct Scene {
    world: World,
    a: Process,
    b: Process,
}

impl Scene {
    fn new() -> Self {
        let world = World::new(SIZES);
        let (a, b) = (world.start(0), world.start(1));

        Self { world, a, b }
    }
}

/// Prepares a scene, and does `operation` again and again, in each scene with
/// another allocation that fails. An operation that fails has changed nothing.
/// Returns the number of allocations.
fn check<T>(
    name: &str,
    prepare: impl Fn() -> Scene,
    operation: impl Fn(&mut Scene) -> Result<T, Refused>,
    judge: impl Fn(Scene),
) -> u32 {
    for left in 0.. {
        let mut scene = prepare();
        let before = region(&scene.world);
        let (result, has_failed) = without_memory(left, || operation(&mut scene));

        if let Err(refused) = result {
            assert_eq!(refused, Refused::NoMemory, "{name}, {left}");
            assert!(has_failed);
            assert!(region(&scene.world) == before, "{name}, {left}: changed");
            assert!(operation(&mut scene).is_ok(), "{name}, {left}: not again");
        }

        judge(scene);

        if !has_failed {
            println!("{name}: {left} allocations");
            return left;
        }
    }

    unreachable!()
}

/// The second process receives these messages, and all chunks are free in the
/// end.
fn receives(expected: &[Vec<u8>]) -> impl Fn(Scene) {
    move |mut scene| {
        let got: Vec<_> = messages(&mut scene.b)
            .into_iter()
            .map(|(_, bytes)| bytes)
            .collect();

        assert!(got == expected, "{} messages", got.len());

        for _ in 0..3 {
            scene.a.tidy(0);
            events(&mut scene.b);
            scene.b.tidy(0);
        }

        let report = scene.world.assert_nothing_lost();

        assert_eq!(report.free, SIZES.slots * SIZES.chunks, "{report:?}");
    }
}

#[test]
fn first_message() {
    let bytes = payload(1, 50);

    let allocations = check(
        "the first message",
        Scene::new,
        |scene| scene.a.send(to(1), DATA, &bytes),
        receives(&[payload(1, 50)]),
    );

    assert!(allocations > 0);
}

#[test]
fn large_message() {
    let bytes = payload(1, 9000);

    let allocations = check(
        "a large message",
        Scene::new,
        |scene| scene.a.send(to(1), DATA, &bytes),
        receives(&[payload(1, 9000)]),
    );

    assert!(allocations > 0);
}

#[test]
fn message_in_place() {
    let bytes = payload(1, 9000);

    let allocations = check(
        "a message in place",
        Scene::new,
        |scene| {
            let place = scene.a.reserve(to(1), DATA, 9000)?;

            (&scene.world.memory).write(place.payload(), &bytes);
            scene.a.commit(place, 9000);
            Ok(())
        },
        receives(&[payload(1, 9000)]),
    );

    assert!(allocations > 0);
}

/// The list of the chunks that wait must grow.
#[test]
fn next_chunk() {
    let bytes = payload(3, 3000);

    let allocations = check(
        "the next chunk",
        || {
            let mut scene = Scene::new();

            scene.a.send(to(1), DATA, &payload(0, 4000)).unwrap();
            scene.a.send(to(1), DATA, &payload(1, 3000)).unwrap();
            scene.a.send(to(1), DATA, &payload(2, 3000)).unwrap();
            scene
        },
        |scene| scene.a.send(to(1), DATA, &bytes),
        receives(&[
            payload(0, 4000),
            payload(1, 3000),
            payload(2, 3000),
            payload(3, 3000),
        ]),
    );

    assert!(allocations > 0);
}

#[test]
fn successor_of_a_sender() {
    let bytes = payload(2, 50);

    let allocations = check(
        "the first message of a successor",
        || {
            let mut scene = Scene::new();

            scene.a.send(to(1), DATA, &payload(0, 4000)).unwrap();
            scene.a.send(to(1), DATA, &payload(1, 9000)).unwrap();
            scene.world.kill(scene.a, Heritage::Successor);
            scene.a = scene.world.start(0);
            scene
        },
        |scene| scene.a.send(to(1), DATA, &bytes),
        receives(&[payload(0, 4000), payload(1, 9000), payload(2, 50)]),
    );

    assert!(allocations > 0);
}

#[test]
fn broadcast() {
    for len in [50, 9000] {
        let bytes = payload(1, len);

        let allocations = check(
            "a broadcast",
            Scene::new,
            |scene| {
                let mut missed = None;
                let result = scene.a.broadcast([to(1)], DATA, &bytes, |_, refused| {
                    missed = Some(refused);
                });

                assert_eq!(result.sent + result.missed, 1);
                missed.map_or(Ok(()), Err)
            },
            receives(&[payload(1, len)]),
        );

        assert!(allocations > 0);
    }
}

/// The memory for all lanes is there before the first message, so a message
/// arrives without memory.
#[test]
fn first_event() {
    let allocations = check(
        "to receive",
        || {
            let mut scene = Scene::new();

            scene.a.send(to(1), DATA, &payload(1, 50)).unwrap();
            scene
        },
        |scene| {
            let has_event = scene.b.next(&mut scene.b.turn(1, 0)).is_some();

            // A process that could not look at a lane does not sleep.
            assert!(has_event || !scene.b.prepare_sleep());
            has_event.then_some(()).ok_or(Refused::NoMemory)
        },
        receives(&[payload(1, 50)]),
    );

    assert_eq!(allocations, 0);
}

/// Work that is repeated later anyway does not fail.
#[test]
fn periodic_work() {
    let allocations = check(
        "the periodic work",
        || {
            let mut scene = Scene::new();

            scene.a.send(to(1), DATA, &payload(0, 4000)).unwrap();
            scene.a.send(to(1), DATA, &payload(1, 4000)).unwrap();
            scene.world.kill(scene.a, Heritage::Successor);
            scene.a = scene.world.start(0);
            scene
        },
        |scene| {
            scene.a.tidy(0);
            scene.b.tidy(0);
            Ok(())
        },
        receives(&[payload(0, 4000), payload(1, 4000)]),
    );

    assert!(allocations > 0);
}

#[test]
fn verifier() {
    let allocations = check(
        "the verifier",
        Scene::new,
        |scene| verify(&scene.world.memory, &scene.world.layout).or(Err(Refused::NoMemory)),
        receives(&[]),
    );

    assert!(allocations > 0);
}

/// A process begins to use its slot: the first one, and one whose predecessor has
/// left messages and blocks.
#[test]
fn attach() {
    for left in 0.. {
        let mut scene = Scene::new();
        let payloads = [payload(0, 9000), payload(1, 50)];

        for bytes in &payloads {
            scene
                .a
                .broadcast([to(1)], DATA, bytes, |_, refused| panic!("{refused:?}"));
        }

        scene.world.kill(scene.a, Heritage::Successor);

        let World { memory, layout } = scene.world;
        let identity = Identity::default();

        let lineage = lineage_of(&memory, &layout, 0, Heritage::Successor);

        assert!(appoint(&memory, &layout, 0, identity, lineage));

        let before = region(&scene.world);
        let (result, has_failed) = without_memory(left, || Endpoint::attach(memory, 0));

        scene.a = result.unwrap_or_else(|error| {
            assert_eq!(error, AttachError::NoMemory);
            assert!(region(&scene.world) == before, "{left}: changed");
            Endpoint::attach(memory, 0).unwrap()
        });

        receives(&payloads)(scene);

        if !has_failed {
            assert!(left > 5);
            return;
        }
    }
}
