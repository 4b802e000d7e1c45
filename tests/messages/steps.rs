//! A process is killed, or stopped, after each instruction of an operation. The
//! others go on, nothing is lost, and the successor continues.
//!
//! The process runs one instruction at a time. What the others find when it is
//! killed or stopped there depends on the region only. So after each instruction
//! that has changed the region, the others work on a copy of the region as it is
//! then. At some of these instructions they also work on the region itself, beside
//! the process that stands there, and after it was really killed.

use ngx_ipc::message::event::Event;
use ngx_ipc::message::letter::{Refused, Target};
use ngx_ipc::message::memory::Memory;

use super::step_check::check;
use super::step_scene::{ACTOR, OTHER, PEER, Scene, count, receive, take, text};
use super::world::{DATA, TIMED, to};

/// Sends message 100 with `len` bytes.
fn send(name: &str, scene: &Scene, len: usize) {
    let bytes = text(100, len);

    check(name, scene, &|process, _| {
        process.send(to(PEER), DATA, &bytes).unwrap();
    });
}

/// Sends message 100 with `len` bytes to two processes.
fn broadcast(name: &str, len: usize) {
    let bytes = text(100, len);

    check(name, &Scene::new().send(1, 60), &|process, _| {
        process.broadcast([to(PEER), to(OTHER)], DATA, &bytes, |_, _| ());
    });
}

#[test]
fn send_into_a_chunk() {
    send("send", &Scene::new().send(1, 60).send(2, 60), 50);
}

/// A reply is a message for one incarnation only.
#[test]
fn reply() {
    let bytes = text(100, 50);
    let scene = Scene::new().send(1, 60).receive_from_peer(1, 50);

    check("reply", &scene, &|process, switch| {
        let mut turn = process.turn(100, 0);
        let mut sender = None;

        while let Some(event) = process.next(&mut turn) {
            if let Event::Message(message) = event {
                sender = Some(Target {
                    slot: message.sender,
                    incarnation: Some(message.incarnation),
                });
                process.send(sender.unwrap(), DATA, &bytes).unwrap();
                count(switch);
            }
        }

        assert!(sender.is_some());
    });
}

/// A process gives the memory of its pool back that it does not need.
#[test]
fn give_memory_back() {
    let scene = Scene::new().receive_from_peer(1, 50);

    check("give back", &scene, &|process, _| {
        process.tidy(0);
    });
}

#[test]
fn send_opens_a_lane() {
    send("open", &Scene::new(), 50);
}

#[test]
fn send_extends_a_lane() {
    send("extend", &Scene::new().send(1, 4000), 50);
}

#[test]
fn send_to_a_sleeping_receiver() {
    let mut scene = Scene::new().send(1, 50).drained();

    assert!(scene.peer.prepare_sleep());
    send("wake up", &scene, 50);
}

#[test]
fn send_a_large_message() {
    send("large", &Scene::new().send(1, 60), 6000);
}

#[test]
fn send_with_the_time() {
    let bytes = text(100, 50);

    check("time", &Scene::new().send(1, 60), &|process, _| {
        process.send(to(PEER), TIMED, &bytes).unwrap();
    });
}

#[test]
fn send_a_large_message_with_the_time() {
    let bytes = text(100, 6000);

    check(
        "large and time",
        &Scene::new().send(1, 60),
        &|process, _| {
            process.send(to(PEER), TIMED, &bytes).unwrap();
        },
    );
}

#[test]
fn receive_the_time() {
    let mut scene = Scene::new();

    scene.peer.send(to(ACTOR), TIMED, &text(1, 50)).unwrap();
    scene.inbox.push(1);

    check("receive the time", &scene.receive_from_peer(2, 50), &take);
}

#[test]
fn cancel_with_the_time() {
    check("cancel a time", &Scene::new().send(1, 60), &|process, _| {
        let spot = process.reserve(to(PEER), TIMED, 9000).unwrap();

        process.cancel(spot);
    });
}

#[test]
fn send_and_find_no_room() {
    let scene = (1..=5).fold(Scene::new(), |scene, number| scene.send(number, 4000));

    let [first, second] = [100, 101].map(|number| text(number, 4000));

    check("no room", &scene, &|process, _| {
        let refused = process.send(to(PEER), DATA, &first);

        // One more chunk is within the quota.
        if refused.is_ok() {
            let refused = process.send(to(PEER), DATA, &second);

            assert_eq!(refused, Err(Refused::Again));
        }
    });
}

#[test]
fn reserve_and_cancel() {
    check("cancel", &Scene::new().send(1, 60), &|process, _| {
        let spot = process.reserve(to(PEER), DATA, 9000).unwrap();

        process.cancel(spot);
    });
}

#[test]
fn reserve_and_commit_less() {
    let bytes = text(100, 4200);

    check("shorten", &Scene::new().send(1, 60), &|process, switch| {
        let spot = process.reserve(to(PEER), DATA, 9000).unwrap();

        (&switch).write(spot.payload(), &bytes);
        process.commit(spot, 4200);
    });
}

#[test]
fn broadcast_a_small_message() {
    broadcast("small broadcast", 60);
}

#[test]
fn broadcast_a_large_message() {
    broadcast("large broadcast", 5000);
}

#[test]
fn close_a_lane() {
    check(
        "close",
        &Scene::new().send(1, 60).drained(),
        &|process, _| {
            process.tidy(0);
        },
    );
}

#[test]
fn receive_small_messages() {
    let scene = Scene::new()
        .receive_from_peer(1, 40)
        .receive_from_peer(2, 50);

    check("receive", &scene, &take);
}

#[test]
fn receive_from_two_chunks() {
    let scene = Scene::new()
        .receive_from_peer(1, 4000)
        .receive_from_peer(2, 50);

    check("receive and free", &scene, &take);
}

#[test]
fn receive_a_large_message() {
    let scene = Scene::new()
        .receive_from_peer(1, 6000)
        .receive_from_peer(2, 50);

    check("receive large", &scene, &take);
}

#[test]
fn receive_a_shared_message() {
    let mut scene = Scene::new();

    scene
        .peer
        .broadcast([to(ACTOR), to(OTHER)], DATA, &text(1, 5000), |_, _| ());
    receive(&mut scene.other);
    scene.inbox.push(1);
    check("receive shared", &scene, &take);
}

#[test]
fn receive_the_end_of_a_lane() {
    let mut scene = Scene::new().receive_from_peer(1, 50);

    scene.take_inbox();
    scene.peer.tidy(0);
    check("receive close", &scene, &take);
}

#[test]
fn receive_and_tell_a_waiting_sender() {
    let mut scene = (1..=5).fold(Scene::new(), |scene, number| {
        scene.receive_from_peer(number, 4000)
    });

    while scene.peer.send(to(ACTOR), DATA, &text(6, 4000)).is_ok() {
        scene.inbox.push(6);
    }

    check("receive and tell", &scene, &take);
}

#[test]
fn go_to_sleep() {
    let mut scene = Scene::new().receive_from_peer(1, 50);

    scene.take_inbox();
    check("sleep", &scene, &|process, _| {
        assert!(process.prepare_sleep());
        process.wake_up();
    });
}

#[test]
fn attach_a_successor() {
    let scene = Scene::new().send(1, 60).receive_from_peer(1, 50);

    let bytes = text(100, 50);

    scene.switch.recover(ACTOR, 1);
    check("attach", &scene, &|process, switch| {
        let mut successor = switch.start(process.member().slot);

        take(&mut successor, switch);
        successor.send(to(PEER), DATA, &bytes).unwrap();
    });
}

#[test]
fn recover_a_dead_process() {
    let mut scene = Scene::new().send(1, 60).receive_from_peer(1, 6000);

    // It dies with a block that no record names.
    let _ = scene.actor.reserve(to(PEER), DATA, 9000).unwrap();

    check("recover", &scene, &|_, switch| switch.recover(ACTOR, 1));
}
