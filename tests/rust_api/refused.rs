//! Tests of what the interface refuses.

use std::cell::Cell;
use std::fs::File;
use std::rc::Rc;
use std::sync::atomic::AtomicU8;
use std::thread;

use ngx_ipc::api::{MessageType, Program, Server, SharedMemory, To};

use super::Case;
use super::leaks::{Checked, descriptors};

pub const CASES: &[Case] = &[
    ("refused::a_second_program", a_second_program),
    ("refused::spawn_beside_a_thread", spawn_beside_a_thread),
    ("refused::spawn_after_a_thread", spawn_after_a_thread),
    ("refused::another_thread", another_thread),
    (
        "refused::the_event_loop_in_a_handler",
        the_event_loop_in_a_handler,
    ),
    (
        "refused::spawn_without_descriptors",
        spawn_without_descriptors,
    ),
];

fn a_second_program() {
    let program = Checked::start();

    assert!(Program::init().is_err());
    assert!(Server::builder().run().to_string().contains("already"));
    program.finish();
}

/// Runs `f` while another thread waits.
fn beside_a_thread(f: impl FnOnce()) {
    let (end, wait) = std::sync::mpsc::channel::<()>();
    let other = thread::spawn(move || wait.recv());

    f();
    drop(end);
    let _ = other.join();
}

fn spawn_beside_a_thread() {
    beside_a_thread(|| {
        assert!(Program::init().unwrap_err().to_string().contains("threads"));
        assert!(Server::builder().run().to_string().contains("threads"));
    });

    let program = Checked::start();

    beside_a_thread(|| {
        let err = program.spawn(c"worker", |_| ()).unwrap_err();

        assert!(err.to_string().contains("threads"));
        assert!(program.keep(c"worker", |_| ()).is_err());
    });

    // A process can start threads itself, and its parent can spawn again.
    let process = program
        .spawn(c"worker", |_| thread::spawn(|| 6).join().unwrap())
        .unwrap();

    program.finish();
    assert_eq!(process.exit(), Some(ngx_ipc::api::Exit::Code(6)));
}

fn spawn_after_a_thread() {
    let program = Checked::start();

    for _ in 0..200 {
        thread::spawn(|| ()).join().unwrap();
        program.spawn(c"worker", |_| ()).unwrap();
    }

    program.finish();
}

fn another_thread() {
    let program = Checked::start();
    let all_fail = thread::scope(|scope| {
        scope
            .spawn(|| {
                Program::init().is_err()
                    && SharedMemory::<AtomicU8>::new(1).is_err()
                    && MessageType::<()>::register(c"other", |_| {}).is_err()
            })
            .join()
            .unwrap()
    });

    assert!(all_fail);
    assert!(MessageType::<()>::register(c"other", |_| {}).is_ok());
    program.finish();
}

fn the_event_loop_in_a_handler() {
    let program: &Checked = Box::leak(Box::new(Checked::start()));
    let called = Rc::new(Cell::new(false));
    let seen = Rc::clone(&called);
    let type_ = MessageType::<()>::register(c"type", move |_| {
        assert!(program.turn().is_err());
        assert!(program.wait().is_err());
        seen.set(true);
    })
    .unwrap();

    program
        .spawn(c"worker", move |_| type_.send(To::MASTER, &()))
        .unwrap();

    while !called.get() {
        program.turn().unwrap();
    }

    program.wait().unwrap();
}

fn spawn_without_descriptors() {
    let program = Checked::start();
    let before = descriptors();
    let kept = Rc::new(());
    let mut files = Vec::new();

    set_limit(64);
    while let Ok(file) = File::open("/dev/null") {
        files.push(file);
    }

    let (one, other) = (Rc::clone(&kept), Rc::clone(&kept));

    assert!(program.spawn(c"worker", move |_| drop(one)).is_err());
    assert!(
        program
            .keep(c"worker", move |_| assert_eq!(Rc::strong_count(&other), 2))
            .is_err()
    );
    // Both closures were dropped.
    assert_eq!(Rc::strong_count(&kept), 1);

    drop(files);
    assert_eq!(descriptors(), before);
    program.spawn(c"worker", |_| ()).unwrap();
    program.finish();
}

/// Sets the largest number of descriptors, RLIMIT_NOFILE of `setrlimit(2)`.
#[allow(unsafe_code)]
fn set_limit(n: libc::rlim_t) {
    let limit = libc::rlimit {
        rlim_cur: n,
        rlim_max: n,
    };

    // SAFETY: setrlimit() reads a structure, which is local.
    let result = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };

    assert_eq!(result, 0);
}
