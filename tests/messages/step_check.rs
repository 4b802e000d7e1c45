//! Runs an operation one instruction at a time, and judges what the others find
//! after each instruction. `steps.rs` says how.

#![allow(unsafe_code)]

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use ngx_ipc::message::letter::Refused;
use ngx_ipc::message::taken::Cause;
use ngx_ipc::message::verify::Report;

use super::step_scene::{ACTOR, Got, OTHER, PEER, Scene, handled, receive, text};
use super::switch::{COPY, LIVE, Process, Switch};
use super::tracee::Tracee;
use super::world::{DATA, to};

/// The largest number of real kills for each operation.
const REAL_KILLS: usize = 4;

/// How much longer others may need for a message beside a process that was stopped, and
/// the successor of one that was killed for its first message, than if the process had not
/// begun. A step that holds them up makes them wait for milliseconds.
const MOST_DELAY: Duration = Duration::from_millis(1);

/// How often a step is judged before its delay counts. A virtual machine that does not
/// run adds to the time of its processes. A delay that the step causes comes each time.
const TRIES: usize = 5;

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

pub type Operation<'a> = &'a dyn Fn(&mut Process, &'static Switch);

/// Runs `operation` in the actor one instruction at a time.
pub fn check(name: &str, scene: &Scene, operation: Operation<'_>) {
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

    let usual = judge(scene, &now, COPY, (name, 0), Duration::MAX);
    let most = 2 * usual + MOST_DELAY;

    while tracee.step() {
        steps += 1;

        if switch.changed(&mut now) {
            judge(scene, &now, COPY, (name, steps), most);
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
        judge_delay((name, steps), most, || {
            switch.restore(LIVE, &now);
            after_stop(scene.clone(), (name, steps))
        });
        switch.restore(LIVE, &now);
        tracee.kill();
        judge(scene, &now, LIVE, (name, steps), most);
    }

    switch.restore(LIVE, &before);
    println!("{name}: {steps} instructions, {} changes", places.len());
    assert!(!places.is_empty(), "{name} changes nothing");
}

/// Checks what follows if the actor is stopped or killed now. Returns how long the others
/// were held up.
fn judge(
    scene: &Scene,
    bytes: &[u8],
    region: usize,
    place: (&str, usize),
    most: Duration,
) -> Duration {
    scene.switch.use_region(region);

    let delays = [after_stop, after_kill].map(|follow| {
        judge_delay(place, most, || {
            scene.switch.restore(region, bytes);
            follow(scene.clone(), place)
        })
    });

    scene.switch.use_region(LIVE);

    delays.into_iter().max().unwrap_or_default()
}

/// Checks that the others are not held up for longer than `most`. `follow` returns how long
/// they were. Returns the first time that is short enough.
fn judge_delay(
    place: (&str, usize),
    most: Duration,
    mut follow: impl FnMut() -> Duration,
) -> Duration {
    (0..TRIES)
        .map(|_| follow())
        .find(|&delay| delay < most)
        .unwrap_or_else(|| panic!("{place:?}: more than {most:?} each time"))
}

/// Others exchange messages beside a stopped process, without any repair. Returns how
/// long the first message took.
fn after_stop(mut scene: Scene, place: (&str, usize)) -> Duration {
    let report = scene.switch.verify();

    assert_eq!((report.wrong, report.damaged_lanes), (0, 0), "{place:?}");

    let start = own_time();
    let mut delay = Duration::MAX;

    for round in 0..40 {
        scene
            .other
            .send(to(PEER), DATA, &text(2000 + round, 900))
            .unwrap();

        let got = receive(&mut scene.peer);

        // The others make no system call that waits, so this is how long the
        // stopped process holds them up.
        if round == 0 {
            delay = own_time() - start;
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

    delay
}

/// The death becomes known, a successor starts, and all processes continue. Returns how
/// long the successor's first message took.
fn after_kill(mut scene: Scene, place: (&str, usize)) -> Duration {
    let switch = scene.switch;

    recover(&mut scene, place);

    let start = own_time();
    let mut actor = switch.start(ACTOR);
    let inherited = receive(&mut actor);

    actor.send(to(PEER), DATA, &text(400, 700)).unwrap();
    assert_eq!(receive(&mut scene.peer).from(ACTOR), [400], "{place:?}");

    let delay = own_time() - start;

    check_inbox(&scene, &inherited, place);
    go_on(&mut scene, &mut actor, place);
    check_blocks(&mut scene, &mut actor, place);

    delay
}

/// The death becomes known. What the actor has sent arrives, once and in order. Its
/// last message may be missing.
fn recover(scene: &mut Scene, place: (&str, usize)) {
    let switch = scene.switch;
    let incarnation = scene.peer.peer(ACTOR).unwrap().incarnation;

    // The receiver sleeps, or finds what has arrived.
    let first = receive(&mut scene.peer);
    let slept = scene.peer.prepare_sleep();

    switch.recover(ACTOR, incarnation);
    check_nothing_is_claimed(switch, place);
    assert!(!slept || switch.rung.load(Relaxed) || scene.waiting.is_empty());
    scene.peer.wake_up();

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
}

/// The successor and the others exchange messages.
fn go_on(scene: &mut Scene, actor: &mut Process, place: (&str, usize)) {
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
        assert_eq!(receive(actor).from(PEER), [700 + round], "{place:?}");
        actor.tidy(9);
    }
}

/// The verifier finds every block of the region when all messages are received.
fn check_blocks(scene: &mut Scene, actor: &mut Process, place: (&str, usize)) {
    receive(&mut scene.other);
    actor.tidy(0);
    scene.peer.tidy(0);
    receive(actor);
    receive(&mut scene.peer);
    receive(&mut scene.other);
    actor.tidy(0);

    let report = check_nothing_is_claimed(scene.switch, place);

    assert_eq!(report.shared, 0, "{place:?}: {report:?}");
}

/// The region is right, and no dead process has claimed a part of it.
fn check_nothing_is_claimed(switch: &'static Switch, place: (&str, usize)) -> Report {
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

    report
}

/// The successor gets what the actor has not taken, and a gap for what it was
/// handling. The first word of the master's slot counts what the actor has
/// handled, see [`take`](super::step_scene::take).
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
