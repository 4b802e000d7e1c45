//! How the sender and the receiver of a lane repair single words that another process
//! has overwritten, and that no message shows to be damaged.

use std::mem::offset_of;
use std::sync::atomic::Ordering::Relaxed;

use ngx_ipc::message::event::Event;
use ngx_ipc::message::lane;
use ngx_ipc::message::layout::{Class, Lane, LaneHead, Layout};
use ngx_ipc::message::memory::Memory;
use ngx_ipc::message::peers::Heritage;
use ngx_ipc::message::words::{Owner, Place, Position, Use, pair};

use super::world::{CONTROL, DATA, LANE, Process, SMALL, World, events, fill, messages, to};

/// Two processes. The first one has sent a message, and the second one has received it.
fn two() -> (World, Process, Process) {
    let world = World::new(SMALL);
    let (mut a, mut b) = (world.start(0), world.start(1));

    a.send(to(1), DATA, b"first").unwrap();
    assert_eq!(messages(&mut b).len(), 1);

    (world, a, b)
}

fn position(world: &World) -> Position {
    match lane::place(&world.memory, &world.layout, LANE) {
        Place::Open(at) => at,
        other => panic!("{other:?}"),
    }
}

/// The periodic work of all processes, until idle lanes are closed.
fn tidy(processes: &mut [&mut Process], rounds: u32) {
    for _ in 0..10 {
        for process in &mut *processes {
            process.tidy(rounds);
            events(process);
        }
    }
}

fn is_free(world: &World) -> bool {
    let report = world.assert_nothing_lost();

    report.free == SMALL.slots * SMALL.chunks
}

/// The owner word of the chunk to which a sender writes says that it is free.
#[test]
fn a_sender_does_not_write_to_a_chunk_that_others_can_claim() {
    let (world, mut a, mut b) = two();
    let mut c = world.start(2);
    let at = world.layout.owner(1, position(&world).chunk);

    (&world.memory).store(at, 0, Relaxed);
    tidy(&mut [&mut a, &mut b], 100);

    // Each of them would write to the chunk.
    c.send(to(1), DATA, &[1; 3000]).unwrap();
    a.send(to(1), DATA, &[2; 3000]).unwrap();
    world.verify();

    let mut got: Vec<_> = messages(&mut b)
        .into_iter()
        .map(|(_, bytes)| bytes)
        .collect();

    got.sort();
    assert_eq!(got, [vec![1; 3000], vec![2; 3000]]);
}

/// The sender has closed the lane, and the receiver has not read that yet.
#[test]
fn a_receiver_of_a_closed_lane_continues() {
    for garbage in 0..4 {
        let (world, mut a, mut b) = two();
        let here = position(&world);

        a.tidy(0);
        a.tidy(0);

        // No round of periodic work has told the receiver yet.
        let close = lane::offset(&world.layout, LANE, here);
        let (at, value) = match garbage {
            0 => (close, 0),
            1 => (close, u64::MAX),
            2 => (close, 1),
            _ => (close, (&world.memory).load(close, Relaxed) ^ 1 << 48),
        };

        (&world.memory).store(at, value, Relaxed);
        tidy(&mut [&mut b, &mut a], 0);
        assert!(is_free(&world), "{garbage}");
        a.send(to(1), DATA, b"second").unwrap();
        assert_eq!(messages(&mut b).len(), 1, "{garbage}");
    }
}

/// A table of a shared block names a receiver whose slot has no process.
#[test]
fn a_slot_without_a_process_gets_no_chunk() {
    let world = World::new(SMALL);
    let a = world.start(0);
    let Layout { sizes, .. } = world.layout;
    let share = 5;
    let owner = Owner {
        usage: Use::Shared,
        control: false,
        slot: 0,
        incarnation: 1,
        number: share,
    };
    let chunk = sizes.chunks - 2;

    for chunk in chunk..sizes.chunks {
        (&world.memory).store(world.layout.owner(0, chunk), owner.pack(), Relaxed);
    }

    let entry = world.layout.chunk(0, chunk) + 3 * 8;

    (&world.memory).store(entry, pair(2, share | 1 << 31), Relaxed);
    world.kill(a, Heritage::Successor);

    let mut a = world.start(0);

    tidy(&mut [&mut a], 0);
    assert!(is_free(&world));
}

/// A receiver is replaced, and the words that say which incarnation has sent were
/// overwritten.
#[test]
fn a_replacement_finds_out_who_sends() {
    let (world, mut a, b) = two();
    let chunk = world.layout.chunk(1, position(&world).chunk);
    let at = world.layout.owner(1, position(&world).chunk);
    let owner = Owner {
        incarnation: 77,
        ..Owner::unpack((&world.memory).load(at, Relaxed)).unwrap()
    };

    // The chunk was claimed by another incarnation, and its first record is none.
    (&world.memory).store(at, owner.pack(), Relaxed);
    (&world.memory).store(chunk, u64::MAX, Relaxed);
    world.kill(b, Heritage::Successor);

    let mut b = world.start(1);

    tidy(&mut [&mut a, &mut b], 100);
    a.send(to(1), DATA, b"second").unwrap();

    let got = messages(&mut b);

    assert_eq!(got.last().map(|(message, _)| message.incarnation), Some(1));
}

/// The first record of the control lane says that another incarnation sends.
#[test]
fn a_wrong_incarnation_in_one_lane_does_not_harm_the_other() {
    let (world, mut a, mut b) = two();
    let lane = Lane {
        class: Class::Control,
        ..LANE
    };

    a.send(to(1), CONTROL, b"control").unwrap();

    let first = lane::first(&world.memory, &world.layout, lane).unwrap();
    let mark = lane::offset(&world.layout, lane, first.position()) + 8;

    (&world.memory).store(mark, pair(9, 0), Relaxed);

    let got = events(&mut b);

    assert!(
        got.iter()
            .any(|event| matches!(event, Event::Up(sender) if sender.incarnation == 9))
    );
    a.send(to(1), DATA, b"data").unwrap();

    let got = messages(&mut b);

    assert_eq!(got.last().map(|(message, _)| message.incarnation), Some(1));

    let done = world.layout.lane(LANE) + offset_of!(LaneHead, gaps);

    assert_eq!((&world.memory).load(done, Relaxed), 0);
}

/// A receiver is replaced while a sender has no room, and the header of the message that
/// is read next was overwritten.
#[test]
fn a_full_lane_with_a_hole_is_opened_again_for_a_replacement() {
    let (world, mut a, b) = two();

    fill(&mut a, to(1), DATA, &[0; 4064]);

    let header = lane::offset(&world.layout, LANE, position(&world));

    (&world.memory).store(header, 0, Relaxed);
    world.kill(b, Heritage::Successor);

    let mut b = world.start(1);

    tidy(&mut [&mut a, &mut b], 100);
    assert_eq!(a.send(to(1), DATA, b"second"), Ok(()));

    let got = messages(&mut b);

    assert_eq!(
        got.last().map(|(_, bytes)| &bytes[..]),
        Some(&b"second"[..])
    );
}
