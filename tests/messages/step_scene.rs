//! The processes of the tests in `steps.rs` and `steps_fds.rs`, before a process is
//! killed or stopped.

use std::sync::atomic::Ordering::Relaxed;

use ngx_ipc::message::event::Event;
use ngx_ipc::message::layout::Sizes;
use ngx_ipc::message::memory::Memory;
use ngx_ipc::message::taken::Cause;

use super::switch::{Process, Switch};
use super::world::{DATA, to};

pub const SIZES: Sizes = Sizes {
    slots: 4,
    chunks: 12,
    control_chunks: 1,
    quota: 6,
};
/// The process that is killed, or the receiver of what it sends.
pub const ACTOR: u32 = 0;
pub const PEER: u32 = 1;
pub const OTHER: u32 = 2;
pub const MASTER: u32 = 3;

/// The payload of message `number`: its number, repeated.
pub fn text(number: u64, len: usize) -> Vec<u8> {
    number
        .to_ne_bytes()
        .into_iter()
        .cycle()
        .take(len.max(8))
        .collect()
}

/// What a process has received.
#[derive(Default, Debug)]
pub struct Got {
    pub numbers: Vec<(u32, u64)>,
    pub gaps: Vec<(u32, Cause)>,
}

impl Got {
    pub fn from(&self, sender: u32) -> Vec<u64> {
        self.numbers
            .iter()
            .filter(|(from, _)| *from == sender)
            .map(|(_, number)| *number)
            .collect()
    }
}

pub fn receive(process: &mut Process) -> Got {
    let mut turn = process.turn(10_000, 0);
    let mut got = Got::default();

    while let Some(event) = process.next(&mut turn) {
        match event {
            Event::Message(message) => {
                let mut bytes = vec![0; message.len as usize];

                process.copy_payload(&message, &mut bytes);

                let number = u64::from_ne_bytes(bytes[..8].try_into().unwrap());

                assert_eq!(bytes, text(number, bytes.len()), "a torn message");
                got.numbers.push((message.sender, number));
            }
            Event::Gap(gap) => got.gaps.push((gap.sender, gap.cause)),
            _ => (),
        }
    }

    got
}

/// The processes before the operation.
#[derive(Clone)]
pub struct Scene {
    pub switch: &'static Switch,
    pub actor: Process,
    pub peer: Process,
    pub other: Process,
    /// The messages of the actor that the peer has not received.
    pub waiting: Vec<u64>,
    /// The messages of the peer that the actor has not received.
    pub inbox: Vec<u64>,
}

impl Scene {
    pub fn new() -> Self {
        let switch = Switch::new(SIZES);
        let mut this = Self {
            switch,
            actor: switch.start(ACTOR),
            peer: switch.start(PEER),
            other: switch.start(OTHER),
            waiting: Vec::new(),
            inbox: Vec::new(),
        };

        switch.appoint(MASTER);
        this.other.send(to(PEER), DATA, &text(1000, 40)).unwrap();
        assert_eq!(receive(&mut this.peer).numbers.len(), 1);
        this
    }

    pub fn send(mut self, number: u64, len: usize) -> Self {
        self.actor.send(to(PEER), DATA, &text(number, len)).unwrap();
        self.waiting.push(number);
        self
    }

    pub fn receive_from_peer(mut self, number: u64, len: usize) -> Self {
        self.peer.send(to(ACTOR), DATA, &text(number, len)).unwrap();
        self.inbox.push(number);
        self
    }

    pub fn drained(mut self) -> Self {
        receive(&mut self.peer);
        self.waiting.clear();
        self
    }

    /// The actor handles its messages. They are not counted: this is before the
    /// operation.
    pub fn take_inbox(&mut self) {
        take(&mut self.actor, self.switch);
        self.inbox.clear();
        (&self.switch).store(handled_word(self.switch), 0, Relaxed);
    }
}

/// The offset of a word of the region that the messages do not use: the role of
/// the process in the last slot.
fn handled_word(switch: &'static Switch) -> usize {
    switch.layout.slot(MASTER) + std::mem::offset_of!(ngx_ipc::message::layout::Slot, role)
}

/// The number of messages that the actor has handled.
pub fn handled(switch: &'static Switch) -> u64 {
    (&switch).load(handled_word(switch), Relaxed)
}

/// Takes all messages, and counts each one that was returned.
pub fn take(process: &mut Process, switch: &'static Switch) {
    let mut turn = process.turn(100, 0);

    while let Some(event) = process.next(&mut turn) {
        if matches!(event, Event::Message(_)) {
            count(switch);
        }
    }
}

/// Counts a message that was returned.
pub fn count(switch: &'static Switch) {
    let count = (&switch).load(handled_word(switch), Relaxed);

    (&switch).store(handled_word(switch), count + 1, Relaxed);
}
