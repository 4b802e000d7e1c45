//! Tests of the time that comes with some messages, and of the counters of lanes
//! whose processes were killed.

use ngx_ipc::message::event::Event;
use ngx_ipc::message::layout::{Class, Sizes};
use ngx_ipc::message::memory::Memory;
use ngx_ipc::message::peers::Heritage;
use ngx_ipc::message::statistics::{Statistics, statistics};
use ngx_ipc::message::taken::Cause;

use super::world::{CONTROL, DATA, Process, SMALL, TIMED, World, messages, payload, to};

/// The times of all messages that have arrived.
fn times(process: &mut Process) -> Vec<Option<u64>> {
    let mut turn = process.turn(u32::MAX, 0);
    let mut found = Vec::new();

    while let Some(event) = process.next(&mut turn) {
        if let Event::Message(_) = event {
            found.push(process.take_time());
            assert_eq!(process.take_time(), None);
        }
    }

    found
}

#[test]
fn a_time_belongs_to_its_message() {
    const LENGTHS: [usize; 8] = [0, 1, 16, 900, 4048, 4065, 9000, 16];

    let world = World::new(Sizes {
        chunks: 32,
        quota: 20,
        ..SMALL
    });
    let (mut a, mut b) = (world.start(0), world.start(1));

    for len in LENGTHS {
        let start = (&world.memory).now();

        for letter in [DATA, TIMED, DATA] {
            a.send(to(1), letter, &payload(len, len)).unwrap();
        }

        let end = (&world.memory).now();
        let found = times(&mut b);

        assert_eq!(found.len(), 3);
        assert_eq!((found[0], found[2]), (None, None), "{len}");
        assert!(
            found[1].is_some_and(|time| (start..=end).contains(&time)),
            "{len}: {found:?}"
        );
    }

    world.assert_nothing_lost();
}

#[test]
fn payloads_with_a_time_are_whole() {
    let world = World::new(SMALL);
    let (mut a, mut b) = (world.start(0), world.start(1));

    for len in (0..10_000).step_by(237) {
        a.send(to(1), TIMED, &payload(len, len)).unwrap();
        a.broadcast([to(1)], TIMED, &payload(len + 1, len), |_, _| panic!());

        let got = messages(&mut b);

        assert!(got[0].1 == payload(len, len), "{len}");
        assert!(got[1].1 == payload(len + 1, len), "{len}");
    }

    a.tidy(9);
    assert_eq!(world.assert_nothing_lost().shared, 0);
}

/// The receiver finds the time before the sender has committed the message.
#[test]
fn a_time_that_comes_first_belongs_to_its_message() {
    let world = World::new(SMALL);
    let (mut a, mut b) = (world.start(0), world.start(1));

    for _ in 0..3 {
        a.send(to(1), DATA, b"x").unwrap();
    }

    let mut turn = b.turn(u32::MAX, 0);

    while !matches!(b.next(&mut turn), Some(Event::Message(message)) if message.number == 3) {}

    let reserved = a.reserve(to(1), TIMED, 8).unwrap();

    assert_eq!(b.next(&mut turn), None);
    a.commit(reserved, 8);
    assert!(matches!(times(&mut b)[..], [Some(_)]));
}

/// A receiver that did not ask for the time of a message does not get it with a later
/// one, which takes the short path.
#[test]
fn a_time_that_was_not_taken_is_not_that_of_the_next_message() {
    let world = World::new(SMALL);
    let (mut a, mut b) = (world.start(0), world.start(1));

    for letter in [DATA, TIMED, DATA] {
        a.send(to(1), letter, b"x").unwrap();
    }

    let mut turn = b.turn(u32::MAX, 0);
    let mut count = 0;

    while let Some(event) = b.next(&mut turn) {
        if let Event::Message(_) = event {
            count += 1;

            if count != 2 {
                assert_eq!(b.take_time(), None);
            }
        }
    }

    assert_eq!(count, 3);
}

/// A record that fills a chunk has no room for the time.
#[test]
fn the_largest_small_message_has_no_time() {
    let world = World::new(SMALL);
    let (mut a, mut b) = (world.start(0), world.start(1));

    a.send(to(1), TIMED, &payload(1, 4064)).unwrap();
    assert_eq!(times(&mut b), [None]);
    world.assert_nothing_lost();
}

#[test]
fn a_cancelled_message_leaves_no_time() {
    let world = World::new(SMALL);
    let (mut a, mut b) = (world.start(0), world.start(1));

    for len in [40, 9000] {
        let reserved = a.reserve(to(1), TIMED, len).unwrap();

        a.cancel(reserved);
        a.send(to(1), DATA, b"x").unwrap();
        assert_eq!(times(&mut b), [None]);
    }

    let reserved = a.reserve(to(1), TIMED, 9000).unwrap();

    a.commit(reserved, 8000);
    assert!(matches!(times(&mut b)[..], [Some(_)]));
    world.assert_nothing_lost();
}

#[test]
fn a_dead_sender_leaves_no_time() {
    let world = World::new(SMALL);
    let (mut a, mut b) = (world.start(0), world.start(1));

    // It dies before it commits.
    let _ = a.reserve(to(1), TIMED, 9000).unwrap();

    world.kill(a, Heritage::Successor);

    let mut a = world.start(0);

    a.send(to(1), DATA, b"x").unwrap();
    assert_eq!(times(&mut b), [None]);
    world.assert_nothing_lost();
}

fn counters(world: &World, class: Class) -> Statistics {
    let lane = ngx_ipc::message::layout::Lane {
        class,
        receiver: 1,
        sender: 0,
    };

    statistics(&world.memory, &world.layout, lane)
}

/// A message that was being handled is counted as lost, and the number of messages
/// that wait stays right.
#[test]
fn a_lost_message_does_not_hide_one_that_waits() {
    let world = World::new(SMALL);
    let (mut a, mut b) = (world.start(0), world.start(1));

    for _ in 0..3 {
        a.send(to(1), DATA, b"x").unwrap();
    }

    a.tidy(9);

    let mut turn = b.turn(9, 0);

    while !matches!(b.next(&mut turn), Some(Event::Message(_))) {}

    world.kill(b, Heritage::Successor);
    assert_eq!(counters(&world, Class::Data).waiting, 2);

    let mut b = world.start(1);
    let mut turn = b.turn(9, 0);

    while !matches!(b.next(&mut turn), Some(Event::Gap(gap)) if gap.cause == Cause::Handling) {}

    let found = counters(&world, Class::Data);

    assert_eq!((found.received, found.gaps, found.waiting), (1, 1, 2));
    assert_eq!(messages(&mut b).len(), 2);

    let found = counters(&world, Class::Data);

    assert_eq!((found.received, found.gaps, found.waiting), (3, 1, 0));
}

#[test]
fn a_lost_message_for_another_has_a_type() {
    let world = World::new(SMALL);
    let (mut a, b) = (world.start(0), world.start(1));

    a.send(to(1), CONTROL, b"x").unwrap();
    world.kill(b, Heritage::Stranger);

    let mut b = world.start_as(1, Heritage::Stranger);
    let mut turn = b.turn(9, 0);
    let gap = std::iter::from_fn(|| b.next(&mut turn)).find_map(|event| match event {
        Event::Gap(gap) => Some(gap),
        _ => None,
    });

    assert_eq!(
        gap.map(|gap| (gap.cause, gap.message_type)),
        Some((Cause::ForAnother, Some(CONTROL.message_type)))
    );
}

/// A sender that is killed has not published what it has sent. Its successor finds
/// out.
#[test]
fn a_successor_continues_the_counters() {
    let world = World::new(SMALL);
    let (mut a, mut b) = (world.start(0), world.start(1));

    for _ in 0..5 {
        a.send(to(1), DATA, b"x").unwrap();
    }

    assert_eq!(messages(&mut b).len(), 5);

    for _ in 0..4 {
        a.send(to(1), DATA, b"x").unwrap();
    }

    world.kill(a, Heritage::Successor);

    let mut a = world.start(0);

    a.send(to(1), DATA, b"x").unwrap();
    a.tidy(9);

    let found = counters(&world, Class::Data);

    assert_eq!((found.sent, found.received, found.waiting), (10, 5, 5));

    let deepest = found.deepest;

    assert_eq!(messages(&mut b).len(), 5);
    world.kill(a, Heritage::Successor);

    let mut a = world.start(0);

    a.send(to(1), DATA, b"x").unwrap();
    a.tidy(9);

    let found = counters(&world, Class::Data);

    assert_eq!((found.sent, found.waiting), (11, 1));
    assert!(found.deepest >= deepest && deepest >= 5, "{found:?}");
}

/// To read the counters of lanes that were never used touches no page of them.
#[test]
fn unused_lanes_are_not_touched() {
    let world = World::new(Sizes {
        slots: 256,
        ..SMALL
    });

    let _a = world.start(0);
    let before = world.resident();

    for sender in 0..256 {
        for receiver in 0..256 {
            for class in Class::ALL {
                let lane = ngx_ipc::message::layout::Lane {
                    class,
                    receiver,
                    sender,
                };

                assert_eq!(
                    statistics(&world.memory, &world.layout, lane),
                    Statistics::default()
                );
            }
        }
    }

    // The bitmaps of all slots have been read.
    assert!(world.resident() < before + 300, "{} KiB", world.resident());
}
