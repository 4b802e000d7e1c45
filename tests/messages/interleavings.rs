//! All ways in which a few processes can run beside each other: two senders, a
//! receiver that falls asleep, a full pool, and a death at each step.

use ngx_ipc::message::endpoint::Endpoint;
use ngx_ipc::message::event::Event;
use ngx_ipc::message::identity::Identity;
use ngx_ipc::message::layout::{Layout, Sizes};
use ngx_ipc::message::letter::Refused;
use ngx_ipc::message::peers::{Heritage, appoint};
use ngx_ipc::message::recover::recover;
use ngx_ipc::message::verify::verify;

use super::model::{Cells, note, search, sleep};
use super::world::{DATA, lineage_of, to};

type Process = Endpoint<Cells>;

const RECEIVER: u32 = 2;
/// No limit for interruptions. Searches with three processes have a limit.
const ALL: u32 = u32::MAX;

struct Scene {
    layout: Layout,
    processes: Vec<Process>,
}

fn start(layout: &Layout, slot: u32) -> Process {
    let lineage = lineage_of(&Cells, layout, slot, Heritage::Successor);

    assert!(appoint(&Cells, layout, slot, Identity::default(), lineage));

    Endpoint::attach(Cells, slot).unwrap()
}

/// Senders in the slots 0 and 1, and a receiver, which have talked before.
fn scene(chunks: u32) -> Scene {
    let layout = Layout::new(Sizes {
        slots: 3,
        chunks,
        control_chunks: 0,
        quota: chunks,
    })
    .unwrap();

    layout.create(&Cells::new(layout.size()));

    let mut processes: Vec<Process> = (0..3).map(|slot| start(&layout, slot)).collect();

    for sender in &mut processes[..2] {
        sender
            .send(to(RECEIVER), DATA, &0_u64.to_ne_bytes())
            .unwrap();
    }

    assert_eq!(take(&mut processes[2]), [0, 0]);
    assert!(processes[2].prepare_sleep());
    processes[2].wake_up();

    Scene { layout, processes }
}

/// Takes what has arrived.
fn take(process: &mut Process) -> Vec<u64> {
    let mut turn = process.turn(100, 0);
    let mut got = Vec::new();

    while let Some(event) = process.next(&mut turn) {
        if let Event::Message(message) = event {
            let mut bytes = [0; 8];

            process.copy_payload(&message, &mut bytes);
            got.push(u64::from_ne_bytes(bytes));
        }
    }

    got
}

/// Takes what arrives, and sleeps in between.
fn receive_for_ever(mut process: Process) {
    loop {
        let mut turn = process.turn(100, 0);

        while let Some(event) = process.next(&mut turn) {
            if let Event::Message(message) = event {
                let mut bytes = [0; 8];

                // A process that dies from here on has not handled the message.
                process.copy_payload(&message, &mut bytes);
                note(u64::from_ne_bytes(bytes));
            }
        }

        if process.prepare_sleep() {
            sleep(RECEIVER);
            process.wake_up();
        }
    }
}

/// Sends a message; waits for room if there is none.
fn send(process: &mut Process, number: u64, len: usize) {
    let mut bytes = vec![0; len];

    bytes[..8].copy_from_slice(&number.to_ne_bytes());

    while let Err(refused) = process.send(to(RECEIVER), DATA, &bytes) {
        assert_eq!(refused, Refused::Again);

        loop {
            let mut turn = process.turn(1, 0);

            if let Some(Event::Room(_)) = process.next(&mut turn) {
                break;
            }

            if process.prepare_sleep() {
                sleep(process.member().slot);
                process.wake_up();
            }
        }
    }
}

#[test]
fn a_receiver_that_falls_asleep_is_woken() {
    let Scene { processes, .. } = scene(4);
    let sender = || send(&mut processes[0].clone(), 1, 8);
    let receiver = || receive_for_ever(processes[2].clone());
    let states = search(&[&sender, &receiver], None, ALL, |_, noted| {
        assert_eq!(noted[1], [1]);
    });

    println!("{states} states");
}

/// The bit of the sender is set when the search begins, so the sender only reads
/// it.
#[test]
fn a_busy_receiver_that_falls_asleep_is_woken() {
    let Scene { mut processes, .. } = scene(4);

    send(&mut processes[0], 1, 8);

    let sender = || send(&mut processes[0].clone(), 2, 8);
    let receiver = || receive_for_ever(processes[2].clone());
    let states = search(&[&sender, &receiver], None, ALL, |_, noted| {
        assert_eq!(noted[1], [1, 2]);
    });

    println!("{states} states");
}

/// Sends a message to two processes. The records are committed with plain stores, and
/// one fence comes after both.
fn broadcast(process: &mut Process, number: u64) {
    let bytes = number.to_ne_bytes();
    let result = process.broadcast([RECEIVER, 1].map(to), DATA, &bytes, |_, _| ());

    assert_eq!(result.sent, 2);
}

#[test]
fn a_broadcast_wakes_a_receiver_that_falls_asleep() {
    for before in [[].as_slice(), &[1]] {
        let Scene { mut processes, .. } = scene(4);

        processes[0].send(to(1), DATA, &[0; 8]).unwrap();

        // With a message before, the bit of the sender is set when the search begins.
        for &number in before {
            send(&mut processes[0], number, 8);
        }

        let sender = || broadcast(&mut processes[0].clone(), 2);
        let receiver = || receive_for_ever(processes[2].clone());
        let states = search(&[&sender, &receiver], None, ALL, |_, noted| {
            assert_eq!(noted[1], [before, &[2]].concat());
        });

        println!("{states} states");
    }
}

#[test]
fn two_senders_and_a_receiver() {
    let Scene { processes, .. } = scene(4);
    let first = || send(&mut processes[0].clone(), 1, 8);
    let second = || send(&mut processes[1].clone(), 2, 8);
    let receiver = || receive_for_ever(processes[2].clone());
    let states = search(&[&first, &second, &receiver], None, 2, |_, noted| {
        let mut got = noted[2].clone();

        got.sort_unstable();
        assert_eq!(got, [1, 2]);
    });

    println!("{states} states");
}

#[test]
fn a_sender_that_finds_no_room_is_told() {
    let Scene { mut processes, .. } = scene(2);

    // The two lanes have one chunk each; now the chunk of the first one is full.
    processes[0].send(to(RECEIVER), DATA, &[0; 4000]).unwrap();

    let sender = || send(&mut processes[0].clone(), 1, 8);
    // The other sender gives its chunk back.
    let other = || {
        processes[1].clone().tidy(0);
    };
    let receiver = || receive_for_ever(processes[2].clone());
    let states = search(&[&sender, &other, &receiver], None, 1, |_, noted| {
        assert_eq!(noted[2], [0, 1]);
    });

    println!("{states} states");
}

#[test]
fn a_sender_that_dies() {
    a_process_dies_that(|process| send(process, 1, 8));
    a_process_dies_that(|process| broadcast(process, 1));
}

fn a_process_dies_that(sends: impl Fn(&mut Process)) {
    let Scene {
        layout,
        mut processes,
    } = scene(4);

    processes[0].send(to(1), DATA, &[0; 8]).unwrap();

    let sender = || sends(&mut processes[0].clone());
    let receiver = || receive_for_ever(processes[2].clone());
    let states = search(&[&sender, &receiver], Some(0), ALL, |state, noted| {
        let mut got = noted[1].clone();

        if state.dead.is_some() {
            recover(&Cells, &layout, 0, 1, Heritage::Successor);

            let mut successor = start(&layout, 0);

            send(&mut successor, 3, 8);
            // The receiver is asleep in this state, and its own position is not
            // known here. Its successor continues at the same place.
            recover(&Cells, &layout, 2, 1, Heritage::Successor);
            got.extend(take(&mut start(&layout, 2)));
        } else {
            got.push(3);
        }

        let expected = [[3].as_slice(), &[1, 3]];

        assert!(expected.contains(&got.as_slice()), "{got:?}");
        assert_nothing_lost(&layout);
    });

    println!("{states} states");
}

#[test]
fn a_receiver_that_dies() {
    let Scene {
        layout,
        mut processes,
    } = scene(4);

    // The first message waits when the search begins.
    send(&mut processes[0], 1, 8);

    let sender = || send(&mut processes[0].clone(), 2, 8);
    let receiver = || receive_for_ever(processes[2].clone());
    let states = search(&[&sender, &receiver], Some(1), ALL, |state, noted| {
        let mut got = noted[1].clone();

        if state.dead.is_some() {
            recover(&Cells, &layout, 2, 1, Heritage::Successor);

            let mut successor = start(&layout, 2);
            let mut turn = successor.turn(100, 0);
            let mut gaps = 0;

            while let Some(event) = successor.next(&mut turn) {
                match event {
                    Event::Message(message) => {
                        let mut bytes = [0; 8];

                        successor.copy_payload(&message, &mut bytes);
                        got.push(u64::from_ne_bytes(bytes));
                    }
                    Event::Gap(_) => gaps += 1,
                    _ => (),
                }
            }

            // What is missing was being handled, and is reported.
            assert!(got.len() + gaps >= 2, "{got:?}");
            assert!(gaps <= 1);
            assert!(got.is_sorted() && got.iter().all(|number| [1, 2].contains(number)));
            got.dedup();
            assert!(got.len() + gaps >= 2, "a message came twice");
        } else {
            assert_eq!(got, [1, 2]);
        }

        assert_nothing_lost(&layout);
    });

    println!("{states} states");
}

fn assert_nothing_lost(layout: &Layout) {
    let report = verify(&Cells, layout).unwrap();

    assert_eq!(
        (
            report.wrong,
            report.claimed,
            report.passed,
            report.damaged_lanes
        ),
        (0, 0, 0, 0),
        "{report:?}"
    );
}

/// Takes what arrives as [`receive_for_ever`] does. A gap is noted as the number 99.
fn receive_with_gaps(mut process: Process) {
    loop {
        let mut turn = process.turn(100, 0);

        while let Some(event) = process.next(&mut turn) {
            match event {
                Event::Message(message) => {
                    let mut bytes = [0; 8];

                    process.copy_payload(&message, &mut bytes);
                    note(u64::from_ne_bytes(bytes));
                }
                Event::Gap(_) => note(99),
                _ => (),
            }
        }

        if process.prepare_sleep() {
            sleep(RECEIVER);
            process.wake_up();
        }
    }
}

/// The periodic work of a sender never opens a lane again whose receiver can continue.
#[test]
fn periodic_work_does_not_harm_a_receiver_that_works() {
    // The first chunk of the lane is left, or the lane is closed and opened again.
    periodic_work_does_not_harm(scene(4), &[4064], 100, 1);
    periodic_work_does_not_harm(scene(4), &[8], 0, 2);
}

/// The same for a receiver that has not looked at the lane since it was opened. Its place
/// can be before the first chunk when the work begins, and after it when the work ends.
#[test]
fn periodic_work_does_not_harm_a_receiver_that_begins() {
    let mut scene = scene(4);

    assert!(!scene.processes[0].tidy(0));
    assert!(take(&mut scene.processes[RECEIVER as usize]).is_empty());

    periodic_work_does_not_harm(scene, &[4000, 4000], 100, 1);
}

/// A sender has sent messages of these lengths. It does its periodic work and sends one
/// more, while the receiver takes them.
fn periodic_work_does_not_harm(scene: Scene, lens: &[usize], rounds: u32, times: u32) {
    let Scene { mut processes, .. } = scene;
    let numbers: Vec<u64> = (1..=lens.len() as u64 + 1).collect();
    let (&last, first) = numbers.split_last().unwrap();

    for (&number, &len) in first.iter().zip(lens) {
        send(&mut processes[0], number, len);
    }

    let sender = || {
        let mut process = processes[0].clone();

        for _ in 0..times {
            process.tidy(rounds);
        }

        send(&mut process, last, 8);
    };
    let receiver = || receive_with_gaps(processes[2].clone());
    let states = search(&[&sender, &receiver], None, 1, |_, noted| {
        assert_eq!(noted[1], numbers, "{lens:?}");
    });

    println!("{states} states");
}
