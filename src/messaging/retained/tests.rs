//! Tests of messages that are kept.

use super::*;
use crate::message::identity::Identity;
use crate::message::interrupted::{Act, Interrupted};
use crate::message::mapped::Mapped;
use crate::message::peers::State;
use crate::messaging::board;

const AUDIENCE: Audience = Audience {
    set: Set(Set::WORKERS),
    generation: 3,
    master: (0, 1),
};

fn peer(slot: u32) -> Option<Peer> {
    Some(Peer {
        slot,
        state: State::Running,
        incarnation: 1,
        line: 1,
        identity: Identity::default(),
    })
}

#[test]
fn the_last_message_is_kept() {
    let mapped = Mapped::new(board::SIZE, 0).unwrap();
    let board = &mapped;

    assert_eq!(read(&board, 3), Ok(None));
    assert_eq!(keep(&board, 3, (1, 1), (b"one", AUDIENCE), peer), None);
    assert!(add(&board, 3) && add(&board, 3));
    assert_eq!(version(&board, 3), 0);
    assert_eq!(keep(&board, 3, (1, 1), (b"one", AUDIENCE), peer), Some(1));
    assert_eq!(keep(&board, 3, (2, 1), (b"two", AUDIENCE), peer), Some(2));

    let kept = read(&board, 3).unwrap().unwrap();

    assert_eq!((kept.version, kept.sender), (2, (2, 1)));
    assert_eq!((&*kept.payload, kept.audience), (&b"two"[..], AUDIENCE));
    assert_eq!(version(&board, 3), 2);
    assert_eq!(read(&board, 4), Ok(None));
    assert_eq!(
        keep(&board, 3, (1, 1), (&vec![0; LARGEST + 1], AUDIENCE), peer),
        None
    );
    assert_eq!(
        keep(&board, 3, (1, 1), (&vec![7; LARGEST], AUDIENCE), peer),
        Some(3)
    );
    assert_eq!(read(&board, 3).unwrap().unwrap().payload, vec![7; LARGEST]);

    // The types have different memory, and there is room for some of them only.
    assert!((4..3 + MAX_KEPT).all(|number| add(&board, number)));
    assert!(!add(&board, 3 + MAX_KEPT) && add(&board, 3));
    assert_eq!(read(&board, 2 + MAX_KEPT), Ok(None));

    for number in 3..3 + MAX_KEPT {
        let payload = [number as u8; 9000];

        keep(&board, number, (1, 1), (&payload, AUDIENCE), peer);
    }

    for number in 3..3 + MAX_KEPT {
        assert_eq!(
            read(&board, number).unwrap().unwrap().payload,
            [number as u8; 9000]
        );
    }
}

#[test]
fn a_process_that_writes_leaves_the_current_message() {
    let mapped = Mapped::new(board::SIZE, 0).unwrap();
    let board = &mapped;

    add(&board, 0);
    let place = Place::of(&board, 0).unwrap();

    keep(&board, 0, (1, 1), (b"one", AUDIENCE), peer);

    // Processes are stopped while they write.
    for slot in 2..=BUFFERS {
        assert!(take(&board, place, (slot, 1), peer).is_some());
    }

    assert_eq!(keep(&board, 0, (1, 1), (b"two", AUDIENCE), peer), None);
    assert_eq!(read(&board, 0).unwrap().unwrap().payload, b"one");

    // One of them is dead.
    let but_three = |slot| peer(slot).filter(|peer| peer.slot != 3);

    assert_eq!(
        keep(&board, 0, (1, 1), (b"two", AUDIENCE), but_three),
        Some(2)
    );
    assert_eq!(read(&board, 0).unwrap().unwrap().payload, b"two");

    // The slot of another one has a new process, which does not write.
    let with_new_two = |slot| {
        peer(slot).map(|peer| Peer {
            incarnation: if slot == 2 { 2 } else { 1 },
            ..peer
        })
    };

    // No buffer is free.
    assert!(take(&board, place, (5, 1), but_three).is_some());
    assert_eq!(
        keep(&board, 0, (6, 1), (b"three", AUDIENCE), but_three),
        None
    );
    assert_eq!(
        keep(&board, 0, (6, 1), (b"three", AUDIENCE), with_new_two),
        Some(3)
    );
    assert_eq!(read(&board, 0).unwrap().unwrap().payload, b"three");
}

/// A process keeps a message whose length and bytes follow from its slot.
fn keep_own<M: Memory>(board: &M, slot: u32) -> u32 {
    let payload = vec![slot as u8; 100 * slot as usize];

    keep(board, 0, (slot, 1), (&payload, AUDIENCE), peer).unwrap()
}

/// Checks that the message is whole that is kept. Returns its sender.
fn check_whole<M: Memory>(board: &M) -> u32 {
    let kept = read(board, 0).unwrap().unwrap();
    let (slot, _) = kept.sender;

    assert_eq!(kept.payload, vec![slot as u8; 100 * slot as usize]);
    slot
}

/// While a process reads, others keep so many messages that all buffers are
/// written again: before its first access, before its second one, and so on.
#[test]
fn a_reader_never_gets_a_part_of_a_message() {
    for access in 0.. {
        let mapped = Mapped::new(board::SIZE, 0).unwrap();
        let board = &mapped;

        add(&board, 0);
        keep_own(&board, 1);

        let others = move || {
            (2..=1 + BUFFERS).for_each(|slot| {
                keep_own(&board, slot);
            })
        };
        let interrupted = Interrupted::new(board, vec![(access, Box::new(others))]);

        check_whole(&&interrupted);

        if interrupted.accesses() <= access {
            break;
        }
    }
}

/// A process keeps a message before each access of a reader.
#[test]
fn a_writer_does_not_keep_a_reader_busy() {
    let mapped = Mapped::new(board::SIZE, 0).unwrap();
    let board = &mapped;

    add(&board, 0);
    keep_own(&board, 1);

    let accesses = 1000;
    let act = |access| -> Act<'_> {
        (
            access,
            Box::new(move || {
                keep_own(&board, 2);
            }),
        )
    };
    let interrupted = Interrupted::new(board, (0..accesses).map(act).collect());

    assert_eq!(read(&&interrupted, 0), Err(GaveUp));
    assert!(interrupted.accesses() < accesses / 2);
    assert_eq!(check_whole(&board), 2);
}

/// A process keeps a message. Before its access number `first` another one keeps a
/// message, and before its access number `second` one reads. Returns the number of its
/// accesses.
fn keep_with_interruptions(first: u32, second: u32) -> u32 {
    let mapped = Mapped::new(board::SIZE, 0).unwrap();
    let board = &mapped;

    add(&board, 0);
    keep_own(&board, 1);

    let keeps = move || {
        keep_own(&board, 3);
    };
    let reads = move || {
        check_whole(&board);
    };
    let acts: Vec<Act<'_>> = vec![(first, Box::new(keeps)), (second, Box::new(reads))];
    let interrupted = Interrupted::new(board, acts);
    let version = keep_own(&&interrupted, 2);
    let is_last = version == read(&board, 0).unwrap().unwrap().version;

    assert_eq!(check_whole(&board), if is_last { 2 } else { 3 });
    interrupted.accesses()
}

/// The interruptions come before each access, and before each later one.
#[test]
fn a_writer_never_changes_the_current_message() {
    // The process needs more accesses when it is interrupted.
    let most = 2 * keep_with_interruptions(u32::MAX, u32::MAX);

    for first in 0..most {
        for second in first..most {
            keep_with_interruptions(first, second);
        }
    }
}

#[test]
fn versions_wrap() {
    assert_eq!(next(VERSION), 1);
    assert!(is_old(5, 5));
    assert!(is_old(4, 5));
    assert!(!is_old(6, 5));
    assert!(is_old(VERSION, 1));
    assert!(!is_old(1, VERSION));
}
