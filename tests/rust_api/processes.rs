//! Tests of processes.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use ngx_ipc::api::{Channel, Exit, MessageType, SharedMemory, To};

use super::Case;
use super::leaks::Checked;

pub const CASES: &[Case] = &[
    ("processes::exit_codes", exit_codes),
    (
        "processes::a_panic_is_an_exit_code",
        a_panic_is_an_exit_code,
    ),
    ("processes::a_killed_process", a_killed_process),
    (
        "processes::terminate_ends_a_worker",
        terminate_ends_a_worker,
    ),
    (
        "processes::a_kept_process_is_started_again",
        a_kept_process_is_started_again,
    ),
    (
        "processes::the_exit_code_2_is_final",
        the_exit_code_2_is_final,
    ),
    (
        "processes::a_worker_learns_that_its_master_is_gone",
        a_worker_learns_that_its_master_is_gone,
    ),
    ("processes::the_master_ends_a_wait", the_master_ends_a_wait),
    ("processes::sigterm_is_handed_on", sigterm_is_handed_on),
    (
        "processes::what_the_closure_owns_is_dropped",
        what_the_closure_owns_is_dropped,
    ),
];

fn exit_codes() {
    let program = Checked::start();
    let none = program.spawn(c"none", |_| ()).unwrap();
    let seven = program.spawn(c"seven", |_| 7).unwrap();
    let failed = program.spawn(c"failed", |_| Err::<(), _>("no")).unwrap();

    program.finish();

    assert_eq!(none.exit(), Some(Exit::Code(0)));
    assert_eq!(none.id(), None);
    assert_eq!(seven.exit(), Some(Exit::Code(7)));
    assert_eq!(failed.exit(), Some(Exit::Code(1)));
    assert!(none.exit().unwrap().is_success());
    assert!(!failed.exit().unwrap().is_success());
}

fn a_panic_is_an_exit_code() {
    let program = Checked::start();
    let process = program
        .spawn(c"panics", |worker| -> u8 {
            panic!("in slot {}", worker.slot())
        })
        .unwrap();

    program.finish();
    assert_eq!(process.exit(), Some(Exit::Code(101)));
}

fn a_killed_process() {
    let program = Checked::start();
    let process = program
        .spawn(c"loop", |worker| -> io::Result<()> {
            loop {
                worker.turn()?;
            }
        })
        .unwrap();

    process.kill().unwrap();
    program.finish();

    assert_eq!(process.exit(), Some(Exit::Signal(libc::SIGKILL)));
    assert_eq!(process.kill().unwrap_err().kind(), io::ErrorKind::NotFound);
}

fn terminate_ends_a_worker() {
    let program = Checked::start();
    let (ours, theirs) = Channel::<()>::pair().unwrap();
    let waits = program
        .spawn(c"waits", move |_| {
            theirs.send(&()).unwrap();
            theirs
                .recv()
                .is_err_and(|err| err.kind() == io::ErrorKind::Interrupted) as u8
        })
        .unwrap();
    let turns = program
        .spawn(c"turns", |worker| -> io::Result<u8> {
            while !worker.is_told_to_exit() {
                worker.turn()?;
            }
            Ok(3)
        })
        .unwrap();

    // The worker has its handlers of signals when its closure runs.
    ours.recv().unwrap();
    waits.terminate().unwrap();
    turns.quit().unwrap();
    program.wait().unwrap();
    drop(ours);
    program.finish();

    assert_eq!(waits.exit(), Some(Exit::Code(1)));
    assert_eq!(turns.exit(), Some(Exit::Code(3)));
}

fn a_kept_process_is_started_again() {
    let program = Checked::start();
    let starts = Rc::new(SharedMemory::<AtomicU64>::new(1).unwrap());
    let counter = Rc::clone(&starts);
    let is_third = Rc::new(Cell::new(false));
    let seen = Rc::clone(&is_third);
    let third = MessageType::<()>::register(c"third", move |_| seen.set(true)).unwrap();
    let process = program
        .keep(c"kept", move |worker| -> io::Result<()> {
            // Two processes exit. The third one runs until it is told to exit.
            if counter[0].fetch_add(1, Relaxed) < 2 {
                return Ok(());
            }
            third.send(To::MASTER, &())?;
            while !worker.is_told_to_exit() {
                worker.turn()?;
            }
            Ok(())
        })
        .unwrap();
    let first = process.id();

    while !is_third.get() {
        program.turn().unwrap();
    }

    assert!(process.id().is_some() && process.id() != first);
    assert_eq!(process.exit(), None);
    program.terminate().unwrap();
    program.wait().unwrap();
    assert_eq!(process.id(), None);
    assert_eq!(starts[0].load(Relaxed), 3);
}

fn the_exit_code_2_is_final() {
    let program = Checked::start();
    let starts = Rc::new(SharedMemory::<AtomicU64>::new(1).unwrap());
    let counter = Rc::clone(&starts);

    program
        .keep(c"kept", move |_| {
            counter[0].fetch_add(1, Relaxed);
            2
        })
        .unwrap();
    program.finish();
    assert_eq!(starts[0].load(Relaxed), 1);
}

fn a_worker_learns_that_its_master_is_gone() {
    let program = Checked::start();
    let (ours, theirs) = Channel::<u32>::pair().unwrap();
    let parent = &program;

    // The first process becomes the master of a second one, and exits.
    program
        .spawn(c"master", move |_| {
            parent
                .spawn(c"orphan", move |worker| -> io::Result<()> {
                    while !worker.is_told_to_exit() {
                        worker.turn()?;
                    }
                    theirs.send(&1)
                })
                .unwrap();
        })
        .unwrap();

    assert_eq!(ours.recv().unwrap(), 1);
    drop(ours);
    program.finish();
}

/// Waits for a message that never comes, and says on another channel why the wait ended.
fn waits(never: &Channel<()>, why: &Channel<u8>) {
    why.send(&0).unwrap();

    let err = never.recv().unwrap_err();

    why.send(&u8::from(err.kind() == io::ErrorKind::Interrupted))
        .unwrap();
}

fn the_master_ends_a_wait() {
    let program = Checked::start();
    let parent = &program;
    let (ours, theirs) = Channel::<()>::pair().unwrap();
    let (why, theirs_why) = Channel::<u8>::pair().unwrap();

    // The command of the master is on the process's own channel.
    program
        .spawn(c"told", |_| waits(&theirs, &theirs_why))
        .unwrap();
    assert_eq!(why.recv().unwrap(), 0);
    program.terminate().unwrap();
    assert_eq!(why.recv().unwrap(), 1);

    // The process has inherited the end of its master, so the channel does not close.
    program
        .spawn(c"master", |_| {
            parent
                .spawn(c"orphan", |_| waits(&theirs, &theirs_why))
                .unwrap();
        })
        .unwrap();
    assert_eq!(why.recv().unwrap(), 0);
    assert_eq!(why.recv().unwrap(), 1);
    drop((ours, theirs, why, theirs_why));
    program.finish();
}

fn sigterm_is_handed_on() {
    let program = Checked::start();
    let master = std::process::id();
    let process = program
        .spawn(c"kills", move |worker| -> io::Result<u8> {
            let master = nix::unistd::Pid::from_raw(master as i32);

            nix::sys::signal::kill(master, nix::sys::signal::Signal::SIGTERM)?;
            while !worker.is_told_to_exit() {
                worker.turn()?;
            }
            Ok(5)
        })
        .unwrap();

    program.finish();
    assert_eq!(process.exit(), Some(Exit::Code(5)));
}

fn what_the_closure_owns_is_dropped() {
    let program = Checked::start();
    let (ours, theirs) = Channel::<u32>::pair().unwrap();

    // The parent has no copy of the other end, so it sees that the process has exited.
    program.spawn(c"exits", move |_| drop(theirs)).unwrap();
    assert_eq!(
        ours.recv().unwrap_err().kind(),
        io::ErrorKind::UnexpectedEof
    );
    drop(ours);
    program.finish();
}
