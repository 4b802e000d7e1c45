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

#[test]
fn send_a_descriptor() {
    let null = File::open("/dev/null").unwrap();
    let switch = Switch::new(SIZES);
    let (actor, peer) = (switch.start(ACTOR), switch.start(PEER));

    descriptors::prepare(SIZES.slots as usize).unwrap();

    let sockets = sockets();
    let mut before = Vec::new();

    switch.changed(&mut before);

    let start = || {
        let mut actor = actor.clone();
        let fd = null.as_raw_fd();

        Tracee::start(move || send(&mut actor, 0, fd))
    };
    let mut tracee = start();
    let mut now = before.clone();
    let mut bytes = 0;
    let mut steps = 0;
    let mut places = vec![0];

    while tracee.step() {
        steps += 1;

        let is_changed = switch.changed(&mut now);

        if is_changed || queued(&sockets) != bytes {
            bytes = queued(&sockets);
            places.push(steps);
        }
    }

    assert!(bytes > 0, "no datagram");
    assert_eq!(receive(&mut peer.clone()), 1);

    let mut orphans = 0;

    for &place in &places {
        switch.restore(LIVE, &before);

        let mut tracee = start();
        let mut peer = peer.clone();

        for _ in 0..place {
            assert!(tracee.step(), "the steps differ");
        }

        tracee.kill();

        let has_datagram = queued(&sockets) > 0;
        let first = receive(&mut peer);

        switch.recover(ACTOR, 1);
        assert!(first + receive(&mut peer) <= 1, "{place}");
        orphans += usize::from(has_datagram && first == 0);

        // The death is known, and all messages were received.
        descriptors::collect(PEER, |label| !label.is_by(1));
        descriptors::drop_stale();
        assert!(!descriptors::collect(PEER, |_| true), "{place}: left open");

        let mut successor = switch.start(ACTOR);

        for count in 0..3 {
            send(&mut successor, count, null.as_raw_fd());
        }

        assert_eq!(receive(&mut peer), 3, "{place}");
        assert_eq!(queued(&sockets), 0, "{place}");
    }

    println!("descriptor: {steps} instructions, {} changes", places.len());
    assert!(orphans > 0, "no kill between the datagram and the record");
}
