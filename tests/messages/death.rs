use ngx_ipc::message::event::Event;
use ngx_ipc::message::letter::Target;
use ngx_ipc::message::peers::Heritage;
use ngx_ipc::message::taken::Cause;

use super::world::{CONTROL, DATA, SMALL, World, events, fill, messages, payload, to};

#[test]
fn a_successor_gets_what_its_predecessor_has_not_taken() {
    let world = World::new(SMALL);
    let (mut a, mut b) = (world.start(0), world.start(1));

    for number in 0..10 {
        a.send(to(1), DATA, &payload(number, 700)).unwrap();
    }

    let mut turn = b.turn(5, 0);
    let got = std::iter::from_fn(|| b.next(&mut turn))
        .filter(|event| matches!(event, Event::Message(_)))
        .count();

    // The first event says that the sender is up.
    assert_eq!(got, 4);
    world.kill(b, Heritage::Successor);

    // This waits for the successor.
    a.send(to(1), DATA, &payload(10, 700)).unwrap();

    let mut b = world.start(1);
    let got: Vec<_> = messages(&mut b)
        .into_iter()
        .map(|(_, bytes)| bytes)
        .collect();

    assert_eq!(
        got,
        (4..=10)
            .map(|number| payload(number, 700))
            .collect::<Vec<_>>()
    );
    world.assert_nothing_lost();
}

#[test]
fn a_message_that_was_being_handled_is_a_gap() {
    let world = World::new(SMALL);
    let (mut a, mut b) = (world.start(0), world.start(1));

    a.send(to(1), DATA, b"deadly").unwrap();
    a.send(to(1), DATA, b"next").unwrap();

    let mut turn = b.turn(2, 0);

    assert!(matches!(b.next(&mut turn), Some(Event::Up(_))));

    let Some(Event::Message(message)) = b.next(&mut turn) else {
        panic!("no message");
    };

    world.kill(b, Heritage::Successor);

    let mut b = world.start(1);
    let events = events(&mut b);
    let [Event::Up(up), Event::Gap(gap), Event::Message(next)] = events[..] else {
        panic!("{events:?}");
    };

    assert_eq!(
        (gap.cause, gap.number, gap.count),
        (Cause::Handling, message.number, 1)
    );
    assert_eq!(
        (up.incarnation, gap.incarnation, next.incarnation),
        (1, 1, 1)
    );
}

/// The incarnations of the senders of all messages and gaps.
fn incarnations(events: &[Event]) -> Vec<u32> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Message(message) => Some(message.incarnation),
            Event::Gap(gap) => Some(gap.incarnation),
            _ => None,
        })
        .collect()
}

#[test]
fn a_successor_knows_which_incarnations_have_sent_what_it_finds() {
    let world = World::new(SMALL);
    let (mut a, mut b) = (world.start(0), world.start(1));

    // The predecessor has read the record that names the first sender.
    for _ in 0..3 {
        a.send(to(1), DATA, &payload(1, 100)).unwrap();
    }

    let mut turn = b.turn(2, 0);

    assert!(matches!(b.next(&mut turn), Some(Event::Up(_))));
    assert!(matches!(b.next(&mut turn), Some(Event::Message(_))));
    world.kill(a, Heritage::Successor);

    let mut a = world.start(0);

    for _ in 0..2 {
        a.send(to(1), DATA, &payload(2, 1500)).unwrap();
    }

    // It dies while it handles the first message.
    world.kill(b, Heritage::Successor);

    let mut b = world.start(1);

    assert_eq!(incarnations(&events(&mut b)), [1, 1, 1, 2, 2]);

    // All was read, and the sender goes on in the same chunk, and in a lane that
    // it opens again.
    world.kill(b, Heritage::Successor);

    let mut b = world.start(1);

    a.send(to(1), DATA, b"in the chunk").unwrap();
    assert_eq!(incarnations(&events(&mut b)), [2]);

    a.tidy(0);
    events(&mut b);
    world.kill(b, Heritage::Successor);

    let mut b = world.start(1);

    a.send(to(1), DATA, b"in another chunk").unwrap();
    assert_eq!(incarnations(&events(&mut b)), [2]);
}

#[test]
fn a_stranger_gets_nothing_of_its_predecessor() {
    let world = World::new(SMALL);
    let (mut a, b) = (world.start(0), world.start(1));

    a.send(to(1), DATA, b"small").unwrap();
    a.send(to(1), DATA, &payload(1, 9000)).unwrap();
    world.kill(b, Heritage::Stranger);
    assert!(a.send(to(1), DATA, b"").is_err());

    let mut b = world.start_as(1, Heritage::Stranger);

    a.send(to(1), DATA, b"for you").unwrap();

    let events = events(&mut b);
    let gaps = events.iter().filter(|event| {
        matches!(event, Event::Gap(gap) if gap.cause == Cause::ForAnother && gap.count == 1)
    });

    assert_eq!(gaps.count(), 2);
    assert_eq!(
        events
            .iter()
            .filter(|event| matches!(event, Event::Message(_)))
            .count(),
        1
    );
    world.assert_nothing_lost();
}

#[test]
fn a_message_for_one_incarnation_is_not_given_to_the_next() {
    let world = World::new(SMALL);
    let (mut a, b) = (world.start(0), world.start(1));
    let exact = Target {
        slot: 1,
        incarnation: Some(1),
    };

    a.send(exact, DATA, b"secret").unwrap();
    a.send(to(1), DATA, b"public").unwrap();
    world.kill(b, Heritage::Successor);

    let got = messages(&mut world.start(1));

    assert_eq!(got.len(), 1);
    assert_eq!(got[0].1, b"public");
}

#[test]
fn a_successor_continues_the_lanes_of_a_dead_sender() {
    let world = World::new(SMALL);
    let (mut a, mut b) = (world.start(0), world.start(1));
    let mut expected = Vec::new();

    for round in 0..12 {
        for number in 0..round % 4 {
            let bytes = payload(round + number, 900 + number);

            a.send(to(1), DATA, &bytes).unwrap();
            expected.push(bytes);
        }

        if round % 5 == 4 {
            // It dies with a reservation.
            let _ = a.reserve(to(1), DATA, 5000);
        }

        world.kill(a, Heritage::Successor);
        world.assert_nothing_lost();
        a = world.start(0);

        if round % 3 == 0 {
            a.tidy(0);
        }

        let got: Vec<_> = messages(&mut b)
            .into_iter()
            .map(|(_, bytes)| bytes)
            .collect();

        assert_eq!(got, expected, "{round}");
        expected.clear();
    }
}

/// The receiver has not followed the sender to the new chunk when the sender
/// dies.
#[test]
fn a_successor_continues_a_lane_that_was_opened_again() {
    let world = World::new(SMALL);
    let (mut a, mut b) = (world.start(0), world.start(1));

    a.send(to(1), DATA, b"first").unwrap();
    assert_eq!(messages(&mut b).len(), 1);
    a.tidy(0);
    assert_eq!(messages(&mut b).len(), 0);
    a.send(to(1), DATA, b"second").unwrap();
    world.kill(a, Heritage::Successor);

    let mut a = world.start(0);

    a.send(to(1), DATA, b"third").unwrap();

    let events = events(&mut b);

    assert_eq!(
        texts(&events),
        ["message 1", "down 1", "up 2", "message 2"],
        "{events:?}"
    );
    world.assert_nothing_lost();
}

#[test]
fn a_receiver_learns_of_a_death_after_the_last_message() {
    let world = World::new(SMALL);
    let (mut a, mut b) = (world.start(0), world.start(1));

    a.send(to(1), DATA, b"last").unwrap();
    world.kill(a, Heritage::Stranger);

    let mut seen = events(&mut b);

    assert!(!b.prepare_sleep());
    seen.extend(events(&mut b));

    assert_eq!(texts(&seen), ["up 1", "message 1", "down 1"]);
    assert!(b.prepare_sleep());
}

/// What each event says, and of which incarnation.
fn texts(events: &[Event]) -> Vec<String> {
    let text = |event: &Event| match event {
        Event::Up(sender) => format!("up {}", sender.incarnation),
        Event::Down(sender) => format!("down {}", sender.incarnation),
        Event::Message(message) => format!("message {}", message.incarnation),
        other => format!("{other:?}"),
    };

    events.iter().map(text).collect()
}

#[test]
fn a_sender_is_up_and_down_once_for_both_lanes() {
    let world = World::new(SMALL);
    let (mut a, mut b) = (world.start(0), world.start(1));

    a.send(to(1), DATA, b"data").unwrap();

    let mut seen = events(&mut b);

    a.send(to(1), CONTROL, b"control").unwrap();
    a.send(to(1), DATA, b"data").unwrap();
    world.kill(a, Heritage::Stranger);

    while !b.prepare_sleep() {
        seen.extend(events(&mut b));
    }

    assert_eq!(
        texts(&seen),
        ["up 1", "message 1", "message 1", "message 1", "down 1"]
    );
}

/// A control lane comes before a data lane, but the data of a dead process comes
/// before the control messages of its successor.
#[test]
fn a_successor_is_up_after_the_last_message_of_its_predecessor() {
    let world = World::new(SMALL);
    let (mut a, mut b) = (world.start(0), world.start(1));

    a.send(to(1), CONTROL, b"control").unwrap();

    let mut seen = events(&mut b);

    a.send(to(1), DATA, b"old").unwrap();
    a.send(to(1), DATA, b"old").unwrap();
    world.kill(a, Heritage::Successor);

    let mut a = world.start(0);

    a.send(to(1), CONTROL, b"new").unwrap();
    a.send(to(1), DATA, b"new").unwrap();

    while !b.prepare_sleep() {
        seen.extend(events(&mut b));
    }

    assert_eq!(
        texts(&seen),
        [
            "up 1",
            "message 1",
            "message 1",
            "message 1",
            "down 1",
            "up 2",
            "message 2",
            "message 2"
        ]
    );
    world.kill(a, Heritage::Successor);

    // A second successor that sends nothing: the death is reported too.
    let _a = world.start(0);

    assert!(!b.prepare_sleep());
    assert_eq!(texts(&events(&mut b)), ["down 2"]);
    assert!(b.prepare_sleep());
}

#[test]
fn a_dead_sender_and_a_dead_receiver_leave_no_shared_block() {
    let world = World::new(SMALL);
    let (mut a, b, mut c) = (world.start(0), world.start(1), world.start(2));
    let bytes = payload(1, 9000);

    a.broadcast([to(1), to(2)], DATA, &bytes, |_, _| panic!());
    assert_eq!(messages(&mut c).len(), 1);
    world.kill(a, Heritage::Successor);

    let mut a = world.start(0);

    a.tidy(9);
    assert_ne!(world.verify().shared, 0);
    world.kill(b, Heritage::Successor);
    a.tidy(9);
    assert_ne!(world.verify().shared, 0);

    let mut b = world.start(1);

    assert!(messages(&mut b)[0].1 == bytes);
    a.tidy(9);
    assert_eq!(world.assert_nothing_lost().shared, 0);

    // A receiver without a successor does not keep the block.
    a.broadcast([to(1)], DATA, &bytes, |_, _| panic!());
    world.kill(b, Heritage::Stranger);
    a.tidy(9);
    assert_eq!(world.verify().shared, 0);
}

#[test]
fn senders_that_wait_for_a_dead_receiver_are_told() {
    let world = World::new(SMALL);
    let (mut a, b) = (world.start(0), world.start(1));

    fill(&mut a, to(1), DATA, &[0; 1000]);
    world.kill(b, Heritage::Stranger);
    assert_eq!(events(&mut a), [Event::Room(1)]);

    // It does not wait any more.
    let mut b = world.start_as(1, Heritage::Stranger);

    a.send(to(1), DATA, b"message").unwrap();
    assert_eq!(messages(&mut b).len(), 1);
    world.kill(b, Heritage::Stranger);
    assert_eq!(events(&mut a), [Event::Looked(1)]);
}
