//! Processes that use the same slot at the same time: the process of the slot, the masters
//! that give it away, and others that read who has it. The tests try all orders of their
//! accesses to the memory.

use ngx_ipc::message::endpoint::Endpoint;
use ngx_ipc::message::event::Event;
use ngx_ipc::message::identity::Identity;
use ngx_ipc::message::layout::{Bitmap, Class, Layout, Sizes};
use ngx_ipc::message::lineage::Lineage;
use ngx_ipc::message::memory::Memory;
use ngx_ipc::message::orphans::Orphans;
use ngx_ipc::message::peers::{self, Heritage, Peer, State};
use ngx_ipc::message::recover::recover;

use super::model::{Cells, note, search, sleep};
use super::world::{DATA, to};

type Process = Endpoint<Cells>;

const WORKER: u32 = 0;
const RECEIVER: u32 = 1;
const MASTER: u32 = 2;
/// The slot of a master that is dead, and whose slot is vacant again.
const DEAD: u32 = 3;
/// No limit for interruptions.
const ALL: u32 = u32::MAX;

fn layout() -> Layout {
    let layout = Layout::new(Sizes {
        slots: 4,
        chunks: 4,
        control_chunks: 0,
        quota: 4,
    })
    .unwrap();

    layout.create(&Cells::new(layout.size()));
    layout
}

/// The process in the place 0 of its master.
fn identity(master: u32) -> Identity {
    Identity {
        worker: Some(0),
        master: (master, 1),
        place: Some(0),
        ..Identity::default()
    }
}

fn appoint(layout: &Layout, slot: u32, identity: Identity, incarnation: u32) {
    let lineage = Lineage {
        incarnation,
        line: 1,
    };

    assert!(peers::appoint(&Cells, layout, slot, identity, lineage));
}

fn peer(layout: &Layout, slot: u32) -> Peer {
    peers::peer(&Cells, layout, slot).unwrap()
}

/// The slots of dead masters are recovered by the master in the slot `MASTER`.
fn recover_orphans(layout: &Layout) -> u32 {
    let found = Orphans {
        memory: &Cells,
        layout,
        own: (MASTER, 1),
        is_mine: &|slot| slot == MASTER || slot == RECEIVER,
        is_alive: &|_| true,
    }
    .recover();

    found.freed
}

/// The master of a process is dead, and the process runs now: either it has the slot, or
/// another master has taken the slot away.
#[test]
fn a_slot_has_its_process_or_is_taken_away() {
    let layout = layout();

    appoint(&layout, WORKER, identity(DEAD), 1);

    let process = || {
        if peers::enter(&Cells, &layout, WORKER, 1, 123) {
            note(1);
        }
    };
    let master = || {
        if recover_orphans(&layout) == 1 {
            note(1);
        }
    };
    let states = search(&[&process, &master], None, ALL, |_, noted| {
        assert_eq!(noted.concat(), [1]);

        let expected = match noted[0].is_empty() {
            true => State::Vacant,
            false => State::Running,
        };

        assert_eq!(peers::state(&Cells, &layout, WORKER), (expected, 1));
    });

    println!("{states} states");
}

/// Two masters want to look at what waits in a slot. One of them begins and ends while the
/// other one begins.
#[test]
fn one_master_claims_a_slot() {
    let layout = layout();
    let claimed_by = |master| {
        let dead = Peer {
            state: State::Vacant,
            ..peer(&layout, WORKER)
        };

        peers::seize(&Cells, &layout, WORKER, master, &dead)
    };

    appoint(&layout, WORKER, identity(DEAD), 1);
    peers::put_state(&Cells, &layout, WORKER, 1, State::Vacant);
    assert!(claimed_by(DEAD));

    let first = || {
        peers::put_state(&Cells, &layout, WORKER, 1, State::Vacant);

        if claimed_by(DEAD) {
            note(1);
        }
    };
    let second = || {
        if claimed_by(MASTER) {
            note(1);
        }
    };
    let states = search(&[&first, &second], None, ALL, |_, noted| {
        assert_eq!(noted.concat(), [1]);
    });

    println!("{states} states");
}

/// Others know at any time which worker has a slot.
#[test]
fn a_worker_that_is_replaced_is_known() {
    let layout = layout();

    appoint(&layout, WORKER, identity(MASTER), 1);
    recover(&Cells, &layout, WORKER, 1, Heritage::Successor);

    let master = || appoint(&layout, WORKER, identity(MASTER), 2);
    let other = || {
        let found = peer(&layout, WORKER);

        assert!(found.state.takes_messages());
        assert_eq!(found.identity, identity(MASTER));
    };
    let states = search(&[&master, &other], None, ALL, |_, _| ());

    println!("{states} states");
}

fn take(process: &mut Process) -> usize {
    let mut turn = process.turn(100, 0);
    let mut count = 0;

    while let Some(event) = process.next(&mut turn) {
        count += usize::from(matches!(event, Event::Message(_)));
    }

    count
}

/// A process was killed after it has committed a message and before it has told the
/// receiver. Who knows of its death finds the message.
#[test]
fn a_death_is_known_after_the_last_message() {
    a_death_is_known(|layout| recover(&Cells, layout, WORKER, 1, Heritage::Successor));
    a_death_is_known(|layout| recover(&Cells, layout, WORKER, 1, Heritage::Stranger));
    a_death_is_known(|layout| assert_eq!(recover_orphans(layout), 1));
}

fn a_death_is_known(recovers: impl Fn(&Layout)) {
    let layout = layout();

    appoint(&layout, WORKER, identity(DEAD), 1);
    appoint(&layout, RECEIVER, identity(MASTER), 1);

    let mut worker = Process::attach(Cells, WORKER).unwrap();
    let receiver = Process::attach(Cells, RECEIVER).unwrap();
    let (at, bit) = layout.bit(RECEIVER, Bitmap::Ready(Class::Data), WORKER);

    worker.send(to(RECEIVER), DATA, b"last").unwrap();
    Cells.clear_bits(at, bit);

    let master = || recovers(&layout);
    let receives = || {
        let (state, _) = peers::state(&Cells, &layout, WORKER);
        let count = take(&mut receiver.clone());

        assert!(state.is_alive() || count == 1, "{state:?}");
    };
    let states = search(&[&master, &receives], None, ALL, |_, _| ());

    println!("{states} states");
}

/// The master of a process is dead, and another master looks at its slot while the process
/// begins to run and sends its first message. The receiver sleeps.
#[test]
fn a_process_that_has_kept_its_slot_is_heard() {
    let layout = layout();

    appoint(&layout, WORKER, identity(DEAD), 1);
    appoint(&layout, RECEIVER, identity(MASTER), 1);

    let mut receiver = Process::attach(Cells, RECEIVER).unwrap();

    // The lane is known.
    Process::attach(Cells, WORKER)
        .unwrap()
        .send(to(RECEIVER), DATA, b"of the predecessor")
        .unwrap();
    assert_eq!(take(&mut receiver), 1);
    recover(&Cells, &layout, WORKER, 1, Heritage::Successor);
    appoint(&layout, WORKER, identity(DEAD), 2);
    assert_eq!(take(&mut receiver), 0);

    let process = || {
        if peers::enter(&Cells, &layout, WORKER, 2, 123) {
            let mut process = Process::attach(Cells, WORKER).unwrap();

            process.send(to(RECEIVER), DATA, b"first").unwrap();
            note(1);
        }
    };
    let master = || {
        recover_orphans(&layout);
    };
    let receives = || {
        let mut receiver = receiver.clone();

        loop {
            (0..take(&mut receiver)).for_each(|_| note(1));

            if receiver.prepare_sleep() {
                sleep(RECEIVER);
                receiver.wake_up();
            }
        }
    };
    let states = search(&[&process, &master, &receives], None, 1, |_, noted| {
        assert_eq!(noted[0], noted[2]);
    });

    println!("{states} states");
}
