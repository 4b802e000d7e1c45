use ngx_ipc::message::endpoint::{AttachError, Endpoint};
use ngx_ipc::message::event::Event;
use ngx_ipc::message::layout::{Class, Layout, Mismatch, Sizes, VERSION};
use ngx_ipc::message::letter::Refused;
use ngx_ipc::message::letter::Target;
use ngx_ipc::message::memory::Memory;
use ngx_ipc::message::statistics::statistics;
use std::sync::atomic::Ordering::Relaxed;

use super::world::{CONTROL, DATA, SMALL, World, events, fill, messages, payload, to};

/// Room for payloads of 1 MiB.
const LARGE: Sizes = Sizes {
    slots: 3,
    chunks: 600,
    control_chunks: 1,
    quota: 520,
};

#[test]
fn messages_of_all_small_sizes_arrive_in_order() {
    let world = World::new(SMALL);
    let (mut a, mut b) = (world.start(0), world.start(1));

    for len in (0..=4064).step_by(13).chain([4063, 4064]) {
        a.send(to(1), DATA, &payload(len, len)).unwrap();
        a.send(to(1), DATA, &payload(len + 1, len)).unwrap();

        let got = messages(&mut b);

        assert_eq!(got.len(), 2);
        assert_eq!(got[0].1, payload(len, len));
        assert_eq!(got[1].1, payload(len + 1, len));
        assert_eq!((got[0].0.sender, got[0].0.message_type), (0, 7));
    }

    let report = world.assert_nothing_lost();
    assert_eq!(report.linked, 1);
}

#[test]
fn a_process_can_send_to_itself() {
    let world = World::new(SMALL);
    let mut a = world.start(0);

    a.send(to(0), DATA, b"me").unwrap();
    assert_eq!(messages(&mut a)[0].1, b"me");
}

#[test]
fn large_messages_arrive_in_one_piece() {
    let world = World::new(LARGE);
    let (mut a, mut b) = (world.start(0), world.start(1));

    for len in [4065, 4096, 4097, 65_536, 1_048_575, 1_048_576] {
        a.send(to(1), DATA, &payload(len, len)).unwrap();
        a.send(to(1), DATA, b"small").unwrap();

        let got = messages(&mut b);

        assert_eq!(got.len(), 2);
        assert!(got[0].1 == payload(len, len), "{len}");
        assert_eq!(got[1].1, b"small");
        assert_eq!(world.assert_nothing_lost().linked, 1);
    }

    assert_eq!(
        a.send(to(1), DATA, &vec![0; 1_048_577]),
        Err(Refused::TooLarge)
    );
}

#[test]
fn a_payload_is_built_in_place() {
    let world = World::new(LARGE);
    let (mut a, mut b) = (world.start(0), world.start(1));

    for (reserved, used) in [(100, 60), (100_000, 5000), (100_000, 100_000), (8, 0)] {
        let spot = a.reserve(to(1), DATA, reserved).unwrap();

        assert_eq!(a.send(to(1), DATA, b"x"), Err(Refused::Reserved));
        world.memory.write(spot.payload(), &payload(9, used));
        a.commit(spot, used as u32);
        assert!(messages(&mut b)[0].1 == payload(9, used));
        world.assert_nothing_lost();
    }

    let spot = a.reserve(to(1), DATA, 100_000).unwrap();

    a.cancel(spot);
    a.send(to(1), DATA, b"next").unwrap();
    assert_eq!(messages(&mut b)[0].1, b"next");
    world.assert_nothing_lost();
}

#[test]
fn a_full_pool_says_so_and_says_when_there_is_room() {
    let world = World::new(SMALL);
    let (mut a, mut b, mut c) = (world.start(0), world.start(1), world.start(2));
    let sent = fill(&mut a, to(1), DATA, &[1; 990]);

    // The quota of the sender is 5 chunks; each has room for 4 such messages.
    assert_eq!(sent, 20);
    assert!(events(&mut a).is_empty());

    // Another sender still has its share.
    c.send(to(1), DATA, b"other").unwrap();

    let got = messages(&mut b);

    assert_eq!(got.len(), 21);
    assert_eq!(events(&mut a), [Event::Room(1)]);
    assert_eq!(fill(&mut a, to(1), DATA, &[1; 990]), 16);
    assert_eq!(messages(&mut b).len(), 16);
    world.assert_nothing_lost();
}

#[test]
fn control_messages_find_room_and_come_first() {
    let world = World::new(Sizes { quota: 8, ..SMALL });
    let (mut a, mut b) = (world.start(0), world.start(1));

    fill(&mut a, to(1), DATA, &[1; 990]);
    a.send(to(1), CONTROL, b"quit").unwrap();

    let got = messages(&mut b);

    assert_eq!(got[0].1, b"quit");
    assert_eq!(got.len(), 7 * 4 + 1);
}

#[test]
fn a_flood_does_not_delay_others_by_more_than_a_burst() {
    let world = World::new(SMALL);
    let (mut a, mut b, mut c) = (world.start(0), world.start(1), world.start(2));

    fill(&mut a, to(1), DATA, &[1; 100]);
    c.send(to(1), DATA, b"mine").unwrap();
    b.set_burst(4);

    let got = messages(&mut b);
    let place = got.iter().position(|(message, _)| message.sender == 2);

    assert!(place.unwrap() <= 4, "{place:?}");
}

#[test]
fn a_turn_is_bounded() {
    let world = World::new(SMALL);
    let (mut a, mut b) = (world.start(0), world.start(1));

    fill(&mut a, to(1), DATA, &[1; 100]);

    let mut turn = b.turn(10, 0);
    let got = std::iter::from_fn(|| b.next(&mut turn)).count();

    assert_eq!(got, 10);

    // A turn of 1 ns is over when the clock is read for the first time.
    let mut turn = b.turn(1000, 1);
    let got = std::iter::from_fn(|| b.next(&mut turn)).count();

    assert!(got < 16, "{got}");
}

#[test]
fn a_sleeping_receiver_is_woken_once() {
    let world = World::new(SMALL);
    let (mut a, mut b) = (world.start(0), world.start(1));
    let fd = world.memory.descriptor(1).unwrap();
    let is_readable = || {
        let mut poll = libc::pollfd {
            fd,
            events: libc::POLLIN,
            revents: 0,
        };

        // SAFETY: `poll` is one pollfd.
        #[allow(unsafe_code)]
        let ready = unsafe { libc::poll(&raw mut poll, 1, 0) };

        ready == 1
    };

    a.send(to(1), DATA, b"1").unwrap();
    assert!(!is_readable());
    assert!(!b.prepare_sleep());
    assert_eq!(messages(&mut b).len(), 1);
    assert!(b.prepare_sleep());
    a.send(to(1), DATA, b"2").unwrap();
    assert!(is_readable());
    world.memory.silence(1);

    // The receiver was woken up already, so the sender does not ring again.
    a.send(to(1), CONTROL, b"3").unwrap();
    assert!(!is_readable());
    b.wake_up();
    assert_eq!(messages(&mut b).len(), 2);
    assert!(b.prepare_sleep());
    b.wake_up();
}

#[test]
fn messages_to_vacant_slots_and_dead_incarnations_are_refused() {
    let world = World::new(SMALL);
    let (mut a, b) = (world.start(0), world.start(1));
    let exact = Target {
        slot: 1,
        incarnation: Some(1),
    };

    assert_eq!(a.send(to(2), DATA, b""), Err(Refused::Gone));
    assert_eq!(a.send(to(4), DATA, b""), Err(Refused::Gone));
    a.send(exact, DATA, b"").unwrap();
    drop(b);

    let _successor = world.start(1);

    assert_eq!(a.send(exact, DATA, b""), Err(Refused::Gone));
}

#[test]
fn idle_lanes_are_closed_and_opened_again() {
    let world = World::new(SMALL);
    let (mut a, mut b) = (world.start(0), world.start(1));

    for round in 0..20 {
        a.send(to(1), DATA, &payload(round, 50)).unwrap();

        // The receiver has not taken the message: the lane stays open.
        a.tidy(0);

        if round % 3 == 0 {
            a.send(to(1), DATA, b"again").unwrap();
        }

        let got = messages(&mut b);

        assert_eq!(got[0].1, payload(round, 50));
        a.tidy(0);

        if round % 2 == 0 {
            assert!(messages(&mut b).is_empty());
            assert_eq!(world.assert_nothing_lost().linked, 0);
        }
    }

    messages(&mut b);
    assert!(b.prepare_sleep());
}

#[test]
fn a_large_broadcast_lies_once() {
    let world = World::new(Sizes { slots: 8, ..LARGE });
    let mut a = world.start(0);
    let mut others: Vec<_> = (1..6).map(|slot| world.start(slot)).collect();
    let bytes = payload(3, 300_000);
    let mut missed = Vec::new();
    let result = a.broadcast((1..8).map(to), DATA, &bytes, |target, why| {
        missed.push((target.slot, why));
    });

    assert_eq!((result.sent, result.missed), (5, 2));
    assert_eq!(missed, [(6, Refused::Gone), (7, Refused::Gone)]);

    let report = world.verify();

    assert_eq!((report.shared, report.blocks), (1 + 74, 0));

    for (index, process) in others.iter_mut().enumerate() {
        a.tidy(9);
        assert_eq!(world.verify().shared, 75, "{index}");
        assert!(messages(process)[0].1 == bytes);
    }

    a.tidy(9);
    assert_eq!(world.assert_nothing_lost().shared, 0);
}

#[test]
fn a_broadcast_needs_no_room_of_its_own() {
    let world = World::new(SMALL);
    let (mut a, mut b, mut c) = (world.start(0), world.start(1), world.start(2));
    let bytes = payload(1, 10_000);

    // The first block takes 4 of the 7 chunks of the pool, so the second one has
    // no room.
    for _ in 0..2 {
        let result = a.broadcast([to(1), to(2)], DATA, &bytes, |_, why| panic!("{why:?}"));

        assert_eq!(result.sent, 2);
    }

    for process in [&mut b, &mut c] {
        let got = messages(process);

        assert_eq!(got.len(), 2);
        assert!(got.iter().all(|(_, found)| *found == bytes));
    }

    a.tidy(9);
    assert_eq!(world.assert_nothing_lost().shared, 0);
}

#[test]
fn another_version_is_refused() {
    let world = World::new(SMALL);

    world.start(0);
    world.memory.store(8, VERSION + 1, Relaxed);
    assert_eq!(
        Endpoint::attach(world.memory, 0).err(),
        Some(AttachError::Mismatch(Mismatch::Version(VERSION + 1)))
    );
    world.memory.store(8, VERSION, Relaxed);
    world.memory.store(24, 1 << 40, Relaxed);
    assert_eq!(Layout::attach(&world.memory), Err(Mismatch::Sizes));
    world.memory.store(0, 0, Relaxed);
    assert_eq!(Layout::attach(&world.memory), Err(Mismatch::NoRegion));
}

#[test]
fn a_region_for_512_processes_costs_little() {
    let sizes = Sizes::default();
    let world = World::new(sizes);
    let processes: Vec<_> = (0..sizes.slots).map(|slot| world.start(slot)).collect();

    assert_eq!(processes.len(), 512);

    let rss = world.resident();

    assert!(rss <= 20 * 1024, "{rss} kB");
}

#[test]
fn an_idle_pool_is_given_back() {
    let world = World::new(LARGE);
    let (mut a, mut b) = (world.start(0), world.start(1));

    a.send(to(1), DATA, &payload(1, 1_000_000)).unwrap();
    assert_eq!(messages(&mut b).len(), 1);
    assert!(world.resident() > 1000);

    for _ in 0..3 {
        a.tidy(1);
        messages(&mut b);
    }

    for _ in 0..11 {
        b.tidy(1);
    }

    assert!(world.resident() < 100, "{} KiB", world.resident());
    world.assert_nothing_lost();
    a.send(to(1), DATA, &payload(2, 100_000)).unwrap();
    assert!(messages(&mut b)[0].1 == payload(2, 100_000));
}

#[test]
fn lanes_are_counted() {
    let world = World::new(SMALL);
    let (mut a, mut b) = (world.start(0), world.start(1));
    let sent = fill(&mut a, to(1), DATA, &[1; 990]) as u64;
    let lane = b.member().from(Class::Data, 0);

    a.tidy(9);
    messages(&mut b);

    let found = statistics(&world.memory, &world.layout, lane);

    assert_eq!((found.sent, found.received), (sent, sent));
    assert_eq!((found.waiting, found.refused, found.gaps), (0, 1, 0));
    assert!(found.deepest >= 16, "{found:?}");
}

#[test]
fn a_large_broadcast_to_oneself_arrives() {
    let world = World::new(SMALL);
    let (mut a, mut b) = (world.start(0), world.start(1));
    let bytes = payload(3, 9000);

    a.broadcast([to(0), to(1)], DATA, &bytes, |_, _| panic!());

    for process in [&mut a, &mut b] {
        let got = messages(process);

        assert_eq!(got.len(), 1);
        assert!(got[0].1 == bytes);
    }

    a.tidy(9);
    assert_eq!(world.assert_nothing_lost().shared, 0);
}
