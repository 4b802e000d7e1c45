//! Processes that use messages of all kinds. One of them dies and is replaced.

use std::sync::atomic::Ordering::Relaxed;

use ngx_ipc::message::endpoint::Endpoint;
use ngx_ipc::message::identity::Identity;
use ngx_ipc::message::layout::{Class, Layout, Sizes};
use ngx_ipc::message::lineage::Lineage;
use ngx_ipc::message::mapped::Mapped;
use ngx_ipc::message::member::Member;
use ngx_ipc::message::memory::Memory;
use ngx_ipc::message::peers::{self, Heritage};
use ngx_ipc::message::recover::recover;
use ngx_ipc::message::verify::verify;
use ngx_ipc::messaging::address::{Address, TO_SLOT, TO_WORKER};
use ngx_ipc::messaging::exchange::{Exchange, Notice};
use ngx_ipc::messaging::kind::Kind;
use ngx_ipc::messaging::requests::Outcome;
use ngx_ipc::messaging::rows;
use ngx_ipc::table::role::{NGX_PROCESS_MASTER, NGX_PROCESS_WORKER};
pub const SIZES: Sizes = Sizes {
    slots: 5,
    chunks: 40,
    control_chunks: 2,
    quota: 12,
};
/// The master has slot 0. The last slot is vacant.
pub const PROCESSES: u32 = 4;
/// The process that writes garbage.
pub const HOSTILE: u32 = 2;

pub const DATA: Kind = Kind {
    number: 1,
    control: false,
    exact: false,
    once: false,
    retained: false,
    descriptors: false,
    timed: false,
};
const CONTROL: Kind = Kind {
    number: 2,
    control: true,
    ..DATA
};

pub const FIRST: Lineage = Lineage {
    incarnation: 1,
    line: 1,
};

pub type Process<'a> = Exchange<&'a Mapped, ()>;

pub struct Shared {
    region: Mapped,
    board: Mapped,
    pub layout: Layout,
}

impl Shared {
    pub fn new() -> Self {
        let layout = Layout::new(SIZES).unwrap();
        let region = Mapped::new(layout.size(), SIZES.slots as usize).unwrap();

        layout.create(&&region);

        Self {
            region,
            board: Mapped::new(rows::size(SIZES.slots), 0).unwrap(),
            layout,
        }
    }

    pub fn memory(&self) -> &Mapped {
        &self.region
    }

    pub fn board(&self) -> &Mapped {
        &self.board
    }

    pub fn start(&self, slot: u32, lineage: Lineage) -> Process<'_> {
        let (memory, layout) = (self.memory(), self.layout);
        let identity = Identity {
            worker: slot.checked_sub(1),
            generation: 1,
            role: if slot == 0 {
                NGX_PROCESS_MASTER
            } else {
                NGX_PROCESS_WORKER
            } as u64,
            master: (0, 1),
            place: slot.checked_sub(1),
        };

        assert!(peers::appoint(&memory, &layout, slot, identity, lineage));

        let endpoint = Endpoint::begin(Member {
            memory,
            layout,
            slot,
            incarnation: lineage.incarnation,
            line: lineage.line,
            identity,
        });

        Exchange::new(endpoint.unwrap(), &self.board).unwrap()
    }

    /// What a master does when the process is dead.
    pub fn replace(&self) -> Process<'_> {
        recover(
            &self.memory(),
            &self.layout,
            HOSTILE,
            1,
            Heritage::Successor,
        );
        self.start(HOSTILE, FIRST.replacement())
    }

    pub fn load(&self, at: usize) -> u64 {
        self.memory().load(at, Relaxed)
    }
}

fn text(from: u32, to: u32, number: u32) -> Vec<u8> {
    let len = [24, 100, 1000, 3900, 9000, 40][number as usize % 6];

    [from, to, number]
        .iter()
        .flat_map(|word| word.to_ne_bytes())
        .cycle()
        .take(len)
        .collect()
}

pub fn address(to: u32) -> Address {
    let word = match to.checked_sub(1) {
        None => TO_SLOT,
        Some(worker) => TO_WORKER + u64::from(worker),
    };

    Address::unpack(word).unwrap()
}

/// Sends a message: copied, built in place, or in the control lane.
fn send(processes: &mut [Process], from: u32, to: u32, number: u32) -> bool {
    let process = &mut processes[from as usize];
    let bytes = text(from, to, number);

    if number % 3 == 1 {
        let Ok(reservation) = process.reserve(address(to), DATA, bytes.len()) else {
            return false;
        };

        (&process.endpoint().member().memory).write(reservation.payload(), &bytes);
        return process.commit(reservation, bytes.len() as u32).is_ok();
    }

    process.send(address(to), DATA, &bytes).is_ok()
        && process
            .send(address(to), CONTROL, &number.to_ne_bytes())
            .is_ok()
}

fn pairs() -> impl Iterator<Item = (u32, u32)> {
    (0..PROCESSES)
        .flat_map(|from| (0..PROCESSES).map(move |to| (from, to)))
        .filter(|(from, to)| from != to)
}

/// All texts that a process receives in order, with their senders, and whether there
/// was a gap.
fn receive(process: &mut Process) -> (Vec<(u32, Vec<u8>)>, bool) {
    let (mut texts, mut has_gap, mut left) = (Vec::new(), false, 100_000);

    while let Some(notice) = process.next(&mut left) {
        match notice {
            Notice::Message(message, _) if message.message_type == DATA.number => {
                let mut bytes = vec![0; message.len as usize];

                process.endpoint().copy_payload(&message, &mut bytes);
                texts.push((message.sender, bytes));
            }
            Notice::Gap(..) => has_gap = true,
            _ => (),
        }
    }

    assert!(left > 0);
    (texts, has_gap)
}

/// What an event loop does in a second or so, in each process.
fn round(processes: &mut [Process], rounds: u32) {
    for process in processes {
        receive(process);
        process.endpoint().tidy(rounds);

        if process.prepare_sleep() {
            process.wake_up();
        }
    }
}

/// Processes that have sent each other messages. Some messages wait to and from the
/// process that is about to die.
pub fn before_death(shared: &Shared) -> Vec<Process<'_>> {
    let mut processes: Vec<_> = (0..PROCESSES)
        .map(|slot| shared.start(slot, FIRST))
        .collect();

    for number in 0..3 {
        for (from, to) in pairs() {
            assert!(send(&mut processes, from, to, number), "{from} to {to}");
        }

        round(&mut processes, 3);
    }

    for number in 3..6 {
        for (from, to) in pairs().filter(|&(from, to)| from == HOSTILE || to == HOSTILE) {
            send(&mut processes, from, to, number);
        }
    }

    processes
}

/// Whether all processes send and receive as before, and all chunks are free at the end.
pub fn all_talk(shared: &Shared, processes: &mut [Process]) -> Result<(), String> {
    for number in 10..25 {
        for (from, to) in pairs() {
            send(processes, from, to, number);
        }

        round(processes, 3);
    }

    for process in processes.iter_mut() {
        receive(process);
    }

    for number in 100..112 {
        for (from, to) in pairs() {
            if !send(processes, from, to, number) {
                return Err(format!("{from} cannot send {number} to {to}"));
            }
        }

        for to in 0..PROCESSES {
            let (texts, has_gap) = receive(&mut processes[to as usize]);
            let expected = (0..PROCESSES).filter(|&from| from != to);

            if has_gap {
                return Err(format!("{to} has a gap"));
            }

            for from in expected {
                let of_sender: Vec<_> = texts.iter().filter(|text| text.0 == from).collect();

                if of_sender != [&(from, text(from, to, number))] {
                    return Err(format!("{to} has not got {number} from {from}"));
                }
            }
        }
    }

    ask(processes)?;

    for _ in 0..20 {
        round(processes, 0);
    }

    let report = verify(&shared.memory(), &shared.layout).unwrap();

    if report.free == SIZES.slots * SIZES.chunks {
        Ok(())
    } else {
        Err(format!("{report:?}"))
    }
}

/// Each process asks each other one, which replies.
fn ask(processes: &mut [Process]) -> Result<(), String> {
    for (from, to) in pairs() {
        let mut left = 1000;

        processes[from as usize]
            .request(address(to), DATA, b"request", 10_000, ())
            .map_err(|refused| format!("{from} cannot ask {to}: {refused:?}"))?;

        let asked = &mut processes[to as usize];

        while let Some(notice) = asked.next(&mut left) {
            if let Notice::Message(message, sender) = notice {
                let to = (sender.slot, sender.incarnation);

                asked
                    .reply(to, message.user, Class::Data, b"reply")
                    .map_err(|refused| format!("no reply to {to:?}: {refused:?}"))?;
            }
        }

        let outcome = std::iter::from_fn(|| processes[from as usize].next(&mut left))
            .find(|notice| matches!(notice, Notice::Outcome((), Outcome::Answered, _)));

        if outcome.is_none() {
            return Err(format!("{from} gets no reply of {to}"));
        }
    }

    Ok(())
}
