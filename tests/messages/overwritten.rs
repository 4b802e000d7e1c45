//! Single words of the region that a process has overwritten.

use std::mem::offset_of;
use std::sync::atomic::Ordering::Relaxed;

use ngx_ipc::message::endpoint::Endpoint;
use ngx_ipc::message::event::Event;
use ngx_ipc::message::identity::Identity;
use ngx_ipc::message::lane::{self, Found, look, offset};
use ngx_ipc::message::layout::{LaneHead, Layout, MAX_SLOTS, Sizes, Slot};
use ngx_ipc::message::mapped::Mapped;
use ngx_ipc::message::member::Member;
use ngx_ipc::message::memory::Memory;
use ngx_ipc::message::peers::{self, Heritage, State};
use ngx_ipc::message::recover::recover;
use ngx_ipc::message::words::{Owner, Place, Use, pair};

use super::hostile_memory::Handle;
use super::replaced_world::{FIRST, SIZES, Shared};
use super::world::{DATA, LANE, SMALL, World, events, messages, to};

/// The owner word of the last chunk says that the chunk is a shared block. With so many
/// slots, the table of a block is larger than a chunk.
#[test]
fn a_block_without_room_for_its_table_is_not_used() {
    let slots = MAX_SLOTS;
    let layout = Layout::new(Sizes { slots, ..SIZES }).unwrap();
    let region = Mapped::new(layout.size(), 0).unwrap();
    let owner = Owner {
        usage: Use::Shared,
        control: false,
        slot: slots - 1,
        incarnation: 1,
        number: 0,
    };
    let at = layout.owner(slots - 1, SIZES.chunks - 1);
    let lineage = FIRST.replacement();

    layout.create(&&region);
    (&region).store(at, owner.pack(), Relaxed);

    let mut process = Endpoint::begin(Member {
        memory: &region,
        layout,
        slot: slots - 1,
        incarnation: lineage.incarnation,
        line: lineage.line,
        identity: Identity::default(),
    })
    .unwrap();

    process.tidy(3);
    assert_eq!((&region).load(at, Relaxed), 0);
}

/// The number of the next process of a vacant slot is one that no process has had.
#[test]
fn a_vacant_slot_gets_a_later_incarnation() {
    let shared = Shared::new();
    let (memory, layout) = (shared.memory(), &shared.layout);
    let claim = |last| peers::claim(&memory, layout, 0, |slot| (slot == 1).then_some(last));
    let at = layout.slot(1) + offset_of!(Slot, state);

    for (found, last, next) in [
        (0, 0, 1),
        (0, 7, 8),
        (7, 7, 8),
        (9, 7, 10),
        (u32::MAX, 7, 8),
        (u32::MAX, 0, 1),
        (u32::MAX - 1, u32::MAX, 1),
    ] {
        memory.store(at, pair(State::Vacant as u32, found), Relaxed);
        assert_eq!(claim(last), Some((1, next)), "{found} {last}");
    }

    assert_eq!(claim(0), None);
}

/// The receiver of a lane says again and again that it stands at another record, while
/// the master looks which records wait. The last record is damaged.
#[test]
fn a_receiver_that_moves_back_and_forth_does_not_keep_the_master_busy() {
    let memory = Handle::new(1);
    let layout = memory.0.layout;
    let [mut sender, mut receiver] = [0, 1].map(|slot| {
        assert!(peers::appoint(
            &memory,
            &layout,
            slot,
            Identity::default(),
            FIRST
        ));

        Endpoint::attach(memory.clone(), slot).unwrap()
    });
    // The largest number of accesses for which there is a reason: two walks through a
    // full pool, with two accesses for each record, and the rest of the recovery.
    let most = 2 * 2 * u64::from(layout.sizes.chunks) * 256 + 2000;

    memory.0.most.set(u64::MAX);

    // All records have 16 bytes.
    while sender.send(to(1), DATA, b"").is_ok() {}

    assert!(receiver.next(&mut receiver.turn(1, 0)).is_some());

    let place = layout.lane(LANE) + offset_of!(LaneHead, place);
    let mut at = match Place::unpack(memory.load(place, Relaxed)) {
        Place::Open(at) => at,
        other => panic!("{other:?}"),
    };

    while let Found::Message(_, next) | Found::Link(next) = look(&memory, &layout, LANE, at) {
        at = next;
    }

    let last = offset(&layout, LANE, at);

    memory.store(last, u64::MAX, Relaxed);
    // A record and the next one.
    memory.0.flips.set((place, 1 | 1 << 48));
    memory.begin();
    memory.0.most.set(most);
    recover(&memory, &layout, 0, 1, Heritage::Successor);
}

/// Two senders write to one chunk, because its owner word was overwritten, and the
/// number of a record of one of them is that which the receiver expects from the other
/// one. The receiver does not take the record for a message of this other one, wherever
/// the record lies, and also if the receiver is a replacement.
#[test]
fn a_record_of_another_sender_is_not_taken() {
    const WRONG: u32 = 2;
    const N: usize = 3;

    for (index, is_replacement) in (0..N).flat_map(|n| [(n, false), (n, true)]) {
        let world = World::new(SMALL);
        let (mut receiver, mut sender) = (world.start(1), world.start(0));

        for text in [b"1", b"2", b"3"] {
            sender.send(to(1), DATA, text).unwrap();
        }

        let first = lane::first(&world.memory, &world.layout, LANE).unwrap();
        let records = std::iter::successors(Some(first.position()), |&at| {
            match look(&world.memory, &world.layout, LANE, at) {
                Found::Mark(_, next) | Found::Message(_, next) => Some(next),
                _ => None,
            }
        });
        // The first record is the mark.
        let at = records.skip(1).nth(index).unwrap();
        let second = offset(&world.layout, LANE, at) + 8;

        world
            .memory
            .store(second, pair(lane::addressee(1, WRONG), 0), Relaxed);

        if is_replacement {
            world.kill(receiver, Heritage::Successor);
            receiver = world.start(1);
        }

        let found: Vec<Vec<u8>> = messages(&mut receiver)
            .into_iter()
            .map(|(_, bytes)| bytes)
            .collect();
        let expected: Vec<Vec<u8>> = (0..N)
            .filter(|&n| n != index)
            .map(|n| vec![b'1' + n as u8])
            .collect();

        assert_eq!(found, expected, "{index} {is_replacement}");
    }
}

/// The mark of another sender does not say which process sends.
#[test]
fn a_mark_of_another_sender_is_not_taken() {
    let world = World::new(SMALL);
    let (mut receiver, mut sender) = (world.start(1), world.start(0));

    sender.send(to(1), DATA, b"1").unwrap();

    let first = lane::first(&world.memory, &world.layout, LANE).unwrap();
    let second = offset(&world.layout, LANE, first.position()) + 8;

    world.memory.store(second, pair(5, 2), Relaxed);

    // The owner word of the chunk says it, too.
    assert!(events(&mut receiver).iter().all(|event| match event {
        Event::Up(sender) => sender.incarnation == 1,
        event => !matches!(event, Event::Message(_)),
    }));
}
