//! Tests of channels and shared memory.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicI32, AtomicU64};

use ngx_ipc::api::{Channel, Payload, SharedMemory};
use nix::sys::socket::sockopt::PassCred;
use nix::sys::socket::{MsgFlags, send, setsockopt};

use super::Case;
use super::leaks::Checked;

pub const CASES: &[Case] = &[
    (
        "channels::messages_keep_their_bounds",
        messages_keep_their_bounds,
    ),
    ("channels::descriptors_arrive", descriptors_arrive),
    (
        "channels::a_channel_is_sent_on_a_channel",
        a_channel_is_sent_on_a_channel,
    ),
    (
        "channels::a_message_of_another_type",
        a_message_of_another_type,
    ),
    ("channels::what_is_too_large", what_is_too_large),
    ("channels::a_message_that_is_cut", a_message_that_is_cut),
    (
        "channels::descriptors_arrive_with_credentials",
        descriptors_arrive_with_credentials,
    ),
    ("channels::a_full_channel_waits", a_full_channel_waits),
    ("channels::both_ends_close", both_ends_close),
    (
        "channels::shared_memory_is_counted_exactly",
        shared_memory_is_counted_exactly,
    ),
    (
        "channels::shared_memory_is_unmapped",
        shared_memory_is_unmapped,
    ),
];

fn messages_keep_their_bounds() {
    let program = Checked::start();
    let (ours, theirs) = Channel::<String>::pair().unwrap();

    program
        .spawn(c"echo", move |_| -> io::Result<()> {
            for _ in 0..3 {
                theirs.send(&theirs.recv()?)?;
            }
            Ok(())
        })
        .unwrap();

    assert_eq!(ours.try_recv().unwrap(), None);
    for text in ["one", "", &"x".repeat(Channel::<String>::MAX_PAYLOAD)] {
        ours.send(&text.to_string()).unwrap();
        assert_eq!(ours.recv().unwrap(), text);
    }

    drop(ours);
    program.finish();
}

fn descriptors_arrive() {
    let program = Checked::start();
    let (ours, theirs) = Channel::<u32>::pair().unwrap();

    program
        .spawn(c"writer", move |_| -> io::Result<()> {
            let (n, fds) = theirs.recv_fds()?;

            assert_eq!(n, 2);
            for fd in fds {
                File::from(fd).write_all(b"hello")?;
            }
            Ok(())
        })
        .unwrap();

    let (read, write) = nix::unistd::pipe().unwrap();

    ours.send_fds(&2, &[write.as_fd(), write.as_fd()]).unwrap();
    drop(write);

    let mut text = String::new();

    File::from(read).read_to_string(&mut text).unwrap();
    assert_eq!(text, "hellohello");

    // recv() closes the descriptors that it does not return.
    let (one, other) = Channel::<u32>::pair().unwrap();

    one.send_fds(&1, &[one.as_fd()]).unwrap();
    other.recv().unwrap();
    drop((one, other, ours));
    program.finish();
}

fn a_channel_is_sent_on_a_channel() {
    let program = Checked::start();
    let (ours, theirs) = Channel::<()>::pair().unwrap();
    let (one, other) = Channel::<u64>::pair().unwrap();

    ours.send_fds(&(), &[other.as_fd()]).unwrap();
    drop(other);

    let (_, fds) = theirs.recv_fds().unwrap();
    let other = Channel::<u64>::try_from(fds.into_iter().next().unwrap()).unwrap();

    one.send(&9).unwrap();
    assert_eq!(other.recv().unwrap(), 9);

    let file = OwnedFd::from(File::open("/dev/null").unwrap());

    assert!(Channel::<u64>::try_from(file).is_err());
    drop((one, other, ours, theirs));
    program.finish();
}

/// A value that is not what it says.
struct Liar;

impl Payload for Liar {
    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.push(7);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        bytes.is_empty().then_some(Self)
    }
}

fn a_message_of_another_type() {
    let program = Checked::start();
    let (ours, theirs) = Channel::<Liar>::pair().unwrap();

    ours.send_fds(&Liar, &[ours.as_fd()]).unwrap();

    let err = theirs.recv().err().unwrap();

    assert_eq!(err.kind(), ErrorKind::InvalidData);
    drop((ours, theirs));
    program.finish();
}

fn what_is_too_large() {
    let program = Checked::start();
    let (ours, theirs) = Channel::<Vec<u8>>::pair().unwrap();
    let large = vec![0; Channel::<Vec<u8>>::MAX_PAYLOAD + 1];
    let many = vec![ours.as_fd(); Channel::<Vec<u8>>::MAX_FDS + 1];

    assert_eq!(
        ours.send(&large).unwrap_err().raw_os_error(),
        Some(libc::EMSGSIZE)
    );
    assert_eq!(
        ours.send_fds(&vec![], &many).unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
    assert_eq!(theirs.try_recv().unwrap(), None);
    drop((ours, theirs));
    program.finish();
}

fn a_message_that_is_cut() {
    let program = Checked::start();
    let (ours, theirs) = Channel::<Vec<u8>>::pair().unwrap();
    let long = vec![1; Channel::<Vec<u8>>::MAX_PAYLOAD + 2];

    // Another program can send more than a channel does.
    send(ours.as_fd().as_raw_fd(), &long, MsgFlags::empty()).unwrap();
    assert_eq!(theirs.recv().unwrap_err().kind(), ErrorKind::InvalidData);
    ours.send(&vec![5]).unwrap();
    assert_eq!(theirs.recv().unwrap(), [5]);
    drop((ours, theirs));
    program.finish();
}

fn descriptors_arrive_with_credentials() {
    const MAX: usize = Channel::<u8>::MAX_FDS;

    let program = Checked::start();
    let (ours, theirs) = Channel::<u8>::pair().unwrap();

    // The kernel adds the sender's pid, before the descriptors.
    setsockopt(&theirs, PassCred, &true).unwrap();
    ours.send_fds(&1, &[ours.as_fd(); MAX]).unwrap();

    let (n, fds) = theirs.recv_fds().unwrap();

    assert_eq!((n, fds.len()), (1, MAX));
    drop((ours, theirs, fds));
    program.finish();
}

fn a_full_channel_waits() {
    const MESSAGES: u64 = 2000;

    let program = Checked::start();
    let (ours, theirs) = Channel::<[u8; 4096]>::pair().unwrap();
    let (ready, start) = Channel::<u64>::pair().unwrap();

    program
        .spawn(c"sender", move |_| -> io::Result<()> {
            start.send(&0)?;
            (0..MESSAGES).try_for_each(|n| theirs.send(&[n as u8; 4096]))
        })
        .unwrap();

    // The sender fills the socket, which has room for fewer messages.
    ready.recv().unwrap();
    for n in 0..MESSAGES {
        assert_eq!(ours.recv().unwrap()[0], n as u8);
    }

    drop((ours, ready));
    program.finish();
}

fn both_ends_close() {
    let program = Checked::start();
    let (ours, theirs) = Channel::<u8>::pair().unwrap();

    theirs.send(&1).unwrap();
    drop(theirs);
    assert_eq!(ours.recv().unwrap(), 1);
    assert_eq!(ours.recv().unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(
        ours.try_recv().unwrap_err().kind(),
        ErrorKind::UnexpectedEof
    );
    assert_eq!(ours.send(&1).unwrap_err().kind(), ErrorKind::BrokenPipe);
    drop(ours);
    program.finish();
}

fn shared_memory_is_counted_exactly() {
    let program = Checked::start();
    let memory = SharedMemory::<AtomicU64>::new(3).unwrap();

    for worker in 0..4 {
        program
            .spawn(c"counter", |_| {
                for _ in 0..10_000 {
                    memory[worker % 2].fetch_add(1, Relaxed);
                }
            })
            .unwrap();
    }

    program.finish();
    assert_eq!(memory.len(), 3);
    assert_eq!(format!("{memory:?}"), "[20000, 20000, 0]");
}

fn shared_memory_is_unmapped() {
    let maps = || {
        fs::read_to_string("/proc/self/maps")
            .unwrap()
            .matches("/dev/zero")
            .count()
    };
    let before = maps();
    let memory = SharedMemory::<AtomicI32>::new(1_000_000).unwrap();

    assert_eq!(memory.len(), 1_000_000);
    assert_eq!(maps(), before + 1);
    drop(memory);
    assert_eq!(maps(), before);

    for len in [0, usize::MAX, usize::MAX / 8] {
        assert!(SharedMemory::<AtomicI32>::new(len).is_err());
    }
}
