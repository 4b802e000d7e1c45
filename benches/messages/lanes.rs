//! The library's messages.

use std::hint::spin_loop;
use std::slice;
use std::sync::atomic::Ordering::{Acquire, Release};

use ngx_ipc::message::endpoint::Endpoint;
use ngx_ipc::message::event::{Event, Message};
use ngx_ipc::message::identity::Identity;
use ngx_ipc::message::layout::{CHUNK, Class, Layout, Sizes};
use ngx_ipc::message::letter::Refused;
use ngx_ipc::message::letter::{Letter, Target};
use ngx_ipc::message::lineage::Lineage;
use ngx_ipc::message::mapped::Mapped;
use ngx_ipc::message::member::Member;
use ngx_ipc::message::memory::Memory;
use ngx_ipc::message::peers::appoint;

use super::process::{self, Shared, child, look_at, pin, time, time_each, wait};
use super::wake;

const DATA: Letter = Letter {
    class: Class::Data,
    message_type: 1,
    user: 0,
    timed: false,
};

/// Begins to use a slot.
pub fn attach(mapped: &Mapped, slot: u32) -> Endpoint<&Mapped> {
    Endpoint::attach(mapped, slot).unwrap()
}

/// A region in which each slot has a process.
pub fn region(slots: u32) -> Mapped {
    let sizes = Sizes {
        slots,
        ..Sizes::default()
    };
    let layout = Layout::new(sizes).unwrap();
    let mapped = Mapped::new(layout.size(), slots as usize).unwrap();

    layout.create(&&mapped);

    for slot in 0..slots {
        appoint(
            &&mapped,
            &layout,
            slot,
            Identity::default(),
            Lineage::stranger(1),
        );
    }

    mapped
}

fn to(slot: u32) -> Target {
    Target {
        slot,
        incarnation: None,
    }
}

/// Sends a message; waits for room if there is none.
pub fn send(from: &mut Endpoint<&Mapped>, slot: u32, bytes: &[u8]) {
    while let Err(refused) = from.send(to(slot), DATA, bytes) {
        assert_eq!(refused, Refused::Again);

        loop {
            let mut turn = from.turn(1, 0);

            if matches!(from.next(&mut turn), Some(Event::Room(_))) {
                break;
            }

            spin_loop();
        }
    }
}

/// Takes at most `most` messages. Calls `handle` for each.
fn take(to: &mut Endpoint<&Mapped>, most: u32, mut handle: impl FnMut(&Message)) -> usize {
    let mut turn = to.turn(most, 0);
    let mut taken = 0;

    while let Some(event) = to.next(&mut turn) {
        if let Event::Message(message) = event {
            handle(&message);
            taken += 1;

            if taken == most as usize {
                break;
            }
        }
    }

    taken
}

/// Takes at most `most` messages, and looks at their payloads.
fn look(to: &mut Endpoint<&Mapped>, most: u32) -> usize {
    let memory = to.member().memory;

    take(to, most, |message| {
        let len = message.len as usize;
        let payload = memory.address(message.payload, len).unwrap();

        // SAFETY: the payload stays in place until the next message is taken.
        look_at(unsafe { slice::from_raw_parts(payload.as_ptr(), len) });
    })
}

/// Waits for `n` messages.
fn wait_for(to: &mut Endpoint<&Mapped>, n: usize) {
    let mut got = 0;

    while got < n {
        let taken = look(to, (n - got).min(64) as u32);

        got += taken;

        if taken == 0 {
            spin_loop();
        }
    }
}

/// Makes the page tables for the pool of the receiver.
fn populate(mapped: &Mapped, member: &Member<&Mapped>) {
    let len = (member.layout.sizes.chunks * CHUNK) as usize;
    let pool = (&mapped).address(member.layout.chunk(0, 0), len).unwrap();

    process::populate(pool.as_ptr(), len);
}

pub fn one_way(n: usize, len: usize, senders: u32) -> f64 {
    pin(1);

    let mapped = region(8);
    let bytes = vec![7; len];
    let mut to = attach(&mapped, 0);
    let each = n / senders as usize;
    let warm = (each / 4).max(8);
    let started = Shared::new(4096);
    let pids: Vec<_> = (1..=senders)
        .map(|slot| {
            child(|| {
                let mut from = attach(&mapped, slot);

                populate(&mapped, from.member());

                for _ in 0..warm {
                    send(&mut from, 0, &bytes);
                }

                while started.word(0).load(Acquire) == 0 {
                    // The senders share one processor.
                    std::thread::yield_now();
                }

                for _ in 0..each {
                    send(&mut from, 0, &bytes);
                }

                // The end of a process takes time, in which another sender that
                // shares the processor cannot run.
                while started.word(64).load(Acquire) == 0 {
                    std::thread::yield_now();
                }
            })
        })
        .collect();

    populate(&mapped, to.member());
    wait_for(&mut to, warm * senders as usize);

    let rest = each * senders as usize;
    let value = time(rest, || {
        started.word(0).store(1, Release);
        wait_for(&mut to, rest);
    });

    started.word(64).store(1, Release);
    wait(&pids);
    value
}

pub fn round_trip(n: usize) -> f64 {
    both(n, |process| wait_for(process, 1))
}

fn both(n: usize, receive: fn(&mut Endpoint<&Mapped>)) -> f64 {
    pin(1);

    let mapped = region(8);
    let bytes = [7; 64];
    let mut mine = attach(&mapped, 0);
    let pid = child(|| {
        let mut other = attach(&mapped, 1);

        for _ in 0..n {
            receive(&mut other);
            send(&mut other, 0, &bytes);
        }
    });
    let value = time_each(n, || {
        send(&mut mine, 1, &bytes);
        receive(&mut mine);
    });

    wait(&[pid]);
    value
}

/// Waits for a message: looks for it for `look_for` nanoseconds, and then sleeps in
/// `epoll_wait(2)`.
pub fn sleep_for(process: &mut Endpoint<&Mapped>, look_for: u64, epoll: i32) {
    while look(process, 1) == 0 {
        if look_for > 0 && matches!(process.spin(look_for), Some(Event::Message(_))) {
            break;
        }

        if process.prepare_sleep() {
            wake::sleep(epoll);
            process.wake_up();
        }
    }
}

/// Round trips of two processes that look for a message for some nanoseconds, each
/// for its own time, and then sleep.
fn sleepers(n: usize, look_for: [u64; 2]) -> f64 {
    pin(1);

    let mapped = region(8);
    let bytes = [7; 64];
    let edge = (libc::EPOLLIN | libc::EPOLLET) as u32;
    let run = |slot: u32, other: u32| {
        let mut process = attach(&mapped, slot);
        let epoll = wake::watch(mapped.descriptor(slot).unwrap(), edge);
        let mut trip = |look_for: u64| {
            if slot == 0 {
                send(&mut process, other, &bytes);
            }

            sleep_for(&mut process, look_for, epoll);

            if slot == 1 {
                send(&mut process, other, &bytes);
            }
        };

        // Both processes are awake at first.
        for _ in 0..16 {
            trip(u64::MAX);
        }

        let value = time_each(n, || trip(look_for[slot as usize]));

        wake::close(&[epoll]);
        value
    };
    let pid = child(|| {
        run(1, 0);
    });
    let value = run(0, 1);

    wait(&[pid]);
    value
}

pub fn asleep(n: usize) -> f64 {
    sleepers(n, [0, 0])
}

/// The other process is busy: it never sleeps.
pub fn reply_of_a_busy_process(n: usize) -> f64 {
    sleepers(n, [5_000, u64::MAX])
}

pub fn both_look(n: usize, nanoseconds: u64) -> f64 {
    sleepers(n, [nanoseconds, nanoseconds])
}

pub fn broadcast(n: usize) -> f64 {
    const RECEIVERS: u32 = 500;

    pin(1);

    let mapped = region(RECEIVERS + 1);
    let bytes = [7; 64];
    let mut from = attach(&mapped, 0);
    let mut receivers: Vec<_> = (1..=RECEIVERS).map(|slot| attach(&mapped, slot)).collect();
    let mut total = 0.0;

    // The first round opens the lanes.
    for round in 0..=n {
        let value = time(n * RECEIVERS as usize, || {
            let result = from.broadcast((1..=RECEIVERS).map(to), DATA, &bytes, |_, _| ());

            assert_eq!(result.sent, RECEIVERS);
        });

        if round > 0 {
            total += value;
        }

        for receiver in &mut receivers {
            wait_for(receiver, 1);
        }
    }

    total
}
