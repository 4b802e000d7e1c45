//! Tests of large broadcasts whose sender is killed: the payload lies once, in the
//! sender's own pool.

use ngx_ipc::message::event::Event;
use ngx_ipc::message::layout::Sizes;
use ngx_ipc::message::letter::Refused;
use ngx_ipc::message::peers::Heritage;

use super::world::{DATA, Process, SMALL, World, events, payload, to};

/// The pool of the sender has room for two blocks.
const SIZES: Sizes = Sizes {
    chunks: 16,
    quota: 10,
    ..SMALL
};
const LEN: usize = 20_000;

/// The payloads of all messages that have arrived. No message was lost.
fn payloads(process: &mut Process) -> Vec<Vec<u8>> {
    let mut turn = process.turn(u32::MAX, 0);
    let mut found = Vec::new();

    while let Some(event) = process.next(&mut turn) {
        match event {
            Event::Message(message) => {
                let mut bytes = vec![0; message.len as usize];

                process.copy_payload(&message, &mut bytes);
                found.push(bytes);
            }
            Event::Gap(gap) => panic!("{gap:?}"),
            _ => (),
        }
    }

    found
}

fn broadcast(process: &mut Process, seed: usize) {
    let result = process.broadcast([1, 2, 3].map(to), DATA, &payload(seed, LEN), |_, why| {
        panic!("{why:?}")
    });

    assert_eq!(result.sent, 3);
}

/// The sender is killed when some receivers have taken the message. The next process in
/// its slot sends another one while the first one waits.
fn check(early: usize, heritage: Heritage) {
    let world = World::new(SIZES);
    let mut a = world.start(0);
    let mut receivers = [1, 2, 3].map(|slot| world.start(slot));

    broadcast(&mut a, 1);

    for receiver in &mut receivers[..early] {
        assert_eq!(payloads(receiver), [payload(1, LEN)]);
    }

    world.kill(a, heritage);
    world.assert_nothing_lost();

    let mut a = world.start_as(0, heritage);

    a.tidy(9);
    assert_eq!(world.assert_nothing_lost().shared != 0, early < 3);
    broadcast(&mut a, 2);
    a.tidy(9);

    for receiver in &mut receivers[..early] {
        assert_eq!(payloads(receiver), [payload(2, LEN)]);
    }

    for receiver in &mut receivers[early..] {
        assert_eq!(payloads(receiver), [payload(1, LEN), payload(2, LEN)]);
    }

    a.tidy(9);
    assert_eq!(world.assert_nothing_lost().shared, 0);
}

#[test]
fn a_broadcast_outlives_its_sender() {
    for early in 0..=3 {
        check(early, Heritage::Successor);
    }
}

/// Nothing replaces the sender, and its slot is vacant until another process gets it.
#[test]
fn a_broadcast_outlives_a_sender_without_a_successor() {
    for early in 0..=3 {
        check(early, Heritage::Stranger);
    }
}

/// The slot of the dead sender stays vacant.
#[test]
fn a_broadcast_is_received_from_a_vacant_slot() {
    let world = World::new(SIZES);
    let mut a = world.start(0);
    let mut receivers = [1, 2, 3].map(|slot| world.start(slot));

    broadcast(&mut a, 1);
    world.kill(a, Heritage::Stranger);

    for receiver in &mut receivers {
        for _ in 0..5 {
            receiver.tidy(0);
        }

        assert_eq!(payloads(receiver), [payload(1, LEN)]);
    }
}

/// The payloads of broadcasts take the room of the pool. When they are freed, a sender
/// that waits for room is told.
#[test]
fn a_sender_waits_for_the_room_of_broadcasts() {
    let world = World::new(SIZES);
    let mut a = world.start(0);
    let mut receivers = [1, 2, 3].map(|slot| world.start(slot));
    let large = payload(3, LEN);

    broadcast(&mut a, 1);
    broadcast(&mut a, 2);

    for receiver in &mut receivers {
        payloads(receiver);
    }

    assert_eq!(receivers[0].send(to(0), DATA, &large), Err(Refused::Again));
    assert_eq!(events(&mut receivers[0]), []);
    a.tidy(9);
    assert_eq!(events(&mut receivers[0]), [Event::Room(0)]);
    receivers[0].send(to(0), DATA, &large).unwrap();
    assert_eq!(payloads(&mut a), [large]);
}
