//! Tests of processes.

use std::env;
use std::io;
use std::process::Command;

use ngx_ipc::api::{Channel, Exit, Program};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

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
        "processes::what_other_code_has_reaped",
        what_other_code_has_reaped,
    ),
    (
        "processes::other_programs_can_be_started",
        other_programs_can_be_started,
    ),
    (
        "processes::a_closure_cannot_reach_its_siblings",
        a_closure_cannot_reach_its_siblings,
    ),
    (
        "processes::what_is_printed_is_written_once",
        what_is_printed_is_written_once,
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
                .is_err_and(|err| err.kind() == io::ErrorKind::ConnectionAborted) as u8
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

fn what_other_code_has_reaped() {
    let program = Checked::start();
    let mut signals = SigSet::empty();

    // Without this the library's handler would reap the process.
    signals.add(Signal::SIGCHLD);
    signals.thread_block().unwrap();

    let process = program.spawn(c"reaped", |_| 3).unwrap();
    let pid = Pid::from_raw(process.id().unwrap() as i32);

    assert_eq!(waitpid(pid, None), Ok(WaitStatus::Exited(pid, 3)));
    signals.thread_unblock().unwrap();
    program.finish();
    assert_eq!(process.exit(), Some(Exit::Unknown));
}

fn other_programs_can_be_started() {
    let program = Checked::start();

    for _ in 0..20 {
        let status = Command::new("sh").args(["-c", "exit 3"]).status().unwrap();

        assert_eq!(status.code(), Some(3));
    }

    program.finish();
}

fn a_closure_cannot_reach_its_siblings() {
    let program = Checked::start();
    let sibling = program
        .spawn(c"sibling", |worker| -> io::Result<()> {
            while !worker.is_told_to_exit() {
                worker.turn()?;
            }
            Ok(())
        })
        .unwrap();
    let process = program
        .spawn(c"process", |_| {
            let parent = &program;
            let own = parent.spawn(c"own", |_| 4).unwrap();

            assert!(parent.wait().is_err() && parent.terminate().is_err());
            assert_eq!((sibling.id(), sibling.exit()), (None, None));
            assert_eq!(sibling.kill().unwrap_err().kind(), io::ErrorKind::NotFound);
            assert!(sibling.terminate().is_err());

            // The process reaps its own child.
            while own.exit().is_none() {
                parent.turn().unwrap();
            }
            assert_eq!(own.exit(), Some(Exit::Code(4)));
        })
        .unwrap();

    while process.exit().is_none() {
        program.turn().unwrap();
    }

    assert_eq!(process.exit(), Some(Exit::Code(0)));
    assert!(sibling.id().is_some());
    program.terminate().unwrap();
    program.finish();
    assert_eq!(sibling.exit(), Some(Exit::Code(0)));
}

/// The program whose output `what_is_printed_is_written_once` reads.
pub fn print() {
    let program = Program::init().unwrap();

    print!("parent ");
    program.spawn(c"prints", |_| print!("child ")).unwrap();
    program.wait().unwrap();
    program
        .spawn(c"panics", |_| -> u8 {
            print!("panic ");
            panic!("after a print");
        })
        .unwrap();
    program.wait().unwrap();
    print!("end");
}

fn what_is_printed_is_written_once() {
    let output = Command::new(env::current_exe().unwrap())
        .arg("--print")
        .output()
        .unwrap();

    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "parent child panic end"
    );
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

    why.send(&u8::from(err.kind() == io::ErrorKind::ConnectionAborted))
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
            let master = Pid::from_raw(master as i32);

            nix::sys::signal::kill(master, Signal::SIGTERM)?;
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
