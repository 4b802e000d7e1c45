//! When a receiver that has taken all messages pauses before it looks again.

use ngx_ipc::message::endpoint::Endpoint;
use ngx_ipc::message::identity::Identity;
use ngx_ipc::message::lineage::Lineage;
use ngx_ipc::message::peers::appoint;

use super::hostile_memory::Handle;
use super::world::{DATA, to};

type Process = Endpoint<Handle>;

fn start(memory: &Handle, slot: u32) -> Process {
    let identity = Identity::default();

    assert!(appoint(
        memory,
        &memory.0.layout,
        slot,
        identity,
        Lineage::stranger(1),
    ));
    Endpoint::attach(memory.clone(), slot).unwrap()
}

/// The number of pauses when a process has received a message, has then done
/// `reaction`, and looks for messages.
fn pauses(reaction: impl Fn(&mut Process)) -> u64 {
    let memory = Handle::new(1);
    let (mut sender, mut receiver) = (start(&memory, 0), start(&memory, 1));

    sender.send(to(1), DATA, b"question").unwrap();

    let mut turn = receiver.turn(10, 0);

    while receiver.next(&mut turn).is_some() {}

    reaction(&mut receiver);

    for _ in 0..10 {
        memory.begin();
        assert!(receiver.next(&mut receiver.turn(10, 0)).is_none());
    }

    memory.0.pauses.get()
}

#[test]
fn a_receiver_that_sends_nothing_pauses_once() {
    assert_eq!(pauses(|_| ()), 1);
}

#[test]
fn a_receiver_that_answers_does_not_pause() {
    assert_eq!(
        pauses(|process| process.send(to(0), DATA, b"a").unwrap()),
        0
    );

    assert_eq!(
        pauses(|process| {
            let place = process.reserve(to(0), DATA, 8).unwrap();

            process.commit(place, 8);
        }),
        0
    );

    assert_eq!(
        pauses(|process| {
            process.broadcast([to(0), to(2)], DATA, b"a", |_, _| ());
        }),
        0
    );
}

/// A turn is over although more messages wait: the receiver has not taken all of them.
#[test]
fn a_receiver_whose_turn_is_over_does_not_pause() {
    let memory = Handle::new(1);
    let (mut sender, mut receiver) = (start(&memory, 0), start(&memory, 1));

    for _ in 0..40 {
        sender.send(to(1), DATA, b"one of many").unwrap();
    }

    let mut got = 0;

    // The first turn also has the event that the sender is up.
    for _ in 0..4 {
        let mut turn = receiver.turn(10, 0);

        while receiver.next(&mut turn).is_some() {
            got += 1;
        }
    }

    assert_eq!(got, 40);
    assert_eq!(memory.0.pauses.get(), 0);
}
