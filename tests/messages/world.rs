//! A region and the endpoints that use it, all in one process.

use ngx_ipc::message::endpoint::Endpoint;
use ngx_ipc::message::event::{Event, Message};
use ngx_ipc::message::identity::Identity;
use ngx_ipc::message::layout::{Class, Lane, Layout, Sizes};
use ngx_ipc::message::letter::Refused;
use ngx_ipc::message::letter::{Letter, Target};
use ngx_ipc::message::lineage::{self, Lineage};
use ngx_ipc::message::mapped::Mapped;
use ngx_ipc::message::memory::Memory;
use ngx_ipc::message::peers::{self, Heritage, appoint};
use ngx_ipc::message::recover::recover;
use ngx_ipc::message::verify::{Report, verify};

pub type Process = Endpoint<&'static Mapped>;

#[derive(Clone, Copy)]
pub struct World {
    pub memory: &'static Mapped,
    pub layout: Layout,
}

pub const SMALL: Sizes = Sizes {
    slots: 4,
    chunks: 8,
    control_chunks: 1,
    quota: 5,
};

impl World {
    pub fn new(sizes: Sizes) -> Self {
        let layout = Layout::new(sizes).unwrap();
        // It lives as long as the test program.
        let memory: &'static Mapped = Box::leak(Box::new(
            Mapped::new(layout.size(), sizes.slots as usize).unwrap(),
        ));

        layout.create(&memory);

        Self { memory, layout }
    }

    pub fn start(&self, slot: u32) -> Process {
        self.start_as(slot, Heritage::Successor)
    }

    pub fn start_as(&self, slot: u32, heritage: Heritage) -> Process {
        let identity = Identity {
            worker: Some(slot),
            ..Identity::default()
        };

        let lineage = lineage_of(&self.memory, &self.layout, slot, heritage);

        assert!(appoint(&self.memory, &self.layout, slot, identity, lineage));
        Endpoint::attach(self.memory, slot).unwrap()
    }

    /// Ends a process as SIGKILL does, and does what is done when its death is
    /// known.
    pub fn kill(&self, process: Process, heritage: Heritage) {
        let member = process.member();

        recover(
            &self.memory,
            &self.layout,
            member.slot,
            member.incarnation,
            heritage,
        );
    }

    pub fn verify(&self) -> Report {
        let report = verify(&self.memory, &self.layout).unwrap();
        let all = self.layout.sizes.slots * self.layout.sizes.chunks;
        let Report {
            free,
            linked,
            blocks,
            shared,
            claimed,
            passed,
            wrong,
            ..
        } = report;

        assert_eq!(
            free + linked + blocks + shared + claimed + passed + wrong,
            all,
            "{report:?}"
        );
        assert_eq!(wrong, 0, "{report:?}");

        report
    }

    /// The size of the region's pages that exist, in KiB.
    pub fn resident(&self) -> u64 {
        let start = (&self.memory).address(0, 1).unwrap().addr();
        let text = std::fs::read_to_string("/proc/self/smaps").unwrap();

        text.lines()
            .skip_while(|line| !line.starts_with(&format!("{start:x}-")))
            .find_map(|line| line.strip_prefix("Rss:"))
            .and_then(|line| line.trim().strip_suffix(" kB"))
            .and_then(|size| size.trim().parse().ok())
            .expect("the size of the mapping")
    }

    /// Nothing is in use that a process could not give back any more.
    pub fn assert_nothing_lost(&self) -> Report {
        let report = self.verify();

        assert_eq!((report.claimed, report.passed), (0, 0), "{report:?}");
        assert_eq!(report.damaged_lanes, 0, "{report:?}");

        report
    }
}

/// The numbers of the next process of a slot, if the slot says the truth.
pub fn lineage_of<M: Memory>(
    memory: &M,
    layout: &Layout,
    slot: u32,
    heritage: Heritage,
) -> Lineage {
    let peer = peers::peer(memory, layout, slot).unwrap();

    match heritage {
        Heritage::Successor if peer.incarnation != 0 => peer.lineage().replacement(),
        _ => Lineage::stranger(lineage::next(peer.incarnation)),
    }
}

pub fn to(slot: u32) -> Target {
    Target {
        slot,
        incarnation: None,
    }
}

pub const DATA: Letter = Letter {
    class: Class::Data,
    message_type: 7,
    user: 0,
    timed: false,
};

/// The receiver is told when the message was sent.
pub const TIMED: Letter = Letter {
    timed: true,
    ..DATA
};

pub const CONTROL: Letter = Letter {
    class: Class::Control,
    message_type: 8,
    user: 0,
    timed: false,
};

/// The lane for data from process 0 to process 1.
pub const LANE: Lane = Lane {
    class: Class::Data,
    receiver: 1,
    sender: 0,
};

/// A payload of `len` bytes, which depends on `seed`.
pub fn payload(seed: usize, len: usize) -> Vec<u8> {
    (0..len)
        .map(|at| (seed * 31 + at * 7 + at / 256) as u8)
        .collect()
}

pub fn events(process: &mut Process) -> Vec<Event> {
    let mut turn = process.turn(u32::MAX, 0);

    std::iter::from_fn(|| process.next(&mut turn)).collect()
}

/// All messages that have arrived, with their payloads. Other events are
/// dropped.
pub fn messages(process: &mut Process) -> Vec<(Message, Vec<u8>)> {
    let mut turn = process.turn(u32::MAX, 0);
    let mut found = Vec::new();

    while let Some(event) = process.next(&mut turn) {
        if let Event::Message(message) = event {
            let mut bytes = vec![0; message.len as usize];

            assert_eq!(process.copy_payload(&message, &mut bytes), bytes.len());
            found.push((message, bytes));
        }
    }

    found
}

/// Sends until there is no room. Returns how many messages were sent.
pub fn fill(process: &mut Process, target: Target, letter: Letter, bytes: &[u8]) -> usize {
    for sent in 0..100_000 {
        match process.send(target, letter, bytes) {
            Ok(()) => (),
            Err(Refused::Again) => return sent,
            Err(other) => panic!("{other:?}"),
        }
    }

    panic!("never full");
}
