//! A process is killed, or stopped, after each instruction of an operation. The
//! others go on, nothing is lost, and the successor continues.
//!
//! The process runs one instruction at a time. What the others find when it is
//! killed or stopped there depends on the region only. So after each instruction
//! that has changed the region, the others work on a copy of the region as it is
//! then. At some of these instructions they also work on the region itself, beside
//! the process that stands there, and after it was really killed.

#![allow(unsafe_code)]

use ngx_ipc::message::event::Event;
use ngx_ipc::message::layout::Sizes;
use ngx_ipc::message::letter::{Refused, Target};
use ngx_ipc::message::memory::Memory;
use ngx_ipc::message::taken::Cause;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::switch::{COPY, LIVE, Process, Switch};
use super::tracee::Tracee;
use super::world::{DATA, TIMED, to};

const SIZES: Sizes = Sizes {
    slots: 4,
    chunks: 12,
    control_chunks: 1,
    quota: 6,
};
/// The process that is killed, or the receiver of what it sends.
const ACTOR: u32 = 0;
const PEER: u32 = 1;
const OTHER: u32 = 2;
const MASTER: u32 = 3;
/// The largest number of real kills for each operation.
const REAL_KILLS: usize = 4;

/// How long others may need for a message beside a process that was stopped, and
/// the successor of one that was killed for its first message.
const MOST_DELAY: Duration = Duration::from_millis(1);

/// The time that the processors have worked for this thread.
fn own_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };

    // SAFETY: the kernel writes `time`, which is local.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };

    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The payload of message `number`: its number, repeated.
fn text(number: u64, len: usize) -> Vec<u8> {
    number
        .to_ne_bytes()
        .into_iter()
        .cycle()
        .take(len.max(8))
        .collect()
}

/// What a process has received.
#[derive(Default, Debug)]
struct Got {
    numbers: Vec<(u32, u64)>,
    gaps: Vec<(u32, Cause)>,
}

impl Got {
    fn from(&self, sender: u32) -> Vec<u64> {
        self.numbers
            .iter()
            .filter(|(from, _)| *from == sender)
            .map(|(_, number)| *number)
            .collect()
    }
}

fn receive(process: &mut Process) -> Got {
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
struct Scene {
    switch: &'static Switch,
    actor: Process,
    peer: Process,
    other: Process,
    /// The messages of the actor that the peer has not received.
    waiting: Vec<u64>,
    /// The messages of the peer that the actor has not received.
    inbox: Vec<u64>,
}

impl Scene {
    fn new() -> Self {
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

    fn send(mut self, number: u64, len: usize) -> Self {
        self.actor.send(to(PEER), DATA, &text(number, len)).unwrap();
        self.waiting.push(number);
        self
    }

    fn receive_from_peer(mut self, number: u64, len: usize) -> Self {
        self.peer.send(to(ACTOR), DATA, &text(number, len)).unwrap();
        self.inbox.push(number);
        self
    }

    fn drained(mut self) -> Self {
        receive(&mut self.peer);
        self.waiting.clear();
        self
    }
}

type Operation<'a> = &'a dyn Fn(&mut Process, &'static Switch);

/// Runs `operation` in the actor one instruction at a time.
fn check(name: &str, scene: &Scene, operation: Operation<'_>) {
    let switch = scene.switch;
    let mut before = Vec::new();

    switch.use_region(LIVE);
    switch.changed(&mut before);

    let mut now = before.clone();
    let mut places = Vec::new();
    let mut steps = 0;
    let start = || {
        let mut actor = scene.actor.clone();

        Tracee::start(move || operation(&mut actor, switch))
    };
    let mut tracee = start();

    judge(scene, &now, COPY, (name, 0));

    while tracee.step() {
        steps += 1;

        if switch.changed(&mut now) {
            judge(scene, &now, COPY, (name, steps));
            places.push(steps);
        }
    }

    let every = places.len().div_ceil(REAL_KILLS).max(1);

    for &steps in places.iter().step_by(every) {
        switch.restore(LIVE, &before);

        let mut tracee = start();

        for _ in 0..steps {
            assert!(tracee.step(), "{name}: the steps differ");
        }

        switch.changed(&mut now);
        after_stop(scene.clone(), (name, steps));
        switch.restore(LIVE, &now);
        tracee.kill();
        judge(scene, &now, LIVE, (name, steps));
    }

    switch.restore(LIVE, &before);
    println!("{name}: {steps} instructions, {} changes", places.len());
    assert!(!places.is_empty(), "{name} changes nothing");
}

fn judge(scene: &Scene, bytes: &[u8], region: usize, place: (&str, usize)) {
    scene.switch.use_region(region);

    scene.switch.restore(region, bytes);
    after_stop(scene.clone(), place);

    scene.switch.restore(region, bytes);
    after_kill(scene.clone(), place);

    scene.switch.use_region(LIVE);
}

/// Others exchange messages beside a stopped process, without any repair.
fn after_stop(mut scene: Scene, place: (&str, usize)) {
    let report = scene.switch.verify();

    assert_eq!((report.wrong, report.damaged_lanes), (0, 0), "{place:?}");

    let start = own_time();

    for round in 0..40 {
        scene
            .other
            .send(to(PEER), DATA, &text(2000 + round, 900))
            .unwrap();

        let got = receive(&mut scene.peer);

        // The others make no system call that waits, so this is how long the
        // stopped process holds them up.
        if round == 0 {
            assert!(own_time() - start < MOST_DELAY, "{place:?}");
        }

        assert_eq!(got.from(OTHER), [2000 + round], "{place:?}");
        assert_eq!(got.gaps, [], "{place:?}");
        scene
            .peer
            .send(to(OTHER), DATA, &text(3000 + round, 5000))
            .unwrap();
        assert_eq!(
            receive(&mut scene.other).from(PEER),
            [3000 + round],
            "{place:?}"
        );

        // The stopped process still gets messages, as long as its pool has room.
        match scene.peer.send(to(ACTOR), DATA, &text(1, 100)) {
            Ok(()) | Err(Refused::Again) => (),
            Err(other) => panic!("{place:?}: {other:?}"),
        }
    }

    assert_eq!(scene.switch.verify().wrong, 0, "{place:?}");
}

/// The death becomes known, a successor starts, and all processes continue.
fn after_kill(mut scene: Scene, place: (&str, usize)) {
    let switch = scene.switch;
    let incarnation = scene.peer.peer(ACTOR).unwrap().incarnation;

    // The receiver sleeps, or finds what has arrived.
    let first = receive(&mut scene.peer);
    let slept = scene.peer.prepare_sleep();

    switch.recover(ACTOR, incarnation);

    let report = switch.verify();

    assert_eq!(
        (
            report.wrong,
            report.claimed,
            report.passed,
            report.damaged_lanes
        ),
        (0, 0, 0, 0),
        "{place:?}: {report:?}"
    );
    assert!(!slept || switch.rung.load(Relaxed) || scene.waiting.is_empty());
    scene.peer.wake_up();

    // What the actor has sent arrives, once and in order. Its last message may be
    // missing.
    let second = receive(&mut scene.peer);
    let got: Vec<u64> = [first.from(ACTOR), second.from(ACTOR)].concat();

    assert!(got.starts_with(&scene.waiting), "{place:?}: {got:?}");
    assert!(
        got[scene.waiting.len()..]
            .iter()
            .copied()
            .eq((100..).take(got.len() - scene.waiting.len())),
        "{place:?}: {got:?}"
    );

    let start = own_time();
    let mut actor = switch.start(ACTOR);
    let inherited = receive(&mut actor);

    actor.send(to(PEER), DATA, &text(400, 700)).unwrap();
    assert_eq!(receive(&mut scene.peer).from(ACTOR), [400], "{place:?}");
    assert!(own_time() - start < MOST_DELAY, "{place:?}");

    check_inbox(&scene, &inherited, place);

    // The successor and the others go on.
    for round in 0..20 {
        actor.send(to(PEER), DATA, &text(500 + round, 700)).unwrap();
        scene
            .other
            .send(to(PEER), DATA, &text(600 + round, 5000))
            .unwrap();
        scene
            .peer
            .send(to(ACTOR), DATA, &text(700 + round, 5000))
            .unwrap();

        let got = receive(&mut scene.peer);

        assert_eq!(got.from(ACTOR), [500 + round], "{place:?}");
        assert_eq!(got.from(OTHER), [600 + round], "{place:?}");
        assert_eq!(receive(&mut actor).from(PEER), [700 + round], "{place:?}");
        actor.tidy(9);
    }

    receive(&mut scene.other);
    actor.tidy(0);
    scene.peer.tidy(0);
    receive(&mut actor);
    receive(&mut scene.peer);
    receive(&mut scene.other);
    actor.tidy(0);

    let report = switch.verify();

    assert_eq!(
        (
            report.wrong,
            report.claimed,
            report.passed,
            report.damaged_lanes,
            report.shared
        ),
        (0, 0, 0, 0, 0),
        "{place:?}: {report:?}"
    );
}

/// The successor gets what the actor has not taken, and a gap for what it was
/// handling. The first word of the master's slot counts what the actor has
/// handled, see [`take`].
fn check_inbox(scene: &Scene, inherited: &Got, place: (&str, usize)) {
    let handled = handled(scene.switch) as usize;
    let got = inherited.from(PEER);
    let missing = scene.inbox.len() - got.len();

    assert_eq!(got, scene.inbox[missing..], "{place:?}");
    assert!(missing >= handled, "{place:?}: a message came twice");
    assert!(missing <= handled + 1, "{place:?}: a message is lost");

    let is_reported = inherited.gaps.contains(&(PEER, Cause::Handling));

    assert!(
        missing == handled || is_reported,
        "{place:?}: a lost message is not reported"
    );
}

/// The offset of a word of the region that the messages do not use: the role of
/// the process in the last slot.
fn log(switch: &'static Switch) -> usize {
    switch.layout.slot(MASTER) + std::mem::offset_of!(ngx_ipc::message::layout::Slot, role)
}

fn handled(switch: &'static Switch) -> u64 {
    (&switch).load(log(switch), Relaxed)
}

/// Takes all messages, and counts each one that was returned.
fn take(process: &mut Process, switch: &'static Switch) {
    let mut turn = process.turn(100, 0);

    while let Some(event) = process.next(&mut turn) {
        if matches!(event, Event::Message(_)) {
            count(switch);
        }
    }
}

/// Counts a message that was returned.
fn count(switch: &'static Switch) {
    let count = (&switch).load(log(switch), Relaxed);

    (&switch).store(log(switch), count + 1, Relaxed);
}

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
    let switch = scene.switch;

    take(&mut scene.actor, switch);
    scene.inbox.clear();
    // What was handled before the operation is not counted.
    (&switch).store(log(switch), 0, Relaxed);
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
    let switch = scene.switch;

    take(&mut scene.actor, switch);
    scene.inbox.clear();
    (&switch).store(log(switch), 0, Relaxed);
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
