//! A process that sends a message with a descriptor is killed at each instruction.
//!
//! The descriptor is in a datagram, which is sent before the record. So the state of
//! the others depends on the region and on the socket: the process is really killed
//! after each instruction that has changed one of them.

#![allow(unsafe_code)]

use std::fs::File;
use std::os::fd::{AsRawFd, RawFd};

use ngx_ipc::host::messages::descriptors;
use ngx_ipc::host::messages::label::Label;
use ngx_ipc::message::event::Event;
use ngx_ipc::message::letter::Letter;
use ngx_ipc::message::memory::Memory;
use ngx_ipc::messaging::kind::WITH_DESCRIPTORS;

use super::step_scene::{ACTOR, PEER, SIZES};
use super::switch::{LIVE, Process, Switch};
use super::tracee::Tracee;
use super::world::{DATA, to};

/// The sockets of this process.
fn sockets() -> Vec<RawFd> {
    std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let link = std::fs::read_link(entry.path()).ok()?;
            let is_socket = link.to_string_lossy().starts_with("socket:");

            is_socket.then(|| entry.file_name().to_str()?.parse().ok())?
        })
        .collect()
}

/// The number of bytes that wait in the sockets.
fn queued(sockets: &[RawFd]) -> i32 {
    sockets
        .iter()
        .map(|&fd| {
            let mut bytes = 0;

            // SAFETY: the kernel writes `bytes`, which is local.
            unsafe { libc::ioctl(fd, libc::FIONREAD, &raw mut bytes) };
            bytes
        })
        .sum()
}

/// Sends a message with a descriptor, as `ngx_ipc_message_send_fds()` does.
fn send(process: &mut Process, count: u32, fd: RawFd) {
    let label = Label::new(ACTOR, false, process.member().incarnation, count);
    let letter = Letter {
        user: label.number | WITH_DESCRIPTORS,
        ..DATA
    };

    let place = process.reserve(to(PEER), letter, 4).unwrap();

    process.member().memory.write(place.payload(), b"look");
    descriptors::send(PEER, label, &[fd]).unwrap();
    process.commit(place, 4);
}

/// Receives all messages of the peer. Each one has its descriptor. Returns their
/// number.
fn receive(process: &mut Process) -> usize {
    let mut turn = process.turn(100, 0);
    let mut count = 0;

    while let Some(event) = process.next(&mut turn) {
        let Event::Message(message) = event else {
            continue;
        };
        let label = Label {
            slot: message.sender,
            control: false,
            number: message.user & !WITH_DESCRIPTORS,
        };
        let arrived = descriptors::take(PEER, label).expect("the descriptor of a message");

        assert_eq!(arrived.iter().flatten().count(), 1);
        count += 1;
    }

    count
}

/// Runs a process until it has changed the region or what waits in the sockets, `count`
/// times. Returns false if it has exited before.
///
/// The number of instructions until a change differs, because it depends on what malloc()
/// has free.
fn change(tracee: &mut Tracee, switch: &Switch, sockets: &[RawFd], count: usize) -> bool {
    let mut now = Vec::new();
    let mut bytes = queued(sockets);
    let mut changes = 0;

    switch.changed(&mut now);

    while changes < count {
        if !tracee.step() {
            return false;
        }

        let is_changed = switch.changed(&mut now);
        let waiting = queued(sockets);

        changes += usize::from(is_changed || waiting != bytes);
        bytes = waiting;
    }

    true
}

#[test]
fn send_a_descriptor() {
    let null = File::open("/dev/null").unwrap();
    let switch = Switch::new(SIZES);
    let (actor, peer) = (switch.start(ACTOR), switch.start(PEER));

    descriptors::prepare(SIZES.slots as usize).unwrap();

    let sockets = sockets();
    let mut before = Vec::new();
    let mut orphans = 0;
    let mut arrived = 0;

    switch.changed(&mut before);

    for changes in 0.. {
        switch.restore(LIVE, &before);

        let mut actor = actor.clone();
        let fd = null.as_raw_fd();
        let mut tracee = Tracee::start(move || send(&mut actor, 0, fd));
        let mut peer = peer.clone();

        if !change(&mut tracee, switch, &sockets, changes) {
            assert_eq!(receive(&mut peer), 1);
            println!("{changes} changes, {orphans} with a datagram and no record");
            break;
        }

        tracee.kill();

        let has_datagram = queued(&sockets) > 0;
        let first = receive(&mut peer);

        switch.recover(ACTOR, 1);
        assert!(first + receive(&mut peer) <= 1, "{changes}");
        orphans += usize::from(has_datagram && first == 0);
        arrived += first;

        // The death is known, and all messages were received.
        descriptors::collect(PEER, |label| !label.is_by(1));
        descriptors::drop_stale();
        assert!(
            !descriptors::collect(PEER, |_| true),
            "{changes}: left open"
        );

        let mut successor = switch.start(ACTOR);

        for count in 0..3 {
            send(&mut successor, count, null.as_raw_fd());
        }

        assert_eq!(receive(&mut peer), 3, "{changes}");
        assert_eq!(queued(&sockets), 0, "{changes}");
    }

    assert!(orphans > 0, "no kill between the datagram and the record");
    assert!(arrived > 0, "no kill after the record");
}
