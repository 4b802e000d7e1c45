//! What a process does about a message that was lost, or that could not be sent.

use std::mem::offset_of;
use std::sync::atomic::Ordering::Relaxed;

use ngx_ipc::message::lane;
use ngx_ipc::message::layout::{Class, Lane, Slot};
use ngx_ipc::message::memory::Memory;
use ngx_ipc::message::words::Place;
use ngx_ipc::messaging::address::Set;
use ngx_ipc::messaging::exchange::Notice;
use ngx_ipc::messaging::kind::Kind;
use ngx_ipc::messaging::retained;

use super::replaced_world::{DATA, FIRST, HOSTILE, Process, Shared, address};

const SENDER: u32 = 1;
const WORKERS: Set = Set(Set::WORKERS);

/// A sender, and a receiver that has received its first message.
fn two(shared: &Shared) -> (Process<'_>, Process<'_>) {
    let (mut sender, mut receiver) = (shared.start(SENDER, FIRST), shared.start(HOSTILE, FIRST));

    sender.send(address(HOSTILE), DATA, b"first").unwrap();
    assert_eq!(take(&mut receiver), (1, 0));

    (sender, receiver)
}

/// The numbers of messages and of gaps that a process finds.
fn take(process: &mut Process) -> (u32, u32) {
    let (mut messages, mut gaps, mut left) = (0, 0, 100);

    while let Some(notice) = process.next(&mut left) {
        messages += u32::from(matches!(notice, Notice::Message(..)));
        gaps += u32::from(matches!(notice, Notice::Gap(..)));
    }

    (messages, gaps)
}

/// There is no record of the message for the receiver, which sleeps.
#[test]
fn a_process_that_a_kept_message_has_missed_is_woken_up() {
    let shared = Shared::new();
    let (mut sender, mut receiver) = two(&shared);
    let kept = Kind {
        retained: true,
        ..DATA
    };
    let sleep = shared.layout.slot(HOSTILE) + offset_of!(Slot, sleep);

    assert!(retained::add(&shared.board(), kept.number));
    assert!(receiver.prepare_sleep());
    assert_eq!(shared.load(sleep) & 1, 1);

    let reserved = sender.reserve(address(HOSTILE), DATA, 8).unwrap();
    let sent = sender.broadcast(WORKERS, kept, b"kept", |_, _| ());

    assert_eq!(sent, Ok(0));
    assert_eq!(shared.load(sleep) & 1, 0);
    assert!(receiver.take_kept(kept.number).unwrap().is_some());
    sender.endpoint().cancel(reserved);
}

/// A message with a key is overwritten. The next one with this key is sent.
#[test]
fn a_key_of_a_message_that_is_lost_is_free() {
    let shared = Shared::new();
    let (mut sender, mut receiver) = two(&shared);
    let once = Kind { once: true, ..DATA };
    let lane = Lane {
        class: Class::Data,
        receiver: HOSTILE,
        sender: SENDER,
    };
    let Place::Open(at) = lane::place(&shared.memory(), &shared.layout, lane) else {
        panic!("the lane is closed");
    };
    let send = |sender: &mut Process| sender.send_by_key(WORKERS, b"key", once, b"text").unwrap();

    send(&mut sender);
    (&shared.memory()).store(lane::offset(&shared.layout, lane, at), u64::MAX, Relaxed);
    assert_eq!(take(&mut receiver), (0, 0));

    // The sender opens the lane again.
    take(&mut sender);
    assert_eq!(take(&mut receiver), (0, 1));

    send(&mut sender);
    assert_eq!(take(&mut receiver), (1, 0));

    // Another one is dropped while this one waits.
    send(&mut sender);
    send(&mut sender);
    assert_eq!(take(&mut receiver), (1, 0));
}
