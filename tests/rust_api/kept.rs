//! Tests of processes that are started again.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc;
use std::thread;

use ngx_ipc::api::{Channel, Exit, MessageType, Process, SharedMemory, To, Worker};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;

use super::Case;
use super::leaks::Checked;

pub const CASES: &[Case] = &[
    (
        "kept::a_process_that_exits_is_started_again",
        a_process_that_exits_is_started_again,
    ),
    ("kept::the_exit_code_2_is_final", the_exit_code_2_is_final),
    (
        "kept::what_was_told_to_exit_is_not_started_again",
        what_was_told_to_exit_is_not_started_again,
    ),
    (
        "kept::what_waits_for_its_start_can_be_told_to_exit",
        what_waits_for_its_start_can_be_told_to_exit,
    ),
    (
        "kept::what_is_not_reaped_can_be_told_to_exit",
        what_is_not_reaped_can_be_told_to_exit,
    ),
    (
        "kept::a_killed_process_is_started_again",
        a_killed_process_is_started_again,
    ),
    (
        "kept::a_value_never_reaches_a_later_process",
        a_value_never_reaches_a_later_process,
    ),
    (
        "kept::nothing_is_started_beside_a_thread",
        nothing_is_started_beside_a_thread,
    ),
];

/// Runs the event loop until the process is told to exit.
fn run(worker: &Worker) -> io::Result<()> {
    while !worker.is_told_to_exit() {
        worker.turn()?;
    }
    Ok(())
}

/// A program whose processes count themselves.
struct Counted {
    program: Checked,
    starts: Rc<SharedMemory<AtomicU64>>,
}

impl Counted {
    fn start() -> Self {
        Self {
            program: Checked::start(),
            starts: Rc::new(SharedMemory::new(1).unwrap()),
        }
    }

    /// Keeps a process that runs `f` with the number of processes before it.
    fn keep(&self, f: impl Fn(&Worker, u64) -> io::Result<u8> + 'static) -> Process {
        let starts = Rc::clone(&self.starts);

        self.program
            .keep(c"kept", move |worker| {
                f(worker, starts[0].fetch_add(1, Relaxed))
            })
            .unwrap()
    }

    fn starts(&self) -> u64 {
        self.starts[0].load(Relaxed)
    }
}

fn a_process_that_exits_is_started_again() {
    let test = Counted::start();
    let is_third = Rc::new(Cell::new(false));
    let seen = Rc::clone(&is_third);
    let third = MessageType::<()>::register(c"third", move |_| seen.set(true)).unwrap();
    // Two processes exit. The third one runs until it is told to exit.
    let process = test.keep(move |worker, before| {
        if before < 2 {
            return Ok(0);
        }
        third.send(To::MASTER, &())?;
        run(worker)?;
        Ok(7)
    });
    let first = process.id();

    while !is_third.get() {
        test.program.turn().unwrap();
    }

    assert!(process.id().is_some() && process.id() != first);
    assert_eq!(process.exit(), None);
    test.program.terminate().unwrap();
    test.program.wait().unwrap();
    assert_eq!(process.id(), None);
    assert_eq!(process.exit(), Some(Exit::Code(7)));
    assert_eq!(test.starts(), 3);
}

fn the_exit_code_2_is_final() {
    let test = Counted::start();
    let process = test.keep(|_, _| Ok(2));

    test.program.finish();
    assert_eq!(process.exit(), Some(Exit::Code(2)));
    assert_eq!(test.starts(), 1);
}

fn what_was_told_to_exit_is_not_started_again() {
    let test = Counted::start();

    for (end, starts) in [
        (Process::terminate as fn(&Process) -> io::Result<()>, 1),
        (Process::quit, 2),
    ] {
        let (ours, theirs) = Channel::<()>::pair().unwrap();
        let process = test.keep(move |worker, _| {
            theirs.send(&())?;
            run(worker)?;
            Ok(5)
        });

        // The process has its handlers of signals when its closure runs.
        ours.recv().unwrap();
        end(&process).unwrap();
        test.program.wait().unwrap();
        assert_eq!(process.exit(), Some(Exit::Code(5)));
        assert_eq!(end(&process).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(test.starts(), starts);
    }
}

/// Sends `process` a value, for which it exits. Returns when the program has the status of
/// the process, and has not handled the exit in [`Program::turn`].
///
/// [`Program::turn`]: ngx_ipc::api::Program::turn
fn make_exit(process: &Process, ours: &Channel<()>) {
    let pid = Pid::from_raw(process.id().unwrap() as i32);
    let exited = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
    let mut signals = SigSet::empty();

    // Without this the library's handler would reap the process before waitid(2) finds it.
    signals.add(Signal::SIGCHLD);
    signals.thread_block().unwrap();
    ours.send(&()).unwrap();
    waitid(Id::Pid(pid), exited).unwrap();
    // The handler runs before this returns, because SIGCHLD is pending.
    signals.thread_unblock().unwrap();
}

/// A process that fails each time when it gets a value.
fn fails_when_told() -> (Counted, Process, Channel<()>) {
    // The program counts its descriptors when it starts, and keeps both ends until it ends.
    let (ours, theirs) = Channel::<()>::pair().unwrap();
    let test = Counted::start();
    let process = test.keep(move |_, _| {
        theirs.recv()?;
        Ok(1)
    });

    (test, process, ours)
}

fn what_waits_for_its_start_can_be_told_to_exit() {
    let (test, process, ours) = fails_when_told();

    // A process that fails again and again is started after a delay. A process that runs
    // after the exit of the last one waits for a value, so it does not exit by itself.
    while process.id().is_some() {
        make_exit(&process, &ours);
        test.program.turn().unwrap();
    }

    assert_eq!(process.exit(), None);
    assert_eq!(process.kill().unwrap_err().kind(), io::ErrorKind::NotFound);

    let starts = test.starts();

    process.terminate().unwrap();
    assert_eq!(process.exit(), Some(Exit::Code(1)));
    test.program.finish();
    assert_eq!(test.starts(), starts);
}

fn what_is_not_reaped_can_be_told_to_exit() {
    let (test, process, ours) = fails_when_told();

    make_exit(&process, &ours);
    assert_eq!((process.id(), process.exit()), (None, None));
    assert_eq!(process.kill().unwrap_err().kind(), io::ErrorKind::NotFound);
    process.terminate().unwrap();
    // The program stores the status when it reaps the process.
    assert_eq!(process.exit(), None);
    test.program.turn().unwrap();
    assert_eq!(process.exit(), Some(Exit::Code(1)));
    test.program.finish();
    assert_eq!(test.starts(), 1);
}

fn a_killed_process_is_started_again() {
    let test = Counted::start();
    let (ours, theirs) = Channel::<()>::pair().unwrap();
    let process = test.keep(move |worker, before| {
        if before == 0 {
            theirs.send(&())?;
            run(worker)?;
        }
        Ok(2)
    });

    ours.recv().unwrap();
    process.kill().unwrap();
    test.program.wait().unwrap();
    assert_eq!(process.exit(), Some(Exit::Code(2)));
}

fn a_value_never_reaches_a_later_process() {
    let program = Checked::start();
    let code = program.keep(c"kept", |_| 2).unwrap();
    let last = program.keep(c"last", run).unwrap();

    while code.exit().is_none() {
        program.turn().unwrap();
    }

    // This process gets the slot of the first one.
    let next = program.keep(c"next", run).unwrap();

    assert_eq!(next.slot(), code.slot());
    assert_eq!(code.id(), None);
    assert_eq!(code.exit(), Some(Exit::Code(2)));
    assert!(code.terminate().is_err() && code.kill().is_err());
    assert!(next.id().is_some() && last.id().is_some());
    program.terminate().unwrap();
    program.wait().unwrap();
    assert_eq!(next.exit(), Some(Exit::Code(0)));
}

fn nothing_is_started_beside_a_thread() {
    let test = Counted::start();
    let (ours, theirs) = Channel::<()>::pair().unwrap();
    let process = test.keep(move |worker, before| {
        if before == 0 {
            let _ = theirs.recv();
            return Ok(0);
        }
        run(worker)?;
        Ok(0)
    });
    let first = process.id();
    let (end, wait) = mpsc::channel::<()>();
    let other = thread::spawn(move || wait.recv());

    ours.send(&()).unwrap();
    while process.id() == first {
        test.program.turn().unwrap();
    }

    // Each round tries to start the process.
    for _ in 0..3 {
        assert_eq!(process.id(), None);
        test.program.turn().unwrap();
    }

    drop(end);
    let _ = other.join();

    while process.id().is_none() {
        test.program.turn().unwrap();
    }

    process.terminate().unwrap();
    test.program.wait().unwrap();
}
