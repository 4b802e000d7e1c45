//! When a message that was received counts as handled, and when it does not yet.

use ngx_ipc::message::event::Message;
use ngx_ipc::messaging::exchange::Notice;
use ngx_ipc::messaging::presence::Change;

use super::replaced_world::{DATA, FIRST, HOSTILE, Process, Shared, address};

/// The length of a message that has chunks of its own.
const LEN: usize = 9000;

fn send(sender: &mut Process, byte: u8) {
    let sent = sender.send(address(HOSTILE), DATA, &[byte; LEN]);

    assert!(sent.is_ok());
}

fn is_whole(receiver: &mut Process, message: &Message, byte: u8) -> bool {
    let mut payload = vec![0; LEN];

    receiver.endpoint().copy_payload(message, &mut payload) == LEN
        && payload.iter().all(|&found| found == byte)
}

/// The turn ends after the receiver was told of the sender, and periodic work is due
/// before the next turn.
#[test]
fn periodic_work_leaves_a_message_that_is_not_told_yet_in_place() {
    let shared = Shared::new();
    let (mut sender, mut receiver) = (shared.start(1, FIRST), shared.start(HOSTILE, FIRST));

    receiver.watch();

    // All processes that run were reported.
    while receiver.next(&mut 8).is_some() {}

    let mut newer = shared.start(3, FIRST);

    send(&mut newer, 1);

    let notice = receiver.next(&mut 8);

    assert!(matches!(notice, Some(Notice::Change(Change::Up(up))) if up.slot == 3));
    receiver.end_turn();

    while receiver.next_deadline() != Some(0) {
        std::thread::yield_now();
    }

    receiver.tidy_if_due();

    for byte in 2..5 {
        send(&mut sender, byte);
    }

    let Some(Notice::Message(message, _)) = receiver.next(&mut 8) else {
        panic!("no message");
    };

    assert!(is_whole(&mut receiver, &message, 1));
    receiver.end_turn();
    assert!(receiver.tidy_if_due());

    for byte in 2..5 {
        let Some(Notice::Message(message, _)) = receiver.next(&mut 8) else {
            panic!("no message");
        };

        assert!(is_whole(&mut receiver, &message, byte));
    }
}

/// Whether a process that dies after it has called `next` for a message, and then again
/// with `left` notices, has left a message that it was handling.
fn leaves_a_message(left: Option<u32>) -> bool {
    let shared = Shared::new();
    let (mut sender, mut receiver) = (shared.start(1, FIRST), shared.start(HOSTILE, FIRST));

    send(&mut sender, 1);
    assert!(matches!(receiver.next(&mut 8), Some(Notice::Message(..))));

    if let Some(mut left) = left {
        assert!(receiver.next(&mut left).is_none());
    }

    let mut replacement = shared.replace();

    matches!(replacement.next(&mut 8), Some(Notice::Gap(..)))
}

#[test]
fn a_message_was_handled_when_the_turn_is_over() {
    assert!(leaves_a_message(None));
    assert!(!leaves_a_message(Some(0)));
    assert!(!leaves_a_message(Some(8)));
}
