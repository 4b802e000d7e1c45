//! A worker of an unmodified nginx is killed or stopped while it takes its slot for
//! messages, or gives it back.
//!
//! What the other processes find depends only on the shared memory. So the worker runs one
//! instruction at a time, and is killed after each one that has changed the memory; with
//! `T_LONG` also after many others.

use crate::messages_counts::wait_for_up;
use crate::messages_ledger::Ledger;
use crate::messages_loaded_scene::{
    APPOINT, HELD, KILLED, NO_ROOM, Place, Scene, Shared, WORKERS, change, is_long,
};
use crate::support::{proc, sys, wait_until};
use crate::traced::{Breakpoint, Forks, stop};

/// With `T_LONG`, a worker is killed after each multiple of so many instructions. To kill it
/// after each one would take an hour.
const EVERY: usize = 23;

/// The workers of a scene: one is killed again and again, and the other one sends to it.
struct Start {
    scene: Scene,
    forks: Forks,
    victim: i32,
    other: i32,
}

impl Start {
    fn new(test: &str) -> Self {
        let scene = Scene::new(test, WORKERS);
        let workers = scene.nginx.workers();

        Self {
            forks: Forks::of(scene.nginx.master()),
            scene,
            victim: *workers.first().unwrap(),
            other: *workers.last().unwrap(),
        }
    }

    /// The worker is killed. The next one is killed at a place while it takes over the slot,
    /// and so are those after it. The last one gets all messages, each once. Returns whether
    /// the processes have come to the places.
    fn kill_at(&mut self, places: &[Place], other: Other) -> bool {
        let Self { scene, forks, .. } = self;
        let is_stopped = other == Other::IsStopped;

        scene.begin();

        if is_stopped {
            stop_with_signal(self.other);
            scene.send();
        }

        sys::kill(self.victim, libc::SIGKILL);

        let mut sent = 1;
        let mut is_inside = true;

        for place in places {
            let mut tracee = forks.next();

            if !is_stopped {
                scene.send();
            }

            is_inside &= place.reach(&mut tracee, &scene.symbols, &mut scene.shared);

            if !is_stopped {
                scene.send();
                sent += 2;
            }

            tracee.kill();
        }

        if is_stopped {
            sys::kill(self.other, libc::SIGCONT);
        } else {
            scene.send();
        }

        let next = forks.next();

        if other == Other::Looks {
            wait_for_look(self.other);
        }

        self.victim = next.pid();
        next.release(0);
        scene.check(
            self.victim,
            sent,
            &format!("{places:?}, the other {other:?}"),
        );
        is_inside
    }

    fn end(self) {
        self.forks.go_on();
        drop(self.forks);
        self.scene.end();
    }
}

/// What the other worker does meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Other {
    /// It sends messages to the slot.
    Sends,
    /// It sends messages, and then looks for slots of dead processes before the replacement
    /// begins.
    Looks,
    /// It is stopped, and has not handled the last message of the worker that was killed.
    IsStopped,
}

fn stop_with_signal(pid: i32) {
    sys::kill(pid, libc::SIGSTOP);
    wait_until("a stopped process", || proc::state(pid) == Some('T'));
}

/// Waits until a worker, whose messages another one has not handled, has done its periodic
/// work. It wakes up for this once a second. The request before can have ended later.
fn wait_for_look(worker: i32) {
    let before = proc::switches(worker);

    wait_until("looks at the slots", || {
        proc::switches(worker) >= before + 3
    });
}

/// The next worker takes over the slot with all messages, wherever the one before it was
/// killed.
#[test]
fn each_change_of_the_start() {
    let mut start = Start::new("messages_loaded_start");
    let mut count = |other| {
        (0..)
            .take_while(|&n| start.kill_at(&[Place::Change(n)], other))
            .count()
    };
    let counts = [Other::Sends, Other::IsStopped].map(&mut count);

    println!("{counts:?} changes");
    assert!(counts.iter().all(|&n| n > 10), "only {counts:?} changes");

    assert!(start.kill_at(&[Place::Identity], Other::Looks));

    if is_long() {
        for (first, second) in (0..counts[0]).flat_map(|n| (0..counts[0]).map(move |m| (n, m))) {
            for other in [Other::Sends, Other::IsStopped] {
                start.kill_at(&[Place::Change(first), Place::Change(second)], other);
            }
        }

        for n in 0..counts[0] {
            start.kill_at(&[Place::Change(n)], Other::Looks);
        }

        let n = (0..)
            .step_by(EVERY)
            .find(|&n| !start.kill_at(&[Place::Instruction(n)], Other::Sends));

        println!("{n:?} instructions");
    }

    start.end();
}

/// A worker is stopped while it holds the lock of the slots. Meanwhile nginx reloads and
/// answers. The new workers have no messages until the stopped one goes on, and then take
/// their slots. No message is lost.
#[test]
fn a_worker_is_stopped_in_the_lock() {
    let scene = Scene::new("messages_loaded_lock", 2 * WORKERS);
    let nginx = &scene.nginx;
    let forks = Forks::of(nginx.master());
    let mut old = nginx.workers();

    scene.begin();

    let victim = old.pop_first().unwrap();
    let stopped = stop_in_lock(&scene, &forks, victim);

    old.insert(stopped);
    forks.go_on();
    drop(forks);

    scene.send();
    nginx.signal(libc::SIGHUP);
    // The master, and both new workers.
    nginx.wait_for_lines(1 + WORKERS, HELD);
    assert!(nginx.get("/plain").contains(" 200 "));
    sys::kill(stopped, libc::SIGCONT);
    nginx.wait_for_lines(WORKERS, "has got room for its messages");
    nginx.wait_for_end_of(&old);

    let ledger = Ledger::read(nginx);

    assert!(ledger.up.contains(&stopped));
    assert_eq!(
        (ledger.tried.len(), ledger.missing(), ledger.lost()),
        (1, 0, 0)
    );

    // The new workers have messages, and so have those of the next configuration.
    scene.all_send();
    nginx.reload();
    scene.all_send();
    assert_eq!(nginx.lines(NO_ROOM), [""; 0]);
    nginx.quit(&[KILLED[0], HELD]);
}

/// A worker that nginx has told to exit is killed while it gives back its slot. The workers
/// of the new configuration have slots, and send nothing to the dead one.
#[test]
fn each_change_of_the_end() {
    let scene = Scene::new("messages_loaded_end", 2 * WORKERS);
    let mut shared = Shared::of(scene.nginx.master());
    let leave = scene.symbols.address("loaded5leave17h");
    let kill_at = |n| {
        let old = scene.nginx.workers();
        let mut tracee = stop(*old.first().unwrap());
        let breakpoint = Breakpoint::set(&tracee, leave);

        scene.nginx.signal(libc::SIGHUP);
        scene.nginx.wait_for_others(WORKERS, &old);

        let call = breakpoint.wait();

        wait_until("the end of the other worker", || {
            !proc::alive(*old.last().unwrap())
        });
        wait_for_up(&scene.nginx, WORKERS);
        scene.all_send();

        let is_inside = change(&mut tracee, &call, n, &mut shared);

        tracee.kill();
        scene.all_send();
        is_inside
    };
    let n = (0..)
        .map(kill_at)
        .take_while(|&is_inside| is_inside)
        .count();

    println!("{n} changes");
    assert!(n > 5, "only {n} changes");
    scene.end();
}

/// Kills a worker, and stops the next one when it has the lock of the slots. Returns that
/// one.
fn stop_in_lock(scene: &Scene, forks: &Forks, victim: i32) -> i32 {
    sys::kill(victim, libc::SIGKILL);

    let mut tracee = forks.next();
    let stopped = tracee.pid();

    scene.run_to_lock(&mut tracee);
    tracee.release(libc::SIGSTOP);
    stopped
}

/// The master could give no slots at a reload, because a worker was stopped in the lock. So a
/// new worker claims one. It is killed when it has claimed it, and so are those after it. No
/// slot stays claimed.
#[test]
fn a_claim_is_given_up() {
    let scene = Scene::new("messages_loaded_claim", 2 * WORKERS);
    let forks = Forks::of(scene.nginx.master());
    let victim = *scene.nginx.workers().first().unwrap();
    let stopped = stop_in_lock(&scene, &forks, victim);

    scene.nginx.signal(libc::SIGHUP);

    let mut claims = forks.next();
    let other = forks.next();

    sys::kill(stopped, libc::SIGCONT);
    other.release(0);

    for _ in 0..2 * WORKERS {
        Breakpoint::set(&claims, scene.symbols.address(APPOINT)).wait();
        claims.kill();
        claims = forks.next();
    }

    claims.release(0);
    forks.go_on();
    drop(forks);
    wait_for_up(&scene.nginx, WORKERS);
    scene.all_send();
    assert_eq!(scene.nginx.lines(NO_ROOM), [""; 0]);
    scene.nginx.quit(&[KILLED[0], KILLED[1], HELD]);
}
