//! The subjects of the benchmark that the drivers in `benches/c` measure.

use std::fs;

use crate::Extent;
use crate::driver::{Case, Driver, interleave};
use crate::peers::{Backend, driver};
use crate::report::Report;
use crate::rows::{PEERS, Peer, Row, Unit};
use crate::{calls, instructions};

const MIB: usize = 1024 * 1024;

/// Builds a driver three times: for nginx, for the library and for the floor.
fn programs(name: &str) -> [std::path::PathBuf; 3] {
    PEERS.map(|peer| driver(name, peer, Backend::BEST))
}

/// The number of rounds after which the drivers are started again. The kernel
/// gives a process random addresses, which affect its speed until it exits.
const LIFE: usize = 8;

/// Measures a case with nginx, the library and the floor, with `n` operations
/// in each round.
fn times(
    programs: &[std::path::PathBuf],
    case: Case<'_>,
    rounds: usize,
    n: usize,
    (subject, what): (&'static str, String),
) -> Row {
    let launches = (rounds / LIFE).max(1);
    let mut values = [(); 3].map(|()| Vec::new());

    for _ in 0..launches {
        let mut drivers: Vec<Driver> = programs
            .iter()
            .map(|program| Driver::new(program, case))
            .collect();

        for (all, some) in values
            .iter_mut()
            .zip(interleave(&mut drivers, rounds / launches, n))
        {
            all.extend(some);
        }
    }

    Row {
        subject,
        what,
        n: None,
        unit: Unit::Nanoseconds,
        values,
    }
}

pub fn channel(extent: Extent, report: &mut Report) {
    const CASES: [(&str, usize, &str); 6] = [
        ("command", 20_000, "write and read a message"),
        (
            "worker",
            20_000,
            "write and read a message on a worker's channel",
        ),
        (
            "descriptor",
            10_000,
            "write and read a message with a descriptor",
        ),
        (
            "worker_descriptor",
            10_000,
            "write and read a message with a descriptor on a worker's channel",
        ),
        (
            "master",
            10_000,
            "write and read a message from a worker to its master",
        ),
        ("burst", 150, "write 100 messages, then read them"),
    ];

    let programs = programs("channel");

    for (name, n, what) in CASES {
        let case = Case {
            name,
            argument: 0,
            pinned: true,
        };

        report.add(times(
            &programs,
            case,
            extent.rounds(40),
            n,
            ("channel", what.into()),
        ));
    }

    for (name, what) in [
        ("write", "write a message, instructions"),
        ("read", "read a message, instructions"),
    ] {
        report.add(instructions::row(&programs, name, 0, ("channel", what)));
    }
}

pub fn spawn(extent: Extent, report: &mut Report) {
    let programs = programs("spawn");
    let case = Case {
        name: "life",
        argument: 0,
        pinned: true,
    };

    report.add(times(
        &programs,
        case,
        extent.rounds(40),
        100,
        ("spawn", "spawn a process, read its message, reap it".into()),
    ));
    report.add(calls::row(&programs));
}

pub fn execute(extent: Extent, report: &mut Report) {
    let programs = programs("execute");

    let sizes: &[usize] = if extent.short {
        &[16, 256]
    } else {
        &[16, 256, 2048]
    };

    for &mib in sizes {
        let case = Case {
            name: "execute",
            argument: mib,
            pinned: true,
        };
        let what = format!("run /bin/true from a master of {mib} MiB");
        let mut row = times(&programs, case, extent.rounds(15), 3, ("execute", what));

        row.n = Some(mib);
        report.add(row);
    }
}

/// Measures a case of a mesh. A driver can make only one mesh, so new drivers
/// are started for each round.
fn meshes(name: &str, size: usize, rounds: usize, n: usize, peers: &[Peer]) -> [Vec<f64>; 3] {
    let mut values = [(); 3].map(|()| Vec::new());

    for _ in 0..rounds {
        for &peer in peers {
            let program = crate::peers::directory().join(format!(
                "mesh-{}-{}",
                peer.name(),
                Backend::BEST.name()
            ));
            let case = Case {
                name,
                argument: size,
                pinned: false,
            };

            values[peer as usize].push(Driver::new(&program, case).round(n));
        }
    }

    values
}

pub fn mesh(extent: Extent, report: &mut Report) {
    let sizes: &[usize] = if extent.short {
        &[4, 16, 64]
    } else {
        &[4, 16, 64, 256, 512]
    };

    programs("mesh");

    for &size in sizes {
        let rounds = extent.rounds(if size > 64 { 7 } else { 15 });
        let mut add = |what: String, n, values| {
            report.add(Row {
                subject: "mesh",
                what,
                n,
                unit: Unit::Nanoseconds,
                values,
            });
        };

        add(
            format!("connect {size} processes with each other"),
            Some(size),
            meshes("together", size, rounds, 1, &PEERS),
        );
        add(
            format!("connect {size} processes, spawned one by one"),
            None,
            meshes(
                "one_by_one",
                size,
                rounds.div_ceil(3),
                1,
                &[Peer::Nginx, Peer::Library],
            ),
        );
        add(
            format!("replace one of {size} processes"),
            None,
            meshes("replace", size, rounds.div_ceil(2), 10, &PEERS),
        );
    }
}

pub fn shmem(extent: Extent, report: &mut Report) {
    let backends = if extent.short {
        vec![Backend::BEST]
    } else {
        Backend::all()
    };

    for backend in backends {
        let programs = PEERS.map(|peer| driver("shmem", peer, backend));
        // The floor uses the cheapest system calls, those of the best backend,
        // whichever backend nginx and the library use.
        let name = backend.name();

        for (size, n, text) in [
            (65_536, 4_000, "64 KiB"),
            (MIB, 4_000, "1 MiB"),
            (1024 * MIB, 4_000, "1 GiB"),
        ] {
            let case = Case {
                name: "alloc",
                argument: size,
                pinned: true,
            };
            let what = format!("{name}: allocate and free {text}");

            report.add(times(
                &programs,
                case,
                extent.rounds(25),
                n,
                ("shmem", what),
            ));
        }

        let touch = |name| Case {
            name,
            argument: 256 * MIB,
            pinned: true,
        };
        let what = format!("{name}: allocate and touch 256 MiB");

        report.add(times(
            &programs,
            touch("touch"),
            extent.rounds(12),
            1,
            ("shmem", what),
        ));

        if backend.is_best() {
            huge_pages(&programs, touch("huge"), extent, report);

            let what = "allocate and free 64 KiB, instructions";
            report.add(instructions::row(
                &programs,
                "alloc",
                65_536,
                ("shmem", what),
            ));
        }
    }
}

/// Pieces of a zone. There is no floor: an allocator needs no system call.
pub fn slab(extent: Extent, report: &mut Report) {
    let programs = [Peer::Nginx, Peer::Library].map(|peer| driver("slab", peer, Backend::BEST));

    let mut add = |name, argument, what| {
        let case = Case {
            name,
            argument,
            pinned: true,
        };

        report.add(times(
            &programs,
            case,
            extent.rounds(40),
            100_000,
            ("slab", what),
        ));
    };

    for (size, text) in [(8, "8"), (64, "64"), (500, "500"), (12_000, "12,000")] {
        for (name, what) in [("pair", "one at a time"), ("many", "of 256, at random")] {
            add(
                name,
                size,
                format!("allocate and free {text} bytes, {what}"),
            );
        }
    }

    add(
        "full",
        500,
        "500 bytes that a full zone does not have".into(),
    );
}

fn huge_pages(
    programs: &[std::path::PathBuf],
    case: Case<'_>,
    extent: Extent,
    report: &mut Report,
) {
    const FILE: &str = "/sys/kernel/mm/transparent_hugepage/shmem_enabled";

    let allowed = fs::read_to_string(FILE).unwrap_or_default();

    if ["[advise]", "[within_size]", "[always]", "[force]"]
        .iter()
        .any(|choice| allowed.contains(choice))
    {
        let what = format!(
            "{}: allocate and touch 256 MiB, huge pages",
            Backend::BEST.name()
        );

        report.add(times(programs, case, extent.rounds(12), 1, ("shmem", what)));
    } else {
        report.note(format!(
            "Huge pages were not measured: {FILE} is \"{}\", \
             so the kernel uses no huge pages for shared memory.",
            allowed.trim()
        ));
    }
}

pub fn locks(extent: Extent, report: &mut Report) {
    const CASES: [(&str, usize, usize, &str); 4] = [
        ("pair", 1, 1_000_000, "lock and unlock"),
        ("contended", 4, 400_000, "lock and unlock, 4 processes"),
        ("processor", 4, 400_000, "processor time, 4 processes"),
        ("contended", 2, 400_000, "lock and unlock, 2 processes"),
    ];
    let programs = programs("locks");

    for (name, argument, n, what) in CASES {
        let case = Case {
            name,
            argument,
            pinned: argument == 1,
        };
        let what = what.to_owned();

        report.add(times(
            &programs,
            case,
            extent.rounds(40),
            n,
            ("locks", what),
        ));
    }
}

pub fn counters(extent: Extent, report: &mut Report) {
    const CASES: [(&str, usize, &str); 3] = [
        ("one", 1, "add to a counter"),
        ("together", 2, "add to a counter, 2 processes"),
        ("together", 4, "add to a counter, 4 processes"),
    ];
    let programs = [Peer::Nginx, Peer::Library].map(|peer| driver("counters", peer, Backend::BEST));

    for (name, argument, what) in CASES {
        let case = Case {
            name,
            argument,
            pinned: argument == 1,
        };

        report.add(times(
            &programs,
            case,
            extent.rounds(40),
            2_000_000,
            ("counters", what.to_owned()),
        ));
    }
}
