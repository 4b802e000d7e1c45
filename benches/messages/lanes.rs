//! The library's messages.

use std::hint::{black_box, spin_loop};
use std::sync::atomic::Ordering::{Acquire, Release};

use ngx_ipc::message::endpoint::Endpoint;
use ngx_ipc::message::event::{Event, Message};
use ngx_ipc::message::layout::{CHUNK, Class, Layout, Sizes};
use ngx_ipc::message::letter::Refused;
use ngx_ipc::message::letter::{Letter, Target};
use ngx_ipc::message::mapped::Mapped;
use ngx_ipc::message::member::Member;
use ngx_ipc::message::memory::Memory;
use ngx_ipc::message::peers::{Heritage, Identity, appoint};

use super::process::{self, Shared, child, pin, time, time_each, wait};
use super::wake;

const DATA: Letter = Letter {
    class: Class::Data,
    message_type: 1,
    user: 0,
    timed: false,
};

fn region(slots: u32) -> Mapped {
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
            Heritage::Stranger,
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
fn send(from: &mut Endpoint<&Mapped>, slot: u32, bytes: &[u8]) {
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

/// Takes messages until there is none. Calls `handle` for each.
fn take(to: &mut Endpoint<&Mapped>, mut handle: impl FnMut(&Message)) -> usize {
    let mut turn = to.turn(64, 0);
    let mut taken = 0;

    while let Some(event) = to.next(&mut turn) {
        if let Event::Message(message) = event {
            handle(&message);
            taken += 1;
        }
    }

    taken
}

fn look(to: &mut Endpoint<&Mapped>) -> usize {
    let memory = to.member().memory;

    take(to, |message| {
        let mut first = [0; 8];

        memory.read(message.payload, &mut first);
        black_box(first);
    })
}

/// Waits for `n` messages.
fn wait_for(to: &mut Endpoint<&Mapped>, n: usize) {
    let mut got = 0;

    while got < n {
        let taken = look(to);

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
    let mut to = Endpoint::attach(&mapped, 0).unwrap();
    let each = n / senders as usize;
    let warm = (each / 4).max(8);
    let started = Shared::new(4096);
    let pids: Vec<_> = (1..=senders)
        .map(|slot| {
            child(|| {
                let mut from = Endpoint::attach(&mapped, slot).unwrap();

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
    let mut mine = Endpoint::attach(&mapped, 0).unwrap();
    let pid = child(|| {
        let mut other = Endpoint::attach(&mapped, 1).unwrap();

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

/// Round trips in which each process sleeps in `epoll_wait(2)` for at least as
/// long as the other one works. `look` says for how many nanoseconds a process
/// looks for a message before it sleeps.
fn sleepers(n: usize, look_for: u64) -> f64 {
    pin(1);

    let mapped = region(8);
    let bytes = [7; 64];
    let edge = (libc::EPOLLIN | libc::EPOLLET) as u32;
    let run = |slot: u32, other: u32| {
        let mut process = Endpoint::attach(&mapped, slot).unwrap();
        let epoll = wake::watch(mapped.descriptor(slot).unwrap(), edge);

        time_each(n, || {
            if slot == 0 {
                send(&mut process, other, &bytes);
            }

            while look(&mut process) == 0 {
                if look_for > 0 && matches!(process.spin(look_for), Some(Event::Message(_))) {
                    break;
                }

                if process.prepare_sleep() {
                    wake::sleep(epoll);
                    process.wake_up();
                }
            }

            if slot == 1 {
                send(&mut process, other, &bytes);
            }
        });

        wake::close(&[epoll]);
    };
    let pid = child(|| run(1, 0));
    let value = time(n, || run(0, 1));

    wait(&[pid]);
    value
}

pub fn asleep(n: usize) -> f64 {
    sleepers(n, 0)
}

pub fn spinning(n: usize) -> f64 {
    sleepers(n, 5000)
}

pub fn broadcast(n: usize) -> f64 {
    const RECEIVERS: u32 = 500;

    pin(1);

    let mapped = region(RECEIVERS + 1);
    let bytes = [7; 64];
    let mut from = Endpoint::attach(&mapped, 0).unwrap();
    let mut receivers: Vec<_> = (1..=RECEIVERS)
        .map(|slot| Endpoint::attach(&mapped, slot).unwrap())
        .collect();
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
            assert_eq!(look(receiver), 1);
        }
    }

    total
}
