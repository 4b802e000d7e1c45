//! Tests of messages and requests.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use ngx_ipc::api::{Exit, Message, MessageType, Outcome, Payload, Set, To, Worker};

use super::Case;
use super::leaks::{Checked, descriptors};

pub const CASES: &[Case] = &[
    (
        "messages::a_broadcast_reaches_all_workers",
        a_broadcast_reaches_all_workers,
    ),
    ("messages::a_request_is_answered", a_request_is_answered),
    (
        "messages::a_request_that_is_not_answered",
        a_request_that_is_not_answered,
    ),
    ("messages::a_reply_of_another_type", a_reply_of_another_type),
    (
        "messages::a_message_of_another_type_is_dropped",
        a_message_of_another_type_is_dropped,
    ),
    (
        "messages::a_panic_of_a_handler_is_an_exit_code",
        a_panic_of_a_handler_is_an_exit_code,
    ),
    ("messages::what_cannot_be_sent", what_cannot_be_sent),
    ("messages::types_that_are_refused", types_that_are_refused),
];

const SOON: Duration = Duration::from_secs(20);

/// Runs the event loop until the process is told to exit.
fn run(worker: &Worker) -> io::Result<()> {
    while !worker.is_told_to_exit() {
        worker.turn()?;
    }
    Ok(())
}

fn a_broadcast_reaches_all_workers() {
    const WORKERS: usize = 4;

    let program = Checked::start();
    let answers = Rc::new(RefCell::new(Vec::new()));
    let kept = Rc::clone(&answers);
    let answer = MessageType::<String>::register(c"answer", move |m: Message<String>| {
        kept.borrow_mut()
            .push((m.sender().slot().unwrap(), m.into_payload()));
    })
    .unwrap();
    let news = MessageType::<String>::register(c"news", move |m| {
        assert_eq!(m.sender().slot(), None);
        assert!(!m.is_request());
        answer
            .send(To::MASTER, &m.into_payload().to_uppercase())
            .unwrap();
    })
    .unwrap();

    for _ in 0..WORKERS {
        program.spawn(c"worker", run).unwrap();
    }

    let sent = news.broadcast(Set::SPAWNED, &"hello".to_string()).unwrap();

    assert_eq!(sent, WORKERS);
    while answers.borrow().len() < WORKERS {
        program.turn().unwrap();
    }

    let mut found = answers.borrow().clone();

    found.sort();
    assert_eq!(found, [0, 1, 2, 3].map(|slot| (slot, "HELLO".to_string())));
    program.terminate().unwrap();
    program.wait().unwrap();
}

fn a_request_is_answered() {
    let program = Checked::start();
    let square = MessageType::<u64>::register(c"square", |m| {
        assert!(m.is_request());
        m.reply(&(m.payload() * m.payload())).unwrap();
    })
    .unwrap();
    let process = program.spawn(c"worker", run).unwrap();
    let found = Rc::new(Cell::new(None));

    for n in 0..10_u64 {
        let found = Rc::clone(&found);

        square
            .request(To::slot(process.slot()), &n, SOON, move |outcome| {
                assert_eq!(outcome, Outcome::Replied(n * n));
                found.set(Some(n));
            })
            .unwrap();
    }

    while found.get() != Some(9) {
        program.turn().unwrap();
    }

    // Each handler was called and dropped.
    assert_eq!(Rc::strong_count(&found), 1);
    program.terminate().unwrap();
    program.wait().unwrap();
    assert_eq!(process.exit(), Some(Exit::Code(0)));
}

fn a_request_that_is_not_answered() {
    let program = Checked::start();
    let ask = MessageType::<bool>::register(c"ask", |m| {
        if *m.payload() {
            std::process::exit(9);
        }
    })
    .unwrap();
    let process = program.spawn(c"worker", run).unwrap();
    let to = To::slot(process.slot());
    let outcomes = Rc::new(RefCell::new(Vec::new()));

    for (dies, timeout) in [(false, Duration::from_millis(1)), (true, SOON)] {
        let kept = Rc::clone(&outcomes);

        ask.request(to, &dies, timeout, move |outcome: Outcome<u8>| {
            kept.borrow_mut().push(outcome);
        })
        .unwrap();

        while outcomes.borrow().len() < 1 + usize::from(dies) {
            program.turn().unwrap();
        }
    }

    assert_eq!(*outcomes.borrow(), [Outcome::TooLate, Outcome::Died]);
    program.wait().unwrap();
    assert_eq!(process.exit(), Some(Exit::Code(9)));
}

fn a_reply_of_another_type() {
    let program = Checked::start();
    let ask = MessageType::<()>::register(c"ask", |m| m.reply(&1_u8).unwrap()).unwrap();
    let process = program.spawn(c"worker", run).unwrap();
    let outcome = Rc::new(RefCell::new(None));
    let kept = Rc::clone(&outcome);

    ask.request(
        To::slot(process.slot()),
        &(),
        SOON,
        move |outcome: Outcome<u64>| {
            *kept.borrow_mut() = Some(outcome);
        },
    )
    .unwrap();

    while outcome.borrow().is_none() {
        program.turn().unwrap();
    }

    assert!(matches!(*outcome.borrow(), Some(Outcome::Invalid(_))));
    program.terminate().unwrap();
    program.wait().unwrap();
}

/// A number whose bytes are those of another type.
struct Short(u8);

impl Payload for Short {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.0.encode(bytes);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        u8::decode(bytes).filter(|&n| n != 1).map(Self)
    }
}

fn a_message_of_another_type_is_dropped() {
    let program = Checked::start();
    let received = Rc::new(RefCell::new(Vec::new()));
    let kept = Rc::clone(&received);
    let numbers = MessageType::<Short>::register(c"numbers", move |m: Message<Short>| {
        kept.borrow_mut().push(m.payload().0);
    })
    .unwrap();

    program
        .spawn(c"worker", move |_| {
            [1, 2]
                .iter()
                .try_for_each(|&n| numbers.send(To::MASTER, &Short(n)))
        })
        .unwrap();

    while received.borrow().is_empty() {
        program.turn().unwrap();
    }

    // The first message was dropped.
    assert_eq!(*received.borrow(), [2]);
    program.wait().unwrap();
}

fn a_panic_of_a_handler_is_an_exit_code() {
    let program = Checked::start();
    let bad = MessageType::<()>::register(c"bad", |_| panic!("a bad message")).unwrap();
    let process = program.spawn(c"worker", run).unwrap();

    bad.send(To::slot(process.slot()), &()).unwrap();
    program.wait().unwrap();
    assert_eq!(process.exit(), Some(Exit::Code(101)));
}

fn what_cannot_be_sent() {
    let program = Checked::start();
    let type_ = MessageType::<Vec<u8>>::register(c"bytes", |_| {}).unwrap();
    let (ours, theirs) = ngx_ipc::api::Channel::<()>::pair().unwrap();
    let process = program.spawn(c"worker", move |_| theirs.recv()).unwrap();
    let before = descriptors();
    let to = To::slot(process.slot());
    let errno = |result: io::Result<()>| result.unwrap_err().raw_os_error();

    assert_eq!(errno(type_.send(To::slot(500), &vec![])), Some(libc::ESRCH));
    assert_eq!(
        errno(type_.send(to, &vec![0; 2 << 20])),
        Some(libc::EMSGSIZE)
    );

    // The handler of a request that was not sent is dropped.
    let kept = Rc::new(());
    let handler = Rc::clone(&kept);
    let failed = type_.request(To::slot(500), &vec![], SOON, move |_: Outcome<u8>| {
        drop(handler)
    });

    assert_eq!(errno(failed), Some(libc::ESRCH));
    assert_eq!(Rc::strong_count(&kept), 1);

    // The worker does not run its event loop, so its memory becomes full.
    let full = (0..100).find_map(|_| type_.send(to, &vec![0; 1 << 20]).err());

    assert_eq!(full.unwrap().kind(), io::ErrorKind::WouldBlock);
    assert_eq!(descriptors(), before);
    program.terminate().unwrap();
    program.wait().unwrap();
    drop(ours);
}

fn types_that_are_refused() {
    let program = Checked::start();
    let long = c"a name that has one byte more than the forty-eight";

    MessageType::<()>::register(c"same", |_| {}).unwrap();
    assert!(MessageType::<()>::register(c"same", |_| {}).is_err());
    assert!(MessageType::<()>::register(c"", |_| {}).is_err());
    assert!(MessageType::<()>::register(long, |_| {}).is_err());
    program.finish();
}
